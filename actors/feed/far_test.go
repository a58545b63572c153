package feed

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/mutant"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// caravan is some processes, each with a feed and a store of its own, between which shards move. It knows what follows from what, and
// goes on between any two things that a reader learns. A process that has lost a shard may still answer for it, with what it has.
type caravan struct {
	mu     sync.Mutex // guards the following
	err    error      // the first of a store
	rng    *rand.Rand
	feeds  []*Feed
	shards []caravanShard
	still  bool // nothing happens any more
	late   int  // answers of a process that was not the owner any more
	void   int  // batches that never counted
}

// caravanShard is a shard wherever it is.
type caravanShard struct {
	id       graph.ShardID
	owner    int
	believes []bool // by process: it answers for the shard
	observer *observer
	record   uint64
	number   uint64   // of the last durable entry
	seen     []uint64 // by shard: the last entry that the durable state follows from
	causes   [][]uint64
	// The batch on its way.
	batch   *storage.Batch
	entries int
	sees    []uint64
}

func newCaravan(rng *rand.Rand, processes, shards int) *caravan {
	c := &caravan{rng: rng}
	for range processes {
		c.feeds = append(c.feeds, &Feed{
			order: new(Clock), store: storage.NewMemStore(), others: c, ends: make([]atomic.Uint64, shards), promises: make([]atomic.Uint64, shards),
			observers: make([]*observer, shards), told: toldRules{inForce: &graph.Rules{}}, due: make([]atomic.Pointer[row.FeedTrim], shards),
			trims: make([]row.FeedTrim, shards), settings: Settings{Age: DefaultAge, Bytes: DefaultBytes},
		})
	}
	for id := range shards {
		s := caravanShard{id: graph.ShardID(id), owner: rng.IntN(processes), believes: make([]bool, processes), seen: make([]uint64, shards)}
		s.believes[s.owner] = true
		s.observer = c.feeds[s.owner].Observer(s.id).(*observer)
		c.shards = append(c.shards, s)
	}
	return c
}

// some lets a few things happen. REQUIRES: c.mu held
func (c *caravan) some() {
	for n := c.rng.IntN(6); n > 0 && !c.still; n-- {
		s := &c.shards[c.rng.IntN(len(c.shards))]
		switch c.rng.IntN(8) {
		case 0:
			c.move(s)
		case 1, 2, 3:
			c.commit(s)
		default:
			c.step(s)
		}
	}
}

// step lets a shard take a message of another one, or an event, and tell something or not.
func (c *caravan) step(s *caravanShard) {
	if s.batch != nil {
		return
	}
	s.sees = slices.Clone(s.seen)
	if from := &c.shards[c.rng.IntN(len(c.shards))]; c.rng.IntN(3) > 0 {
		c.feeds[s.owner].order.Raise(c.feeds[from.owner].promises[from.id].Load()) // the envelope has no lower one
		for i, number := range from.seen {
			s.sees[i] = max(s.sees[i], number)
		}
	}
	s.batch, s.entries = &storage.Batch{}, 0
	if c.rng.IntN(2) == 0 {
		s.entries = 1 + c.rng.IntN(3)
	}
	entry := graph.FeedEntry{Kind: graph.FeedErased, ID: oracle.Key("user_id", "1")}
	s.observer.Close(&shard.Closing{Record: s.record + 1, Batch: s.batch, Memberships: slices.Repeat([]graph.FeedEntry{entry}, s.entries)})
}

// commit makes the batch of a shard durable.
func (c *caravan) commit(s *caravanShard) {
	if s.batch == nil {
		return
	}
	c.must(c.feeds[s.owner].store.Commit(s.batch))
	s.record++
	for range s.entries {
		s.causes = append(s.causes, s.sees)
	}
	s.number += uint64(s.entries)
	s.seen = s.sees
	s.seen[s.id] = s.number
	s.batch = nil
	s.observer.Committed()
}

// move gives a shard to another process, in good order or not. The one before may go on believing that it has it.
func (c *caravan) move(s *caravanShard) {
	to := c.rng.IntN(len(c.feeds))
	if to == s.owner {
		return
	}
	if c.rng.IntN(2) == 0 {
		c.commit(s)
	} else if s.batch != nil {
		s.batch = nil
		c.void++
	}
	var rows storage.Batch
	for _, r := range row.ShardRanges(s.id) {
		rows.DeleteRange(r.Lower, r.Upper)
		c.must(c.feeds[s.owner].store.Iterate(r.Lower, r.Upper, func(key, value []byte) error { rows.Set(key, value); return nil }))
	}
	c.must(c.feeds[to].store.Commit(&rows))
	s.believes[s.owner] = c.rng.IntN(2) == 0
	s.owner, s.believes[to] = to, true
	s.observer = c.feeds[to].Observer(s.id).(*observer)
	c.must(s.observer.Recover(&shard.Recovery{Record: s.record}))
}

func (c *caravan) must(err error) { c.err = cmp.Or(c.err, err) }

