package shard_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A Repoint that answers an event from before the evidence has no effect; one from after it makes the forward leave others out.
func TestRepointAheadOfEvidence(t *testing.T) {
	if err := repointAheadOfEvidence(); err != nil {
		t.Fatal(err)
	}
}

// repointAheadOfEvidence lets evidence of x go the long way up, over the forwards f and p to r, while an event that passed f
// before it has come to r already.
//
//	shard 0    f       r
//	          ╱ ╲     ╱
//	shard 1  x   p ──╯
func repointAheadOfEvidence() error {
	d := &duo{store: storage.NewMemStore(), rules: graph.DefaultRules(), enc: row.NewEncoder()}
	if err := d.start(); err != nil {
		return err
	}
	x, f := identifierOf("anonymous_id", 1), identifierOf("device_id", 0)
	p, r := identifierOf("email", 1), identifierOf("user_id", 0)
	d.event(f)
	d.event(x)
	d.event(f, x) // x is to come under f
	d.event(p, f) // and f under p
	d.deliver(0, 1)
	d.deliver(1, 2)
	d.event(r, p) // and p under r
	d.event(f)    // which is answered for what follows
	d.deliver(1, 2)
	d.deliver(0, 1) // x's evidence, which f hands on to p
	d.deliver(0, 2) // p's evidence, and the event
	d.found(x.Key)
	d.deliver(1, 1)
	d.found(x.Key)
	d.deliver(0, 1)
	d.found(x.Key)
	if parent := d.parent(f.Key); d.err == nil && parent != p.Key {
		return fmt.Errorf("the forward leads to %s on the word of an event from before, want %s", parent, p.Key)
	}
	d.event(f)
	d.deliver(1, 1)
	d.deliver(0, 1)
	d.found(x.Key)
	if parent := d.parent(f.Key); d.err == nil && parent != r.Key {
		return fmt.Errorf("the forward leads to %s, want %s", parent, r.Key)
	}
	return d.err
}

// identifierOf is the first value of a namespace that lives in one shard of two.
func identifierOf(namespace string, id graph.ShardID) graph.Identifier {
	for i := 0; ; i++ {
		value := fmt.Sprint(i)
		if key := oracle.Key(namespace, value); key.Shard(2) == id {
			return graph.Identifier{Key: key, Namespace: namespace, Value: []byte(value)}
		}
	}
}

// duo is two shards whose messages to each other wait until they are delivered.
type duo struct {
	store  storage.Store
	rules  *graph.Rules
	enc    *row.Encoder
	open   *shard.OpenChannels // nil: all
	live   *audiences.Live     // nil: no audience serves
	shards [2]*shard.Shard
	wires  [2][]shard.Wire // to a shard
	events int
	err    error // the first
}

func (d *duo) start() error {
	shards, err := d.opened()
	d.shards = shards
	return err
}

func (d *duo) opened() (shards [2]*shard.Shard, err error) {
	for i := range shards {
		shards[i], err = shard.Open(shard.Config{
			ID: graph.ShardID(i), Shards: 2, Store: d.store, Rules: d.rules, Limits: shard.Limits{LogBytes: 1 << 20, ActorBytes: 1 << 20}, Host: shard.Plain{Rules: d.rules}, Channels: d.open, Live: d.live,
		})
		if err != nil {
			return shards, err
		}
	}
	return shards, nil
}

// event lets an event of identifiers, in descending rank, be taken.
func (d *duo) event(identifiers ...graph.Identifier) {
	d.events++
	e := &graph.Event{
		ID: fmt.Appendf(nil, "m%d", d.events), Source: []byte("web"), Seen: uint64(d.events), Type: graph.TypeTrack,
		Stamp: graph.Stamp{Time: simStart, Tie: uint64(d.events)}, Identifiers: identifiers,
	}
	d.step(e.Route().Shard(2), shard.Input{Event: e, Body: d.enc.Event(nil, e, true), Outcome: new(shard.Outcome)})
}

// deliver lets a shard take the next messages of the other one.
func (d *duo) deliver(to graph.ShardID, n int) {
	if d.err == nil && len(d.wires[to]) < n {
		d.err = fmt.Errorf("%d messages wait for shard %d, want %d", len(d.wires[to]), to, n)
	}
	for ; d.err == nil && n > 0; n-- {
		d.step(to, d.next(to))
	}
}

// next is the next message for a shard.
func (d *duo) next(to graph.ShardID) shard.Input {
	w := d.wires[to][0]
	d.wires[to] = d.wires[to][1:]
	return shard.Input{From: 1 - to, Seq: w.Seq, Body: w.Body}
}

func (d *duo) step(id graph.ShardID, inputs ...shard.Input) {
	if d.err != nil {
		return
	}
	s := d.shards[id]
	if _, d.err = s.Step(inputs, simStart); d.err != nil {
		return
	}
	if d.err = d.store.Commit(s.Batch()); d.err != nil {
		return
	}
	posts := s.Committed(simStart)
	for _, post := range posts {
		d.wires[post.To] = append(d.wires[post.To], post.Messages...)
		if post.HasAck {
			for _, more := range d.shards[post.To].Acked(id, post.Acked, simStart) {
				d.wires[more.To] = append(d.wires[more.To], more.Messages...)
			}
		}
	}
}

// found checks that a look-up of a node finds its evidence or waits for it, now and after a crash.
func (d *duo) found(key graph.NodeKey) {
	again, err := d.opened()
	if d.err == nil {
		d.err = err
	}
	for _, shards := range [][2]*shard.Shard{d.shards, again} {
		at, here, moving := key, false, false
		for d.err == nil && !here && !moving {
			sight, err := shards[at.Shard(2)].Read(at, func(c *graph.Component) {
				here = slices.ContainsFunc(c.Evidence().Members, func(m graph.Member) bool { return m.Key == key && m.Here })
			})
			switch {
			case err != nil:
				d.err = err
			case sight.Parent.IsZero() && !here:
				d.err = fmt.Errorf("a look-up of %s ends at %s, which does not have its evidence", key, at)
			}
			at, moving = sight.Parent, sight.Moving
		}
	}
}

func (d *duo) parent(key graph.NodeKey) graph.NodeKey {
	if d.err != nil {
		return graph.NodeKey{}
	}
	sight, err := d.shards[key.Shard(2)].Read(key, nil)
	d.err = err
	return sight.Parent
}
