package shard_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// offer is an input from outside that the feeder sends until it is answered.
type offer struct {
	event     *graph.Event
	assertion *graph.Assertion
	recheck   *graph.Message
	to        graph.ShardID
	poison    bool
	body      []byte
	handed    bool // and not answered since
	answered  bool
}

// feeder sends offers in random order: each at least once, again when a crash came before the answer,
// and now and then for no reason.
type feeder struct {
	offers []*offer
	queue  []*offer
	// known are the events that were answered: taken, durable, for ever. The next one of the same
	// message id must be found to be a duplicate.
	known  map[uint64]bool
	events map[uint64]bool        // distinct ones that are to be taken
	routes map[graph.NodeKey]bool // theirs
	taken  []graph.Event          // all of them
}

// simInput is an input of a shard. An input from outside has an offer, and memory of its own that
// is overwritten once it was answered.
type simInput struct {
	shard.Input
	to      graph.ShardID
	offer   *offer
	record  *simRecord // of an external channel
	outcome *shard.Outcome
	scratch [][]byte
}

// add takes the offers of an act.
func (f *feeder) add(s *simulation, a act, poison bool) {
	if f.events == nil {
		f.events, f.routes = map[uint64]bool{}, map[graph.NodeKey]bool{}
	}
	start := len(f.offers)
	for i := range a.events {
		e := &a.events[i]
		if f.events[e.Seen] && s.p.streamed == 100 {
			continue // a message id comes once, where ids are not remembered
		}
		f.events[e.Seen], f.routes[e.Route()] = true, true
		if s.p.signals+s.p.audiences > 0 {
			s.signals.properties(e)
		}
		if s.p.audiences > 0 {
			e.Received = min(e.Received, simReceived)
		}
		f.taken = append(f.taken, *e)
		for _, id := range slices.Concat(e.Identifiers, e.Mentions) {
			s.names[id.Key] = graph.NodeName{Key: id.Key, Namespace: id.Namespace, Value: string(id.Value)}
		}
		o := &offer{event: e, to: e.Route().Shard(s.p.shards), body: s.enc.Event(nil, e, true)}
		if s.percent(s.p.streamed) {
			s.publish(o)
			continue
		}
		f.offers = append(f.offers, o)
	}
	for i := range a.assertions {
		x := &a.assertions[i]
		for _, n := range []graph.NodeName{x.A, x.B} {
			if !n.Key.IsZero() {
				s.names[n.Key] = n
			}
		}
		m := graph.Message{Kind: graph.KindAssert, To: x.A.Key, Assertion: x}
		f.offers = append(f.offers, &offer{assertion: x, to: x.A.Key.Shard(s.p.shards), body: s.enc.Message(nil, &m)})
	}
	if poison {
		for i := range s.p.poison {
			o := poisoned(s, i)
			if s.percent(s.p.streamed) {
				s.publish(o)
				continue
			}
			f.offers = append(f.offers, o)
		}
	}
	f.queue = append([]*offer(nil), f.offers[start:]...)
	for _, o := range f.offers[start:] {
		if s.percent(15) {
			f.queue = append(f.queue, o)
		}
	}
	s.rng.Shuffle(len(f.queue), func(i, j int) { f.queue[i], f.queue[j] = f.queue[j], f.queue[i] })
}

// poisoned is an event whose handler fails, before its node is touched or in the middle of it.
func poisoned(s *simulation, i int) *offer {
	e := &graph.Event{ID: fmt.Appendf(nil, "poison%d", i), Source: []byte("poison"), Seen: 0xbad0 + uint64(i), Type: graph.TypeTrack}
	o := &offer{event: e, poison: true, body: []byte("poison"), to: graph.ShardID(s.rng.IntN(s.p.shards))}
	if s.percent(50) {
		e.Type = graph.EventType(graph.EventTypes) // no fragment has a count of it
		key := graph.MakeNodeKey(graph.ClassCookie, s.rng.Uint64(), s.rng.Uint64())
		e.Identifiers = []graph.Identifier{{Key: key, Namespace: "anonymous_id", Value: e.ID}}
		o.to = key.Shard(s.p.shards)
	}
	return o
}

