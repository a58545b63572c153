// Package demo streams generated shoppers into a running Kindred, and reports each merge of two profiles as it happens.
//
//	generate.Live ──► ingest.Intake ──► engine ──► Merged ──► queue ──► Merge, with its profile and its cause ──► show
//
// Invariants:
//   - D1: Merged never blocks a shard: if the queue is full, a merge is counted but not shown.
package demo

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
)

// RateMax bounds the rate of a demonstration, in events per second.
const RateMax = 10_000

const (
	queueMax      = 256 // merges that wait to be shown
	findMax       = 200 // newest events among which to look for the one that decided
	settleTimeout = 30 * time.Second
)

// Demo is one demonstration.
type Demo struct {
	rate   float64
	crowd  *generate.Live
	merges chan graph.Merge
	missed atomic.Int64
	sent   atomic.Int64
}

// New returns a demonstration at a rate of events per second, above 0 and at most RateMax. Each seed generates a different
// crowd.
func New(rate float64, seed uint64) *Demo {
	return &Demo{rate: rate, crowd: generate.NewLive(seed), merges: make(chan graph.Merge, queueMax)}
}

// Merge is a merge of two profiles.
type Merge struct {
	graph.Merge
	Profile graph.Profile // after the merge
	// Cause is the event that caused the merge. It is nil for an operator's assertion, and for an event that is no longer
	// among the newest.
	Cause *graph.Event
}

// Merged receives the merges of the engine, as node.Config.OnMerge. Shards call it.
func (d *Demo) Merged(merges []graph.Merge) {
	for i := range merges {
		select {
		case d.merges <- merges[i]:
		default:
			d.missed.Add(1)
		}
	}
}

// pace is the time between two events of the past: with the fifteen or so events that a newcomer stands for, the visits of
// 5,000 people take three weeks.
const pace = 25 * time.Second

// Fill sends what a crowd of people did until now, as fast as it is taken. Once all of it has landed, it forgets the merges: they
// are of the past. It ends early, with nil, when the context ends.
func (d *Demo) Fill(ctx context.Context, into ingest.Into, people int) error {
	const eventsOfOne, batch = 15, 500
	intake := ingest.NewIntake(into)
	now := time.Now()
	at := now.Add(-pace * time.Duration(eventsOfOne*people))
	var lines []byte
	for d.crowd.People() < people {
		intake.Reset()
		lines = lines[:0]
		for range batch {
			begin := len(lines)
			lines = d.crowd.Next(lines, at) // the intake reads what it took until it delivers: a batch keeps all its lines
			at = at.Add(pace)
			if at.After(now) {
				at = now
			}
			if err := d.take(intake, lines[begin:], now); err != nil {
				return err
			}
		}
		if err := intake.Deliver(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		d.sent.Add(batch)
	}
	if err := into.Engine.Settle(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	for len(d.merges) > 0 {
		<-d.merges
	}
	d.missed.Store(0)
	return nil
}

// take reads a generated event.
func (d *Demo) take(intake *ingest.Intake, line []byte, received time.Time) error {
	if v := intake.Take(line, ingest.Arrival{Received: received.UnixMilli(), Source: []byte("demo")}); v.Rejection != nil {
		return fmt.Errorf("demo: read a generated event: %w", v.Rejection)
	}
	return nil
}

// Feed sends events at the rate until the context ends, and then returns nil.
func (d *Demo) Feed(ctx context.Context, into ingest.Into) error {
	intake := ingest.NewIntake(into)
	var line []byte
	tick := time.NewTicker(time.Duration(float64(time.Second) / d.rate))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		line = d.crowd.Next(line[:0], now)
		intake.Reset()
		if err := d.take(intake, line, now); err != nil {
			return err
		}
		if err := intake.Deliver(ctx); err != nil {
			if ctx.Err() != nil && intake.Reusable() { // it was not handed over
				return nil
			}
			return err
		}
		d.sent.Add(1)
	}
}

// Watch calls show with each merge, one after the other, until the context ends.
func (d *Demo) Watch(ctx context.Context, engine *actors.Engine, show func(*Merge)) {
	for {
		select {
		case c := <-d.merges:
			m := Merge{Merge: c}
			m.Profile, _ = engine.Profile(ctx, c.Into.ID())
			if c.Assertion == "" {
				m.Cause = cause(ctx, engine, &c)
			}
			show(&m)
		case <-ctx.Done():
			return
		}
	}
}

// cause finds the event that caused a merge among the newest of the person, and otherwise returns nil.
func cause(ctx context.Context, engine *actors.Engine, c *graph.Merge) *graph.Event {
	events, _ := engine.Timeline(ctx, c.Into.ID(), actors.TimelineQuery{Limit: findMax})
	for i := range events {
		if string(events[i].ID) == string(c.Mark.ID) {
			return &events[i]
		}
	}
	return nil
}

// Totals are the final counts of a demonstration.
type Totals struct {
	Events             int64
	Merges, Identities int64
	Missed             int64 // merges that came too fast to be shown
}

// Totals waits until every event that was sent is visible, and then counts.
func (d *Demo) Totals(engine *actors.Engine) (t Totals, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := engine.Settle(ctx); err != nil {
		return t, err
	}
	s, err := engine.Stats(ctx)
	return Totals{Events: d.sent.Load(), Merges: s.Merges(), Identities: s.Identities, Missed: d.missed.Load()}, err
}
