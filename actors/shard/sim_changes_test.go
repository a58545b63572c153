package shard_test

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// simReader are two readers of the change feed, outside of the process: one that takes every entry once,
// and one that goes back to an older place now and then, as a reader does whose own state is older.
type simReader struct {
	careful, careless        replica.Replica
	of                       *feed.Feed   // that reader reads
	reader                   *feed.Reader // the careful one's, of the process that runs
	place, saved, carelessly string       // cursors
	numbers                  []uint64     // by shard: of the last entry that the careful one took
	lastOrder                map[graph.NodeKey]uint64
}

// readFeed reads what is there, at any moment: that must hang together already.
func (s *simulation) readFeed() bool {
	if s.feed == nil {
		return false
	}
	r := &s.reader
	if r.numbers == nil {
		r.place, r.saved, r.carelessly = feed.Start, feed.Start, feed.Start
		r.numbers = make([]uint64, s.p.shards)
		r.lastOrder = map[graph.NodeKey]uint64{}
	}
	if r.of != s.feed {
		r.of, r.reader = s.feed, s.readerOfFeed(r.place)
	}
	events, err := r.reader.TryNext(context.Background())
	s.must(err, "read the feed")
	r.place = r.reader.Cursor()
	for _, e := range events {
		if r.numbers[e.Shard]++; e.Number != r.numbers[e.Shard] {
			s.failf("feed of shard %d: entry %d came in the place of %d", e.Shard, e.Number, r.numbers[e.Shard])
		}
		if err := r.careful.Check(&e.FeedEntry); err != nil {
			s.failf("feed of shard %d, entry %d: %v", e.Shard, e.Number, err)
		}
		s.met.told++
		switch e.Kind {
		case graph.FeedMerged:
			s.met.toldMerged++
		case graph.FeedSplit:
			s.met.toldSplit++
		}
		if s.logf != nil {
			s.logf("feed %d/%d order %d: %s %s %v %+v", e.Shard, e.Number, e.Order, e.Kind, e.ID, e.Others, e.Delta)
		}
		if e.Kind != graph.FeedGeneric { // which tells of an identifier, wherever it was seen, and not of the identity that it heads
			if last := r.lastOrder[e.ID]; e.Order < last {
				s.failf("feed of shard %d, entry %d: order %d of %s comes after %d", e.Shard, e.Number, e.Order, e.ID, last)
			}
			r.lastOrder[e.ID] = e.Order
		}
		r.careful.Apply(&e.FeedEntry)
	}
	for _, e := range s.nextOfFeed(&r.carelessly) {
		r.careless.Apply(&e.FeedEntry)
	}
	if s.percent(20) {
		r.saved = r.carelessly
	}
	return true
}

func (s *simulation) nextOfFeed(place *string) []feed.Event {
	r := s.readerOfFeed(*place)
	events, err := r.TryNext(context.Background())
	s.must(err, "read the feed")
	*place = r.Cursor()
	return events
}

func (s *simulation) readerOfFeed(place string) *feed.Reader {
	r, err := s.feed.Reader(context.Background(), place)
	s.must(err, "open the feed")
	return r
}

// crashed sends the careless reader back.
func (r *simReader) crashed(rng *rand.Rand) {
	if r.numbers != nil && rng.IntN(2) == 0 {
		r.carelessly = r.saved
	}
}

// checkFeed compares what readers know, when nothing is under way, with what an export would have.
func (s *simulation) checkFeed(want []graph.Profile) {
	if s.feed == nil {
		return
	}
	for more := true; more; {
		before, other := s.reader.place, s.reader.carelessly
		s.readFeed()
		more = before != s.reader.place || other != s.reader.carelessly
	}
	var fresh replica.Replica
	whole := s.readerOfFeed(feed.Start)
	for more := true; more; {
		events, err := whole.TryNext(context.Background())
		s.must(err, "read the feed")
		for i := range events {
			fresh.Apply(&events[i].FeedEntry)
		}
		more = len(events) > 0
	}
	exported := make([]graph.Profile, len(want))
	for i := range want {
		exported[i] = replica.Exported(&want[i])
	}
	s.compare("a replay of the feed", oracle.Dump(exported), fresh.Profiles())
	s.compare("what a reader of the feed knows", oracle.Dump(exported), s.reader.careful.Profiles())
	s.compare("what a reader of the feed that went back knows", oracle.Dump(exported), s.reader.careless.Profiles())
}

// turn is the beginning of an act: under other rules, or with a feed from now on. Work under way is
// finished under the rules before, as the engine does when it is opened.
func (s *simulation) turn(a *act) {
	if a.rules == nil && !a.feed {
		return
	}
	s.crash()
	s.p.feed = s.p.feed || a.feed
	if a.rules == nil {
		s.restart()
		return
	}
	s.turned = true
	s.judgeBy(a.rules)
}

// recheck lets everything be judged again, as the engine does after such a turn.
func (s *simulation) recheck(a *act) {
	if a.rules == nil && !a.feed {
		return
	}
	f := &s.feeder
	for _, key := range s.keys() {
		sight, err := s.shardOf(key).Read(key, func(*graph.Component) {})
		s.must(err, "view a node")
		if !sight.Found || !sight.Parent.IsZero() {
			continue
		}
		m := &graph.Message{Kind: graph.KindRecheck, To: key}
		o := &offer{recheck: m, to: key.Shard(s.p.shards), body: s.enc.Message(nil, m)}
		f.offers, f.queue = append(f.offers, o), append(f.queue, o)
	}
	s.rng.Shuffle(len(f.queue), func(i, j int) { f.queue[i], f.queue[j] = f.queue[j], f.queue[i] })
}

// endSweep is what the engine does once everything was rechecked, and nothing is under way.
func (s *simulation) endSweep() {
	if !s.feed.Sweeping() {
		return
	}
	for _, sh := range s.shards {
		s.feed.Swept(sh.id)
	}
	s.must(s.feed.EndSweep(context.Background()), "end the sweep of the feed")
	if s.percent(50) {
		return // the process dies here, or a shard leaves: marks stay
	}
	s.ask((*simShard).here, shard.Input{Tidy: true})
	s.drain(func() {}, func() bool { return true }, func() bool { return false })
	for key := range s.names {
		if version, err := s.dec.GetFeedMark(s.store, key.Shard(s.p.shards), key); !errors.Is(err, storage.ErrNotFound) {
			s.failf("the sweep is over, and the mark %x of node %s is left (%v)", version, key, err)
		}
	}
}
