package actors

import (
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// A step takes as many inputs as its bytes allow, and few that name a group: each brings the row of the group.
func TestStepIsBounded(t *testing.T) {
	plain := &graph.Event{Type: graph.TypeTrack, Identifiers: []graph.Identifier{{Key: graph.MakeNodeKey(graph.ClassCookie, 1, 1), Namespace: "anonymous_id", Value: []byte("a")}}}
	grouping := *plain
	grouping.Type, grouping.Group = graph.TypeGroup, &graph.GroupCall{Key: graph.MakeNodeKey(0, 1, 1), ID: []byte("acme")}
	enc := row.NewEncoder()
	event := func(e *graph.Event) shard.Input {
		return shard.Input{Event: e, Body: enc.Event(nil, e, true), Outcome: new(shard.Outcome)}
	}
	message := func(m graph.Message) shard.Input { return shard.Input{From: 1, Seq: 1, Body: enc.Message(nil, &m)} }
	told := message(grouping.GroupMessage())
	for _, test := range []struct {
		name string
		in   shard.Input
		want int
	}{
		{"small event", event(plain), shard.StepInputs},
		{"quarter of a step", shard.Input{Event: plain, Body: make([]byte, stepBytes/4), Outcome: new(shard.Outcome)}, 4},
		{"more than a step", shard.Input{Event: plain, Body: make([]byte, stepBytes+1), Outcome: new(shard.Outcome)}, 1},
		{"message", message(graph.Message{Kind: graph.KindObserve, To: plain.Route(), Event: plain}), shard.StepInputs},
		{"notes", shard.Input{From: 1, Seq: 1, Body: row.AppendNotes(nil, []uint64{uint64(graph.KindGroup) << 48})}, shard.StepInputs},
		{"event of a group", event(&grouping), stepBytes / (groupBytes + len(event(&grouping).Body))},
		{"message to a group", told, stepBytes / (groupBytes + len(told.Body))},
	} {
		b := inbox{}
		for range 2 * shard.StepInputs {
			b.inputs = append(b.inputs, test.in)
		}
		if got := len(b.takeLocked()); got != test.want || len(b.inputs)-b.head != 2*shard.StepInputs-got {
			t.Errorf("%s: %d in a step, want %d; %d are left", test.name, got, test.want, len(b.inputs)-b.head)
		}
	}
}
