package actors

import (
	"context"
	"errors"
	"time"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
)

// tellNotes has some shards send what they noted, so that Conflicting counts all events that were answered, once those
// messages have arrived. It does nothing after Close.
func (e *Engine) tellNotes(ctx context.Context, of func(graph.ShardID) bool) error {
	if e.intake.isClosed() {
		return nil
	}
	d := &Delivery{}
	for id := range e.runners {
		if of(graph.ShardID(id)) {
			d.inputs = append(d.inputs, shard.Input{Tell: true, From: graph.ShardID(id)})
		}
	}
	if err := e.submitAndWait(ctx, d); !errors.Is(err, ErrLost) {
		return err
	}
	return nil // a shard that is not here has its notes in its log
}

// countedWait is how long Counted waits at most for notes to arrive: under load they wait for their turn.
const countedWait = 2 * time.Second

// Counted is Stats after Conflicting has counted all events that were answered before the call, or after countedWait.
func (e *Engine) Counted(ctx context.Context) (Stats, error) {
	if err := e.tellNotes(ctx, func(graph.ShardID) bool { return true }); err != nil {
		return Stats{}, err
	}
	arriving, cancel := context.WithTimeout(ctx, countedWait)
	defer cancel()
	if err := e.Visible(arriving); err != nil && arriving.Err() == nil && !errors.Is(err, ErrLost) {
		return Stats{}, err
	}
	return e.Stats(ctx)
}