// done reports whether everything was answered.
func (f *feeder) done() bool {
	if len(f.queue) > 0 {
		return false
	}
	for _, o := range f.offers {
		if !o.answered {
			return false
		}
	}
	return true
}

// next makes an input of the next offer.
func (f *feeder) next(s *simulation) (simInput, bool) {
	if len(f.queue) == 0 {
		return simInput{}, false
	}
	o := f.queue[0]
	f.queue = f.queue[1:]
	o.handed = true
	return o.input(s), true
}

// input makes an input of an offer, with memory of its own.
func (o *offer) input(s *simulation) simInput {
	in := simInput{offer: o, to: o.to, outcome: new(shard.Outcome)}
	in.Outcome = in.outcome
	in.Body = bytes.Clone(o.body)
	in.scratch = append(in.scratch, in.Body)
	switch {
	case o.assertion != nil:
		in.Message = &graph.Message{Kind: graph.KindAssert, To: o.assertion.A.Key, Assertion: o.assertion}
	case o.recheck != nil:
		in.Message = o.recheck
	case o.poison:
		in.Event = o.event
	default:
		own := bytes.Clone(o.body)
		e, err := row.NewDecoder().Event(own)
		s.must(err, "read an event")
		in.Event = e
		in.Body = s.signals.mark(s, e, in.Body)
		in.scratch = append(in.scratch, own, in.Body)
	}
	return in
}

// crashed sends again what was not answered, and some of the rest.
func (f *feeder) crashed(rng *rand.Rand) {
	for _, o := range f.offers {
		if o.handed || o.recheck == nil && rng.IntN(10) == 0 {
			f.queue = append(f.queue, o)
		}
		o.handed = false
	}
	rng.Shuffle(len(f.queue), func(i, j int) { f.queue[i], f.queue[j] = f.queue[j], f.queue[i] })
}

// all queues what was never answered; with again, everything else once more, assertions now and then.
func (f *feeder) all(s *simulation, again bool) {
	queued := map[*offer]bool{}
	for _, o := range f.queue {
		queued[o] = true
	}
	for _, o := range f.offers {
		if queued[o] || o.recheck != nil && o.answered {
			continue
		}
		if !o.answered && !o.handed || again && o.recheck == nil && (o.assertion == nil || s.percent(30)) {
			f.queue = append(f.queue, o)
		}
	}
	s.rng.Shuffle(len(f.queue), func(i, j int) { f.queue[i], f.queue[j] = f.queue[j], f.queue[i] })
}

// answer takes outcomes to the feeder, and overwrites what shards may keep no more.
func (s *simulation) answer(batch []simInput, inputs []shard.Input) {
	f := &s.feeder
	for i := range batch {
		in := &batch[i]
		o := in.offer
		if o == nil {
			if inputs[i].Poison() != nil {
				s.failf("message %d of shard %d to %d was set aside: %v", in.Seq, in.From, in.to, inputs[i].Poison())
			}
			continue
		}
		if *in.outcome == shard.Elsewhere {
			s.refused(in)
			overwrite(in.scratch)
			continue
		}
		if in.record != nil {
			s.streamed(in)
		}
		switch outcome := *in.outcome; {
		case outcome == shard.OutOfTurn:
			if in.record == nil {
				s.failf("an input that is of no channel was out of turn")
			}
		case o.poison != (outcome == shard.Quarantined):
			s.failf("outcome %d of an input, poison: %t, set aside for %v", outcome, o.poison, inputs[i].Poison())
		case outcome == shard.Quarantined:
			s.met.quarantined++
		case outcome == shard.Pending:
			s.failf("an input was not decided")
		case o.assertion != nil || o.recheck != nil:
		case outcome == shard.Accepted && f.known[o.event.Seen]:
			s.failf("event %q was answered before, and is taken again", o.event.ID)
		default:
			if outcome == shard.Duplicate {
				s.met.duplicates++
			}
			f.known[o.event.Seen] = true
		}
		if o.event != nil && !o.poison && *in.outcome != shard.OutOfTurn {
			s.await(o.event)
		}
		o.answered, o.handed = true, false
		overwrite(in.scratch)
	}
}

func overwrite(memory [][]byte) {
	for _, b := range memory {
		for j := range b {
			b[j] = 0xee
		}
	}
}
