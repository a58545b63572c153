package cluster

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// A node that is drained or removed is to have no shard, and the places of all others stay as they were. A drained one is in the view,
// so that it keeps its copies until others have them; a removed one is not.
func TestWeighProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var nodes []place.Node
		said := standings{}
		for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`n[0-9]`), 1, 6, rapid.ID).Draw(t, "names") {
			nodes = append(nodes, place.Node{Name: name, Weight: uint16(rapid.IntRange(1, 3).Draw(t, "weight"))})
			if state := row.ClusterNodeState(rapid.IntRange(0, 3).Draw(t, "state")); state <= row.NodeRemoved {
				said[name] = row.ClusterNode{Name: name, State: state}
			}
		}
		var none place.View
		before, after := none.With(nodes, 1), none.With(said.weigh(nodes), 1)
		for _, n := range nodes {
			if in := after.Node(n.Name) != nil; in == said.removed(n.Name) {
				t.Fatalf("%s is %s, and in the view: %v", n.Name, said.state(n.Name), in)
			}
		}
		for shard := range graph.ShardID(32) {
			var want, got []string
			for _, n := range place.Rank(shard, &before) {
				if said[n.Name].State == row.NodeMember {
					want = append(want, n.Name)
				}
			}
			for _, n := range place.Rank(shard, &after) {
				got = append(got, n.Name)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("shard %d: %v, want %v", shard, got, want)
			}
		}
	})
}
