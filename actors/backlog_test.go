package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// nowhere is a Network in which nobody answers.
type nowhere struct{}

func (nowhere) Post(shard.Post) {}

func (nowhere) Ask(context.Context, graph.ShardID, []byte) ([]byte, error) { return nil, errNoRoad }

func (nowhere) AskAll(context.Context, []byte) ([][]byte, error) { return nil, errNoRoad }

func (nowhere) Rows(context.Context, graph.ShardID, []byte, []byte, func(key, value []byte) error) error {
	return errNoRoad
}

// TestBacklogStopsIntake: while a shard of another process acknowledges nothing, events are taken until 10,000 messages wait for
// it, and refused from then on, from outside and from other processes. Once it has acknowledged, they are taken again.
func TestBacklogStopsIntake(t *testing.T) {
	ctx := context.Background()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	world := oracle.RandomWorld(rand.New(rand.NewPCG(1, 40)))
	e, err := Open(ctx, Config{
		Store: storage.NewMemStore(), Deployment: row.Deployment{Shards: 2}, Rules: world.Rules, Memory: memory,
		Shards: []graph.ShardID{0}, Network: nowhere{}, Background: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.shutdown()

	// Each event is handled here, and tells one more identifier of the other shard that it is linked.
	made := 0
	next := func() *graph.Event {
		made++
		ids := []graph.Identifier{
			{Key: graph.NodeKey{Hi: 1<<63 | uint64(made), Lo: 2 * uint64(made)}, Namespace: "user_id", Value: []byte("u")},
			{Key: graph.NodeKey{Hi: uint64(made), Lo: 2*uint64(made) + 1}, Namespace: "anonymous_id", Value: []byte("a")},
		}
		return &graph.Event{Seen: uint64(made), Type: graph.TypeIdentify, Stamp: graph.Stamp{Time: 1, Tie: uint64(made)}, Identifiers: ids}
	}
	submit := func(n int) error {
		d := &Delivery{}
		for range n {
			d.Add(next())
		}
		return e.submitAndWait(ctx, d)
	}
	taken := 0
	for err = submit(100); err == nil; err = submit(100) {
		if taken += 100; taken > 20_000 {
			t.Fatal("intake goes on for ever")
		}
	}
	if !errors.Is(err, ErrBacklog) || !errors.Is(err, ErrBusy) {
		t.Fatal(err)
	}
	stats, err := e.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Waiting <= 10_000 || stats.Waiting > 10_000+200 {
		t.Errorf("%d messages wait after %d events were taken, want 10,000 and those of one delivery", stats.Waiting, taken)
	}
	d := &Delivery{}
	d.Add(next())
	status, _, _, err := readAnswer(e.Answer(ctx, appendQuestion(nil, askDeliver, 0, 0, appendInputs(nil, 1, d.inputs))))
	if status != statusBacklog || err != nil {
		t.Errorf("a delivery of another process: status %d, %v", status, err)
	}
	e.Receive(shard.Post{To: 0, Envelope: shard.Envelope{From: 1, Acked: uint64(stats.Waiting), HasAck: true}})
	if err := e.ask(ctx, 0, func(*shard.Shard) error { return nil }); err != nil { // after the acknowledgement
		t.Fatal(err)
	}
	for err = submit(1); errors.Is(err, ErrBacklog); err = submit(1) { // an ack is taken after the questions beside it
	}
	if err != nil {
		t.Errorf("after the acknowledgement: %v", err)
	}
}
