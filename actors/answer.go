package actors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Answer answers a question of another process, within ctx. It may block for as long as a commit takes. An error is an
// answer, too: the network carries it like any other. No answer has an identifier that the question did not have.
func (e *Engine) Answer(ctx context.Context, question []byte) []byte {
	kind, to, clock, body, err := readQuestion(question)
	var answer []byte
	if err == nil && int(to) >= len(e.runners) {
		err = fmt.Errorf("%w: question for shard %d of %d", storage.ErrCorrupt, to, len(e.runners))
	}
	if err == nil {
		e.clock.Raise(clock)
		if kind&strongly != 0 {
			ctx = Strong(ctx)
		}
		answer, err = e.answers(ctx, kind&^strongly, to, body)
	}
	status := statusAnswered
	switch {
	case errors.Is(err, ErrLost), errors.Is(err, ErrClosed):
		status, answer = statusElsewhere, nil
	case errors.Is(err, ErrBacklog):
		status, answer = statusBacklog, nil
	case err != nil:
		status, answer = statusFailed, []byte(err.Error())
	}
	return appendAnswer(nil, status, e.clock.Now(), answer)
}

func (e *Engine) answers(ctx context.Context, kind questionKind, to graph.ShardID, body *wireReader) ([]byte, error) {
	switch kind {
	case askView:
		return e.answerView(ctx, to, body)
	case askDeliver:
		return e.answerDeliver(ctx, to, body)
	case askTimeline:
		return e.answerTimeline(ctx, to, body)
	case askHere:
		if !e.Has(to) {
			return nil, &lostError{id: to}
		}
		return nil, body.end()
	case askPosition:
		id := row.ChannelID(body.below(1 << 16))
		if err := body.end(); err != nil {
			return nil, err
		}
		number, err := e.channels.position(ctx, id, to)
		return binary.AppendVarint(nil, number), err
	case askStatus:
		stats, err := e.shardStats(ctx, to)
		return appendStats(nil, &stats), err
	case askLanded:
		w := wait{session: uint32(body.below(1 << 32)), floor: uint32(body.below(1 << 32)), upto: uint32(body.below(1 << 32))}
		if err := body.end(); err != nil {
			return nil, err
		}
		seen := e.landed(w)
		return seen.append(nil), nil
	case askRest:
		seen, err := e.rest(ctx)
		return seen.append(nil), err
	case askPasses:
		at, err := e.filler.progress(ctx)
		return at.append(nil), err
	case askFeedEnds:
		raise := body.uint()
		if err := body.end(); err != nil {
			return nil, err
		}
		ends, err := changes{e}.here(ctx, raise)
		return appendFeedEnds(nil, ends), err
	case askFeedBlocks:
		after := body.uint()
		if err := body.end(); err != nil {
			return nil, err
		}
		return changes{e}.blocksHere(to, after)
	case askShut, askOpen:
		token := body.uint()
		if err := body.end(); err != nil {
			return nil, err
		}
		if kind == askOpen {
			e.gate.open(token)
			return nil, nil
		}
		return appendBool(nil, e.gate.shutFor(token, HoldMost)), nil
	case askHeld:
		token, strong := body.uint(), body.bool()
		if err := body.end(); err != nil {
			return nil, err
		}
		at, err := e.part(ctx, token, strong)
		return appendPart(nil, &at), err
	case askDeparted:
		sessions, err := readSessions(body)
		if err != nil {
			return nil, err
		}
		seen := e.landedBut(sessions)
		return seen.append(nil), nil
	}
	return nil, fmt.Errorf("%w: question of kind %d", storage.ErrCorrupt, kind)
}

// answerView shows a node: the row of its component if it is a root, or where it leads, after the evidence that it has handed on
// has arrived there.
func (e *Engine) answerView(ctx context.Context, to graph.ShardID, body *wireReader) ([]byte, error) {
	key := body.nodeKey()
	if err := body.end(); err != nil {
		return nil, err
	}
	var sight shard.Sight
	var component []byte
	err := e.shown(ctx, to, e.askFirst(ctx, to, func(s *shard.Shard) (err error) {
		sight, err = s.Read(key, func(c *graph.Component) {
			component = row.NewEncoder().Node(nil, &graph.Node{Key: key, Component: c}, 0)
		})
		return err
	}))
	if err != nil {
		return nil, err
	}
	if sight.Moving {
		if err := e.await(ctx, sight.Arrived.Done()); err != nil {
			return nil, err
		}
		if err := sight.Arrived.Err(); err != nil {
			return nil, err
		}
	}
	answer := []byte{0}
	if sight.Found {
		answer[0] = 1
	}
	answer = sight.Parent.AppendBinary(answer)
	return append(answer, component...), nil
}