// Ends implements Others.
func (c *caravan) Ends(_ context.Context, raise uint64) (ends []End, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range c.rng.Perm(len(c.shards)) {
		c.some()
		s := &c.shards[i]
		for p, f := range c.feeds {
			if p == s.owner {
				f.order.Raise(raise)
				if f.EndOf(s.id).Order < raise {
					c.commit(s)
					var b storage.Batch
					s.observer.Tidy(&b)
					c.must(f.store.Commit(&b))
					s.observer.Committed()
				}
			}
			if e := f.EndOf(s.id); s.believes[p] && e.Order >= raise {
				ends = append(ends, e)
			}
		}
		if c.rng.IntN(2) == 0 {
			for p := range s.believes {
				s.believes[p] = p == s.owner
			}
		}
	}
	c.rng.Shuffle(len(ends), func(i, j int) { ends[i], ends[j] = ends[j], ends[i] })
	return ends, c.err
}

// Blocks implements Others.
func (c *caravan) Blocks(_ context.Context, id graph.ShardID, after uint64) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.some()
	s := &c.shards[id]
	at := s.owner
	if p := c.rng.IntN(len(c.feeds)); !c.still && s.believes[p] && p != s.owner {
		at = p
		c.late++
	}
	return c.feeds[at].AppendBlocks(nil, id, after)
}

// journey lets a caravan go on while a reader reads, and fails with what went wrong.
func journey(ctx context.Context, seed uint64, met *caravanCounts) error {
	rng := rand.New(rand.NewPCG(seed, 71))
	c := newCaravan(rng, 2+rng.IntN(3), 1+rng.IntN(6))
	read := make([]uint64, len(c.shards))
	r := newReader(c.feeds[rng.IntN(len(c.feeds))], make(place, len(c.shards)))
	look := func() (int, error) {
		events, err := r.TryNext(ctx)
		if err != nil {
			return 0, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, e := range events {
			if read[e.Shard]++; e.Number != read[e.Shard] {
				return 0, fmt.Errorf("entry %d of shard %d comes in the place of %d", e.Number, e.Shard, read[e.Shard])
			}
			for of, number := range c.shards[e.Shard].causes[e.Number-1] {
				if of != int(e.Shard) && number > read[of] {
					return 0, fmt.Errorf("entry %d of shard %d comes before entry %d of shard %d, which it follows from", e.Number, e.Shard, number, of)
				}
			}
		}
		return len(events), nil
	}
	for range 60 {
		if c.mu.Lock(); rng.IntN(8) == 0 { // the reader falls behind
			for range rng.IntN(60) {
				c.some()
			}
		}
		c.mu.Unlock()
		if _, err := look(); err != nil {
			return err
		}
		if c.mu.Lock(); rng.IntN(10) == 0 { // another reader goes on
			r = newReader(c.feeds[rng.IntN(len(c.feeds))], slices.Clone(r.place))
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	for i := range c.shards {
		c.commit(&c.shards[i])
	}
	c.still = true
	c.mu.Unlock()
	for {
		n, err := look()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	for i := range c.shards {
		if read[i] != c.shards[i].number {
			return fmt.Errorf("%d of %d entries of shard %d were read", read[i], c.shards[i].number, i)
		}
		met.entries += int(read[i])
	}
	met.late += c.late
	met.void += c.void
	return nil
}

// caravanCounts are what happened on journeys.
type caravanCounts struct{ entries, late, void int }

// TestFarReader: a reader of shards that move between processes, while what processes say is late and what they write is void now and
// then, gets every entry once, in the order of its shard, and nothing before what it follows from.
func TestFarReader(t *testing.T) {
	var met caravanCounts
	for _, seed := range journeySeeds(t) {
		synctest.Test(t, func(t *testing.T) {
			if err := journey(t.Context(), seed, &met); err != nil {
				t.Fatalf("again: KINDRED_SEED=%d go test ./actors/feed -run TestFarReader: %v", seed, err)
			}
		})
	}
	t.Logf("%d entries, %d answers of processes that had lost the shard, %d void batches", met.entries, met.late, met.void)
	if met.entries == 0 || met.late == 0 || met.void == 0 {
		t.Error("what this is about did not happen")
	}
}

// journeySeeds are those of a test: some, and a fresh one, or that of KINDRED_SEED.
func journeySeeds(t *testing.T) []uint64 {
	t.Helper()
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{seed}
	}
	seeds, fixed := []uint64{rand.Uint64()}, uint64(300)
	if testing.Short() {
		fixed = 60
	}
	for seed := range fixed {
		seeds = append(seeds, seed)
	}
	return seeds
}

// TestMutants breaks each rule of internal/testkit/mutant/feed.txt until a journey or a trade notices. It runs itself again, once, in a build with
// mutated sources.
func TestMutants(t *testing.T) {
	mutant.Hunt(t, mutant.Feed(), 4_000, func(name string) mutant.Prey {
		return mutant.Prey{Schedule: func(seed uint64) (err error) {
			synctest.Test(t, func(t *testing.T) {
				if strings.HasPrefix(name, "receiver-") {
					err = trade(t.Context(), seed, &tradeCounts{})
				} else {
					err = journey(t.Context(), seed, &caravanCounts{})
				}
			})
			return err
		}}
	})
}
