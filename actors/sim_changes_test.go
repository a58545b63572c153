package actors

import (
	"math/rand/v2"
	"slices"

	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// simReader are two readers of the change feed, outside of the process: one that takes every entry once,
// and one that goes back to an older place now and then, as a reader does whose own state is older.
type simReader struct {
	careful, careless        replica.Replica
	reader                   *FeedReader // the careful one's, of the process that runs
	place, saved, carelessly feedCursor
	lastOrder                map[graph.NodeKey]uint64
}

// readFeed reads what is there, at any moment: that must hang together already.
func (s *simulation) readFeed() bool {
	if s.feed == nil {
		return false
	}
	r := &s.reader
	if r.place == nil {
		r.place, r.saved, r.carelessly = make(feedCursor, s.p.shards), make(feedCursor, s.p.shards), make(feedCursor, s.p.shards)
		r.lastOrder = map[graph.NodeKey]uint64{}
	}
	if r.reader == nil || r.reader.feed != s.feed {
		r.reader = newFeedReader(s.feed, slices.Clone(r.place))
	}
	before := slices.Clone(r.place)
	events, err := r.reader.TryNext()
	s.must(err, "read the feed")
	r.place = slices.Clone(r.reader.cursor)
	for _, e := range events {
		if before[e.Shard]++; e.Number != before[e.Shard] {
			s.failf("feed of shard %d: entry %d came in the place of %d", e.Shard, e.Number, before[e.Shard])
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
		r.saved = slices.Clone(r.carelessly)
	}
	return true
}

func (s *simulation) nextOfFeed(place *feedCursor) []FeedEvent {
	r := newFeedReader(s.feed, *place)
	events, err := r.TryNext()
	s.must(err, "read the feed")
	*place = r.cursor
	return events
}

// crashed sends the careless reader back.
func (r *simReader) crashed(rng *rand.Rand) {
	if r.saved != nil && rng.IntN(2) == 0 {
		r.carelessly = slices.Clone(r.saved)
	}
}

// checkFeed compares what readers know, when nothing is under way, with what an export would have.
func (s *simulation) checkFeed(want []graph.Profile) {
	if s.feed == nil {
		return
	}
	for more := true; more; {
		before, other := slices.Clone(s.reader.place), slices.Clone(s.reader.carelessly)
		s.readFeed()
		more = !slices.Equal(before, s.reader.place) || !slices.Equal(other, s.reader.carelessly)
	}
	var fresh replica.Replica
	whole := newFeedReader(s.feed, make(feedCursor, s.p.shards))
	for more := true; more; {
		events, err := whole.TryNext()
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

// turn is the beginning of an act: under other rules, or with a feed from now on. What is under way is
// finished under the rules before, as the engine does when it is opened.
func (s *simulation) turn(a *act) {
	if a.rules == nil && !a.feed {
		return
	}
	s.crash()
	if a.rules != nil {
		s.drain(func() {}, func() bool { return true }, func() bool { return false })
		s.flushAll()
		s.rules, s.turned = a.rules, true
	}
	s.p.feed = s.p.feed || a.feed
	s.restart()
}

// recheck lets everything be judged again, as the engine does after such a turn.
func (s *simulation) recheck(a *act) {
	if a.rules == nil && !a.feed {
		return
	}
	f := &s.feeder
	for _, key := range s.keys() {
		sight, err := s.shardOf(key).View(key, func(*graph.Component) {})
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
	if s.feed == nil || !s.feed.sweeping.Load() {
		return
	}
	for _, sh := range s.shards {
		sh.feed.sweeping = false
	}
	s.must(s.feed.endSweep(s.rules), "end the sweep of the feed")
}
