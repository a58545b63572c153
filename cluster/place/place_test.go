package place_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
)

func genView(t *rapid.T, most int) place.View {
	names := rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z]{1,4}-[0-9]{1,2}`), 1, most, rapid.ID).Draw(t, "names")
	zones := rapid.IntRange(1, 3).Draw(t, "zones")
	var nodes []place.Node
	for i, name := range names {
		nodes = append(nodes, place.Node{Name: name, Zone: fmt.Sprint(i % zones), Weight: uint16(rapid.SampledFrom([]int{1, 1, 1, 2, 100, math.MaxUint16}).Draw(t, "weight"))})
	}
	var v place.View
	return v.With(nodes, 1)
}

func names(nodes []*place.Node) (names []string) {
	for _, n := range nodes {
		names = append(names, n.Name)
	}
	return names
}

// P1: a node that leaves, or comes, changes only the shards that it has.
func TestOnlyItsShardsMoveProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genView(t, 9)
		gone := v.Nodes[rapid.IntRange(0, len(v.Nodes)-1).Draw(t, "gone")].Name
		rest := v.With(slices.DeleteFunc(slices.Clone(v.Nodes), func(n place.Node) bool { return n.Name == gone }), 2)
		for shard := range graph.ShardID(64) {
			before, after := names(place.Owners(shard, &v, 2)), names(place.Owners(shard, &rest, 2))
			if !slices.Contains(before, gone) && !slices.Equal(before, after) {
				t.Fatalf("shard %d moves from %v to %v, and %s left", shard, before, after, gone)
			}
			if i := slices.Index(before, gone); i == 1 && len(after) > 0 && after[0] != before[0] {
				t.Fatalf("shard %d: its standby left, and its owner moves from %v to %v", shard, before, after)
			}
		}
	})
}

// P2: with n shards for a node on average, each has n within 6·√n and 1.
func TestBalanceProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const shards = 1024
		v := genView(t, 30)
		var sum float64
		for i := range v.Nodes {
			v.Nodes[i].Weight = uint16(rapid.IntRange(1, 4).Draw(t, "weight"))
			sum += float64(v.Nodes[i].Weight)
		}
		owned := map[string]float64{}
		for shard := range graph.ShardID(shards) {
			owned[place.Owners(shard, &v, 1)[0].Name]++
		}
		for _, n := range v.Nodes {
			want := shards * float64(n.Weight) / sum
			if got := owned[n.Name]; math.Abs(got-want) > 6*math.Sqrt(want)+1 {
				t.Fatalf("%s has %v shards, want %.0f within %.0f; weights sum up to %v", n.Name, got, want, 6*math.Sqrt(want)+1, sum)
			}
		}
	})
}

// P3: the order of nodes is irrelevant.
func TestOrderOfNodesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genView(t, 9)
		var empty place.View
		again := empty.With(rapid.Permutation(v.Nodes).Draw(t, "shuffled"), 1)
		for shard := range graph.ShardID(64) {
			if a, b := names(place.Owners(shard, &v, 3)), names(place.Owners(shard, &again, 3)); !slices.Equal(a, b) {
				t.Fatalf("shard %d: %v, and %v of the same nodes", shard, a, b)
			}
		}
	})
}

// P4: owner and standby are in different zones, if there are two; there are as many copies as wanted, on different nodes.
func TestZonesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genView(t, 9)
		zones := map[string]bool{}
		for _, n := range v.Nodes {
			zones[n.Zone] = true
		}
		copies := rapid.IntRange(1, 4).Draw(t, "copies")
		for shard := range graph.ShardID(64) {
			owners := place.Owners(shard, &v, copies)
			in, at := map[string]bool{}, map[string]bool{}
			for _, n := range owners {
				in[n.Zone], at[n.Name] = true, true
			}
			if len(at) != min(copies, len(v.Nodes)) || len(in) < min(copies, len(zones)) {
				t.Fatalf("shard %d: %d copies on %v, in %d zones of %d", shard, copies, names(owners), len(in), len(zones))
			}
		}
	})
}

// A partition is consumed by one of the nodes that consume its topic and have weight, whatever their order, and only the partitions of a
// node that leaves go to others.
func TestConsumerProperty(t *testing.T) {
	const topic, hash = "events", 77
	consumer := func(partition int32, v *place.View) string {
		if n := place.Consumer(hash, topic, partition, v); n != nil {
			return n.Name
		}
		return ""
	}
	rapid.Check(t, func(t *rapid.T) {
		v := genView(t, 9)
		consumers := map[string]bool{}
		for i := range v.Nodes {
			n := &v.Nodes[i]
			if rapid.Bool().Draw(t, "idle") {
				n.Weight = 0
			}
			if rapid.Bool().Draw(t, "consumes") {
				n.Topics = []uint32{1, hash}
				consumers[n.Name] = n.Weight > 0
			}
		}
		gone := v.Nodes[rapid.IntRange(0, len(v.Nodes)-1).Draw(t, "gone")].Name
		rest := v.With(slices.DeleteFunc(rapid.Permutation(v.Nodes).Draw(t, "shuffled"), func(n place.Node) bool { return n.Name == gone }), 2)
		for partition := range int32(40) {
			before, after := consumer(partition, &v), consumer(partition, &rest)
			if before == "" && slices.Contains(slices.Collect(maps.Values(consumers)), true) || before != "" && !consumers[before] {
				t.Fatalf("partition %d is consumed by %q, of %v", partition, before, consumers)
			}
			if before != gone && after != before {
				t.Fatalf("partition %d goes from %q to %q, and %q left", partition, before, after, gone)
			}
		}
	})
}

// The same names give the same places for ever: a change here moves every shard of every cluster.
func TestPlacesStay(t *testing.T) {
	var v place.View
	v = v.With([]place.Node{{Name: "a", Weight: 1, Zone: "x"}, {Name: "b", Weight: 1, Zone: "x"}, {Name: "c", Weight: 2, Zone: "y"}, {Name: "off", Zone: "y"}}, 1)
	var got []string
	for shard := range graph.ShardID(16) {
		got = append(got, fmt.Sprint(names(place.Owners(shard, &v, 2))))
	}
	want := []string{
		"[c a]", "[a c]", "[b c]", "[c a]", "[a c]", "[b c]", "[c b]", "[a c]",
		"[c b]", "[b c]", "[a c]", "[c a]", "[c b]", "[c a]", "[a c]", "[c b]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestDecide(t *testing.T) {
	const shard = 3
	var both place.Shards
	both.Set(shard, true)
	node := func(name string, copies place.Shards) place.Node {
		return place.Node{Name: name, Weight: 1, Copies: copies}
	}
	ranked := func(nodes ...place.Node) (place.View, []string) {
		var v place.View
		v = v.With(nodes, 10_000)
		return v, names(place.Rank(shard, &v))
	}
	v, rank := ranked(node("a", both), node("b", both), node("c", both))
	first, second, third := rank[0], rank[1], rank[2]
	early, later, overdue := int64(10_000), int64(14_000), int64(24_000)
	without := func(name string) place.View {
		left := v.With(slices.DeleteFunc(slices.Clone(v.Nodes), func(n place.Node) bool { return n.Name == name }), 50_000)
		return left
	}
	empty := func(name string) place.View {
		nodes := slices.Clone(v.Nodes)
		for i := range nodes {
			if nodes[i].Name == name {
				nodes[i].Copies = nil
			}
		}
		return v.With(nodes, 0)
	}
	drained := func(name string) place.View {
		nodes := slices.Clone(v.Nodes)
		for i := range nodes {
			if nodes[i].Name == name {
				nodes[i].Weight = 0
			}
		}
		return v.With(nodes, 10_000)
	}
	for _, test := range []struct {
		name string
		view place.View
		me   string
		is   place.Stand
		now  int64
		want place.Wish
	}{
		{"the first claims what nobody ever owned", v, first, place.Stand{Has: true, Unowned: true}, early, place.Own},
		{"the second waits for the first", v, second, place.Stand{Has: true, Unowned: true}, early, place.Follow},
		{"an empty first does not own", empty(first), first, place.Stand{}, overdue, place.Follow},
		{"the second owns while the first is empty", empty(first), second, place.Stand{Has: true, Unowned: true}, later, place.Own},
		{"an owner stays until the view is stable", v, second, place.Stand{Has: true, Owner: second}, early, place.Own},
		{"then it yields to the first", v, second, place.Stand{Has: true, Owner: second}, later, place.Follow},
		{"an owner that is drained yields at once", drained(second), second, place.Stand{Has: true, Owner: second}, early, place.Follow},
		{"the first leaves an owner time to yield", v, first, place.Stand{Has: true, Owner: second}, later, place.Follow},
		{"and overtakes it if it does not", v, first, place.Stand{Has: true, Owner: second}, overdue, place.Own},
		{"an owner that is alive and silent has given it up", v, first, place.Stand{Has: true, Owner: second, Silent: true}, early, place.Own},
		{"which others leave to the first", v, third, place.Stand{Has: true, Owner: second, Silent: true}, overdue, place.Follow},
		{"a dead owner's shard is claimed at once", without(second), first, place.Stand{Has: true, Owner: second}, 50_000, place.Own},
		{"by the first that is alive", without(first), second, place.Stand{Has: true, Owner: first}, 50_000, place.Own},
		{"and not by the next", without(first), third, place.Stand{Has: true, Owner: first}, 50_000, place.Follow},
		{"a third has no copy", v, third, place.Stand{Owner: first}, later, place.Absent},
		{"it keeps one that it has", v, third, place.Stand{Has: true, Owner: first}, later, place.Follow},
		{"until two others say that theirs are durable", v, third, place.Stand{Has: true, Owner: first, Surplus: true}, later, place.Absent},
		{"an unknown owner that appends is left time", v, first, place.Stand{Has: true, Standing: true}, later, place.Follow},
		{"an unknown owner that is silent is not", v, first, place.Stand{Has: true}, later, place.Own},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := place.Decide(shard, &test.view, test.me, test.is, test.now); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}
