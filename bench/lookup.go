package bench

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

const (
	lookupEvery  = 2 * time.Millisecond // from one answer to the next look-up
	lookupPeople = 1000                 // the routes of that many first events are looked up
)

// lookupKeys returns the routes of the first events, whose people soon are known and resident.
func lookupKeys(reg *identifier.Registry, data []byte) ([]graph.NodeKey, error) {
	decoder := segment.NewDecoder(reg, segment.Options{})
	keys := make([]graph.NodeKey, 0, lookupPeople)
	var event graph.Event
	for line := range bytes.Lines(data) {
		if len(keys) == lookupPeople {
			break
		}
		err := decoder.Event(bytes.TrimSuffix(line, []byte("\n")), 0, nil, &event)
		var rejection *segment.Rejection
		switch {
		case err == nil:
			keys = append(keys, event.Route())
		case !errors.As(err, &rejection):
			return nil, err
		}
	}
	return keys, nil
}

// lookUp reads profiles until stop is closed, one after the other. Each look-up reads the whole profile of a resident
// identity by a message to its actor. A look-up that waits for long holds up those after
// it, whose ticks are lost: so a stall counts once, and the percentiles are those of one client, not of a fixed rate of
// them. The keys are taken in strides of a prime, so that neighbours in the stream are not asked for in turn.
func lookUp(ctx context.Context, engine *actors.Engine, keys []graph.NodeKey, stop <-chan struct{}) (Latencies, error) {
	var took []time.Duration
	tick := time.NewTicker(lookupEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-stop:
			return Summarise(took), nil
		}
		start := time.Now()
		_, err := engine.Profile(ctx, keys[n*7919%len(keys)])
		switch {
		case err == nil:
			took = append(took, time.Since(start))
		case !errors.Is(err, actors.ErrUnknown):
			return Latencies{}, err
		}
	}
}
