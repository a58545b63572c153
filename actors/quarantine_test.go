package actors

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A shard that stopped commits nothing any more: its memory holds what was never logged.
func TestStoppedShardCommitsNothing(t *testing.T) {
	store := storage.NewMemStore()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Open(context.Background(), Config{
		Store: store, Deployment: row.Deployment{Shards: 1}, Rules: graph.DefaultRules(), Memory: memory,
		Clock: func() int64 { return simStart },
	})
	if err != nil {
		t.Fatal(err)
	}
	var d Delivery
	for i := range 4 * shard.StepInputs {
		value := fmt.Sprint(i)
		event := &graph.Event{
			ID: []byte(value), Seen: uint64(i), Type: graph.TypeTrack,
			Identifiers: []graph.Identifier{{Key: oracle.Key("anonymous_id", value), Namespace: "anonymous_id", Value: []byte(value)}},
		}
		d.Add(event)
		if i > 0 && i <= 101 {
			event.Type = graph.EventType(graph.EventTypes) // its handler fails
		}
	}
	answer := make(chan error, 1)
	if err := e.Submit(context.Background(), &d, func(err error) { answer <- err }); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; err != nil {
		t.Fatal(err)
	}
	if err := e.Refused(&d); !errors.Is(err, ErrLost) || !errors.Is(err, shard.ErrTooMuchPoison) {
		t.Errorf("refused: %v, want that the shard is lost, as too much was set aside", err)
	}
	for i, outcome := range d.Outcomes {
		if outcome != Elsewhere {
			t.Fatalf("outcome %d of input %d, want Elsewhere", outcome, i)
		}
	}
	if err := e.Err(); err != nil {
		t.Errorf("the engine stopped: %v", err)
	}
	if err := e.Close(context.Background()); !errors.Is(err, shard.ErrTooMuchPoison) {
		t.Errorf("close: %v, want why the shard stopped", err)
	}
	if n := store.Commits(); n != 0 {
		t.Errorf("%d commits after the shard stopped", n)
	}
}