// answerDeliver takes inputs of another process, as far as their shard is here: they are not passed on.
func (e *Engine) answerDeliver(ctx context.Context, to graph.ShardID, body *wireReader) ([]byte, error) {
	inputs, err := body.readInputs(to, len(e.runners))
	if err != nil {
		return nil, err
	}
	d := &Delivery{inputs: inputs, guest: true}
	for i := range inputs {
		d.bytes += cost(inputs[i].Body)
	}
	done := make(chan error, 1)
	if err := e.Submit(ctx, d, func(err error) { done <- err }); err != nil {
		return nil, err
	}
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	here := false
	answer := make([]byte, len(d.Outcomes))
	for i, outcome := range d.Outcomes {
		answer[i] = byte(outcome)
		here = here || outcome != Elsewhere
	}
	if !here { // the process that asks has to look for the shard elsewhere
		return nil, &lostError{id: to}
	}
	return answer, nil
}

// answerTimeline lists the newest events of a node before a position.
func (e *Engine) answerTimeline(ctx context.Context, to graph.ShardID, body *wireReader) ([]byte, error) {
	key, before, limit := body.nodeKey(), body.position(), int(body.below(1<<20))
	if err := body.end(); err != nil {
		return nil, err
	}
	events, err := e.newestEvents(ctx, to, key, before, limit)
	if err != nil {
		return nil, err
	}
	answer := binary.AppendUvarint(nil, uint64(len(events)))
	for i := range events {
		answer = appendBytes(answer, events[i].encoded)
	}
	return answer, nil
}

// Rows calls fn with the rows of a shard from lower to below upper, as they are at one moment after everything was written that the
// shard had taken before the call. It is for a process that asks for what a shard here holds: exports, samples, reports. It
// fails with ErrLost if the shard is not here.
func (e *Engine) Rows(ctx context.Context, id graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	if err := e.checkRange(id, lower, upper); err != nil {
		return err
	}
	return e.ownRows(ctx, id, lower, upper, fn)
}

// Snapshot gives what Rows would show.
func (e *Engine) Snapshot(ctx context.Context, id graph.ShardID, lower, upper []byte) (storage.Snapshot, error) {
	if err := e.checkRange(id, lower, upper); err != nil {
		return nil, err
	}
	return e.pool.snapshot(ctx, id)
}

// checkRange holds a range to the rows of a shard.
func (e *Engine) checkRange(id graph.ShardID, lower, upper []byte) error {
	if int(id) >= len(e.runners) || !slices.ContainsFunc(row.ShardRanges(id), func(r row.Range) bool { return r.Holds(row.Range{Lower: lower, Upper: upper}) }) {
		return fmt.Errorf("%w: rows from % x to % x are not of shard %d", storage.ErrCorrupt, lower, upper, id)
	}
	return nil
}

// Whereabouts is a question whose answer reports whether a shard is with the process that is asked, and nothing else: see IsElsewhere.
func Whereabouts(id graph.ShardID) []byte { return appendQuestion(nil, askHere, id, 0, nil) }

// IsElsewhere reports whether an answer says that the shard is not with the process that gives it.
func IsElsewhere(answer []byte) bool {
	status, _, _, err := readAnswer(answer)
	return err == nil && status == statusElsewhere
}

// ownRows is Rows of a shard that is here.
func (p *pool) ownRows(ctx context.Context, id graph.ShardID, lower, upper []byte, fn func(key, value []byte) error) error {
	at, err := p.snapshot(ctx, id)
	if err != nil {
		return err
	}
	err = at.Iterate(lower, upper, func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return fn(key, value)
	})
	return errors.Join(err, at.Close())
}

// snapshot gives the rows of a shard that is here, after everything was written.
func (p *pool) snapshot(ctx context.Context, id graph.ShardID) (at storage.Snapshot, err error) {
	m := &flushing{make(chan error, 1)}
	p.runners[id].inbox.PostUserMessage(m)
	if err := p.placed(ctx, m.done); err != nil {
		return nil, err
	}
	err = p.ask(ctx, id, func(*shard.Shard) (err error) { // with the shard, so that it is here
		at, err = p.store.Snapshot()
		return err
	})
	return at, err
}
