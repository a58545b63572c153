package actors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kindred-id/kindred/actors/hold"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
)

// HoldMost is how long deliveries wait at most for a hold: what is held longer is opened by each process itself. Callers who send events
// wait that long anyway while a shard moves.
const HoldMost = 8 * time.Second

// Held is what Hold did.
type Held struct {
	Took time.Duration // from the first gate that was shut until all were opened again
}

// ErrHeld is why a hold does not begin.
var ErrHeld = errors.New("another hold is under way; try again once it is over")

// Hold lets deliveries to all shards wait, in all processes, until nothing is under way, and calls use: what that does with the shards,
// wherever they are, it does with the deployment at one moment, as hold describes it. Then it lets deliveries go on. It fails with
// hold.ErrLost if there was no such moment: what use did is void then, and may be tried again.
//
// If this process dies, the others let deliveries go on by themselves.
func (e *Engine) Hold(ctx context.Context, use func(context.Context) error) (held Held, err error) {
	if e.network == nil {
		return held, errors.New("a hold is for several processes")
	}
	ctx, cancel := context.WithTimeoutCause(ctx, HoldMost, fmt.Errorf("%w: not within %v", hold.ErrLost, HoldMost))
	defer cancel()
	h := holding{e, 1 + rand.Uint64N(math.MaxUint64)} //nolint:gosec // it need not be a secret: processes are known to each other
	began := e.now()
	defer func() {
		h.open() //nolint:contextcheck // in any case
		held.Took = time.Duration(e.now()-began) * time.Millisecond
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	if err := h.shut(ctx); err != nil {
		return held, err
	}
	first, err := h.quiet(ctx)
	if err != nil {
		return held, err
	}
	if err := use(ctx); err != nil {
		return held, err
	}
	second, err := h.look(ctx, true)
	if err != nil {
		return held, fmt.Errorf("%w: %w", hold.ErrLost, err)
	}
	return held, hold.Held(first, second, len(e.runners))
}

// holding is a hold under way, on the process that was asked for it.
type holding struct {
	engine *Engine
	token  uint64
}

func (h holding) body(strong bool) []byte {
	b := binary.AppendUvarint(nil, h.token)
	if strong {
		return append(b, 1)
	}
	return append(b, 0)
}

// shut shuts the gates of all processes.
func (h holding) shut(ctx context.Context) error {
	shut, err := gather(ctx, h.engine.queries.far, askShut, binary.AppendUvarint(nil, h.token), func() (bool, error) {
		return h.engine.gate.shutFor(h.token, HoldMost), nil
	}, readBool)
	if err == nil && slices.Contains(shut, false) {
		err = ErrHeld
	}
	return err
}

// openPatience bounds the word to other processes that a hold is over. They let go by themselves as well.
const openPatience = time.Second

// open opens the gates of all processes.
func (h holding) open() {
	h.engine.gate.open(h.token)
	ctx, cancel := context.WithTimeout(context.Background(), openPatience)
	defer cancel()
	for attempt := 0; ; attempt++ {
		_, err := h.engine.queries.everybody(ctx, askOpen, binary.AppendUvarint(nil, h.token))
		if err == nil {
			return
		}
		if backoff.Sleep(ctx, lookAgain.Wait(attempt)) != nil {
			h.engine.logger.Warn("a node may take events in only after a few seconds again: it did not hear that a hold is over", "error", err)
			return
		}
	}
}

// quiet looks until nothing is under way.
func (h holding) quiet(ctx context.Context) ([]hold.Part, error) {
	for attempt := 0; ; attempt++ {
		parts, err := h.look(ctx, false)
		if err == nil {
			err = hold.Quiet(parts, len(h.engine.runners))
		}
		if err == nil || errors.Is(err, hold.ErrLost) || ctx.Err() != nil {
			return parts, err
		}
		if backoff.Sleep(ctx, lookAgain.Wait(attempt)) != nil {
			return nil, err
		}
	}
}

// look asks all processes.
func (h holding) look(ctx context.Context, strong bool) ([]hold.Part, error) {
	return gather(ctx, h.engine.queries.far, askHeld, h.body(strong), func() (hold.Part, error) {
		return h.engine.part(ctx, h.token, strong)
	}, readPart)
}

// part is what this process says. Of a strong look, the journal has the last word on each shard, after all else was said.
func (e *Engine) part(ctx context.Context, token uint64, strong bool) (hold.Part, error) {
	p := hold.Part{Session: e.transit.Session(), Past: uint64(max(e.gate.past.Load(), 0))}
	for id, r := range e.runners {
		if !r.here() {
			continue
		}
		at := hold.Shard{ID: graph.ShardID(id)}
		err := e.ask(ctx, at.ID, func(s *shard.Shard) error {
			stats := s.Stats()
			at.Opening, at.Record, at.Waiting = r.openings, stats.Record, uint64(stats.Waiting)
			return nil
		})
		if err != nil {
			return p, err
		}
		p.Shards = append(p.Shards, at)
	}
	p.Shut = e.gate.shutBy(token)
	for i := range p.Shards {
		p.Shards[i].Confirmed = strong && e.current(Strong(ctx), p.Shards[i].ID) == nil
	}
	return p, nil
}

func appendPart(b []byte, p *hold.Part) []byte {
	b = binary.AppendUvarint(b, uint64(p.Session))
	b = appendBool(b, p.Shut)
	b = binary.AppendUvarint(b, p.Past)
	b = binary.AppendUvarint(b, uint64(len(p.Shards)))
	for _, s := range p.Shards {
		b = binary.AppendUvarint(b, uint64(s.ID))
		b = binary.AppendUvarint(b, s.Opening)
		b = binary.AppendUvarint(b, s.Record)
		b = binary.AppendUvarint(b, s.Waiting)
		b = appendBool(b, s.Confirmed)
	}
	return b
}

func readPart(r *wireReader) (hold.Part, error) {
	p := hold.Part{Session: uint32(r.below(1 << 32)), Shut: r.bool(), Past: r.uint()}
	p.Shards = make([]hold.Shard, r.count(5))
	for i := range p.Shards {
		p.Shards[i] = hold.Shard{ID: graph.ShardID(r.below(1 << 16)), Opening: r.uint(), Record: r.uint(), Waiting: r.uint(), Confirmed: r.bool()}
	}
	return p, r.end()
}

func readBool(r *wireReader) (bool, error) {
	v := r.bool()
	return v, r.end()
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}
