package shard_test

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A message of another shard that can't be handled is set aside, once and for good, and does not hold
// up those after it, whenever the process dies.
func TestFailedMessageIsSetAside(t *testing.T) {
	rules := graph.DefaultRules()
	enc := row.NewEncoder()
	var node, root graph.NodeKey
	for i := 0; node.IsZero() || node.Shard(2) != 0; i++ {
		node = oracle.Key("anonymous_id", fmt.Sprint(i))
	}
	root = oracle.Key("user_id", "u1")
	join := enc.Message(nil, &graph.Message{Kind: graph.KindJoin, To: node, Root: root, Via: node})
	channel := []shard.Input{
		{From: 1, Seq: 1, Body: []byte("no message")},
		{From: 1, Seq: 2, Body: enc.Message(nil, &graph.Message{Kind: graph.KindAbsorb, To: node, Evidence: &graph.Evidence{}})}, // to a node never seen
		{From: 1, Seq: 3, Body: join},
	}
	open := func(store storage.Store) *shard.Shard {
		s, err := shard.Open(shard.Config{Shards: 2, Store: store, Rules: rules, Host: shard.Plain{Rules: rules}})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for step := 1; step <= len(channel); step++ {
		for _, lost := range []bool{false, true} {
			t.Run(fmt.Sprintf("inputs=%d,lost=%t", step, lost), func(t *testing.T) {
				store := storage.NewMemStore()
				s := open(store)
				if _, err := s.Step(append([]shard.Input(nil), channel[:step]...), simStart); err != nil {
					t.Fatal(err)
				}
				if !lost {
					if err := store.Commit(s.Batch()); err != nil {
						t.Fatal(err)
					}
				}
				store = store.Reopen()
				s = open(store)
				for range 2 { // the second time, all of it was taken
					changed, err := s.Step(append([]shard.Input(nil), channel...), simStart)
					if err != nil {
						t.Fatal(err)
					}
					if changed {
						if err := store.Commit(s.Batch()); err != nil {
							t.Fatal(err)
						}
					}
					posts := s.Committed(simStart)
					if len(posts) != 1 || !posts[0].HasAck || posts[0].Acked != 3 {
						t.Fatalf("posts %+v, want an ack of 3", posts)
					}
				}
				for more := true; more; s.Committed(simStart) {
					var err error
					if more, err = s.Flush(simStart); err != nil {
						t.Fatal(err)
					}
					if err := store.Commit(s.Batch()); err != nil {
						t.Fatal(err)
					}
				}
				store = store.Reopen()
				s = open(store)
				if n := s.Stats().Quarantined; n != 2 {
					t.Errorf("%d messages were set aside, want 2", n)
				}
				if sight, err := s.Read(node, nil); err != nil || sight.Parent != root {
					t.Errorf("the node is %+v (%v), want a forward to %s", sight, err, root)
				}
				rows := 0
				err := store.Iterate(row.AppendShardLower(nil, row.SpaceQuarantine, 0), row.AppendShardUpper(nil, row.SpaceQuarantine, 0),
					func(_, value []byte) error {
						rows++
						q, err := row.ParseQuarantined(value)
						if err == nil && (q.Reason == "" || q.Input.Source != 1) {
							t.Errorf("row %d says %q of a message of shard %d", rows, q.Reason, q.Input.Source)
						}
						return err
					})
				if err != nil || rows != 2 {
					t.Errorf("%d rows of what was set aside (%v), want 2", rows, err)
				}
			})
		}
	}
}
