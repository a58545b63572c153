package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// market is a caravan whose processes delete of the feed, register receivers and drop them, and publish in turn. The rows of no shard
// have one log, which each process hears late; and whatever a process does with them, others do something in the middle.
type market struct {
	*caravan
	rows    storage.Store    // of no shard, after all changes
	changes []*storage.Batch // all, in order
	heard   []int            // by process: of changes
	busy    []bool           // by process: it is in the middle of something
	depth   int

	// The receiver that is published to takes what comes from the last process that has fenced the others.
	fence     uint64
	sellers   []seller
	published place // by shard: the entry that came last; 0 before the first

	met *tradeCounts
}

// seller is a process that publishes, or did.
type seller struct {
	receiver *Receiver
	fence    uint64
	at       place
}

// tradeCounts are what happened in trades.
type tradeCounts struct {
	trims, conflicts, registered, taken, fenced, late int
	deleted                                           uint64
}

const published = "kafka"

func newMarket(rng *rand.Rand, met *tradeCounts) *market {
	processes, shards := 2+rng.IntN(3), 1+rng.IntN(4)
	m := &market{
		caravan: newCaravan(rng, processes, shards), rows: storage.NewMemStore(), heard: make([]int, processes), busy: make([]bool, processes),
		sellers: make([]seller, processes), published: make(place, shards), met: met,
	}
	for p, f := range m.feeds {
		f.catalog = catalog.New(&interrupted{f.store, m, p}, &ledger{m, p, catalog.Local(m.rows)})
	}
	return m
}

// ledger is the log of the rows of no shard for one process. It implements catalog.Log.
type ledger struct {
	*market
	process int
	all     catalog.Log
}

// Commit implements catalog.Log.
func (l *ledger) Commit(ctx context.Context, b *storage.Batch, was catalog.Rows) error {
	l.others(l.process)
	err := l.all.Commit(ctx, b, was)
	if errors.Is(err, catalog.ErrConflict) {
		l.met.conflicts++
	}
	if err == nil || l.rng.IntN(2) == 0 { // or nothing would have changed when it decides again
		if err == nil {
			l.changes = append(l.changes, b)
		}
		l.hear(l.process, len(l.changes))
	}
	return err
}

// hear lets a process have the changes up to one.
func (m *market) hear(process, to int) {
	for ; m.heard[process] < to; m.heard[process]++ {
		m.must(m.feeds[process].store.Commit(m.changes[m.heard[process]]))
	}
}

// interrupted is the store of a process; before each read, others do something.
type interrupted struct {
	storage.Store
	m       *market
	process int
}

func (i *interrupted) Get(dst, key []byte) ([]byte, error) {
	i.m.others(i.process)
	return i.Store.Get(dst, key)
}

func (i *interrupted) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	i.m.others(i.process)
	return i.Store.Iterate(lower, upper, fn)
}

// others lets processes do something in the middle of what another one does.
func (m *market) others(process int) {
	if m.depth > 2 || m.rng.IntN(3) > 0 {
		return
	}
	was := m.busy[process]
	m.busy[process] = true
	m.something()
	m.busy[process] = was
}

// something happens.
func (m *market) something() {
	m.depth++
	defer func() { m.depth-- }()
	m.some()
	p := m.rng.IntN(len(m.feeds))
	m.hear(p, m.heard[p]+m.rng.IntN(len(m.changes)-m.heard[p]+1))
	if m.busy[p] || m.err != nil {
		return
	}
	m.busy[p] = true
	defer func() { m.busy[p] = false }()
	switch m.rng.IntN(9) {
	case 0, 1:
		m.trim(p)
	case 2, 3:
		m.tidy(&m.shards[m.rng.IntN(len(m.shards))])
	case 4:
		_, err := m.feeds[p].Receiver([]string{"crm", "ads"}[m.rng.IntN(2)])
		m.must(err)
		m.met.registered++
	case 5:
		if err := m.feeds[p].Drop([]string{"crm", "ads"}[m.rng.IntN(2)]); !errors.Is(err, ErrNoReceiver) {
			m.must(err)
		}
	case 6:
		m.take(p)
	case 7:
		m.sell(p)
	case 8:
		m.acknowledge(p)
	}
	m.check()
}

// trim decides what a process deletes. It may have lost the shard since it looked.
func (m *market) trim(p int) {
	_, err := m.feeds[p].Trim(context.Background(), DefaultAge.Milliseconds()+1, func(id graph.ShardID) bool { return m.shards[id].believes[p] })
	m.must(err)
	m.met.trims++
}

// tidy lets a shard delete what was decided in its process, at some time.
func (m *market) tidy(s *caravanShard) {
	if s.batch != nil {
		return
	}
	f := m.feeds[s.owner]
	before, err := row.ReadFeedTrim(f.store, s.id)
	m.must(err)
	var b storage.Batch
	s.observer.Tidy(&b)
	if m.rng.IntN(4) == 0 { // void
		m.move(s)
		return
	}
	m.must(f.store.Commit(&b))
	s.observer.Committed()
	after, err := row.ReadFeedTrim(f.store, s.id)
	m.must(err)
	m.met.deleted += after.Number - before.Number
}

// take makes it a process's turn to publish.
func (m *market) take(p int) {
	m.fence++
	m.sellers[p] = seller{fence: m.fence}
	receiver, err := m.feeds[p].Receiver(published)
	m.must(err)
	if err != nil {
		return
	}
	at, err := receiver.place()
	m.must(err)
	m.sellers[p].receiver, m.sellers[p].at = receiver, at
}

// sell publishes the next entries of a shard.
func (m *market) sell(p int) {
	s := &m.sellers[p]
	switch {
	case s.receiver == nil:
		return
	case s.fence != m.fence:
		m.met.fenced++
		return
	}
	shard := &m.shards[m.rng.IntN(len(m.shards))]
	got := taking{shard: shard.id, next: s.at[shard.id] + 1}
	blocks, err := m.feeds[shard.owner].AppendBlocks(nil, shard.id, s.at[shard.id])
	m.must(err)
	trimmed, err := readBlocks(blocks, got.take)
	if err == nil && trimmed > s.at[shard.id] {
		err = ErrTooLate
	}
	if err != nil {
		m.must(fmt.Errorf("process %d, whose turn it is to publish, after entry %d of shard %d: %w", p, s.at[shard.id], shard.id, err))
		return
	}
	for i := range got.blocks {
		first := got.blocks[i].First
		if last := m.published[shard.id]; last > 0 && first > last+1 {
			m.must(fmt.Errorf("entry %d of shard %d is published after entry %d", first, shard.id, last))
		}
		m.published[shard.id] = got.blocks[i].last()
	}
	s.at[shard.id] = got.next - 1
}

// acknowledge moves the position of the receiver to what a process has published, whether it is still its turn or not.
func (m *market) acknowledge(p int) {
	s := &m.sellers[p]
	if s.receiver == nil {
		return
	}
	if s.fence != m.fence {
		m.met.late++
	}
	err := s.receiver.Ack(s.at.String())
	if errors.Is(err, ErrTaken) {
		m.met.taken++
		*s = seller{}
		return
	}
	m.must(err)
}

// check looks for a receiver whose entries were deleted.
func (m *market) check() {
	m.must(row.ScanFeedSinks(m.rows, func(sink row.FeedSink) error {
		for id, acked := range sink.Numbers {
			trim, err := row.ReadFeedTrim(m.feeds[m.shards[id].owner].store, graph.ShardID(id))
			if err != nil {
				return err
			}
			if trim.Number > acked {
				return fmt.Errorf("shard %d has deleted up to entry %d, and receiver %s has acknowledged up to %d", id, trim.Number, sink.Name, acked)
			}
		}
		return nil
	}))
}

// trade lets a market go on for a while, and fails with what went wrong. In the end everything is published, and deleted.
func trade(ctx context.Context, seed uint64, met *tradeCounts) error {
	m := newMarket(rand.New(rand.NewPCG(seed, 72)), met)
	for range 120 {
		if m.something(); m.err != nil {
			return m.err
		}
	}
	for i := range m.shards {
		m.commit(&m.shards[i])
	}
	m.still, m.depth = true, 9
	for p := range m.feeds {
		m.hear(p, len(m.changes))
		for _, name := range []string{"crm", "ads"} {
			if err := m.feeds[p].Drop(name); !errors.Is(err, ErrNoReceiver) {
				m.must(err)
			}
		}
	}
	m.take(0)
	for range 10_000 {
		m.sell(0)
	}
	m.acknowledge(0)
	for p := range m.feeds {
		m.hear(p, len(m.changes))
	}
	for i := range m.shards {
		s := &m.shards[i]
		if s.believes = make([]bool, len(m.feeds)); m.sellers[0].at[i] != s.number {
			m.must(fmt.Errorf("%d of %d entries of shard %d are published", m.sellers[0].at[i], s.number, i))
		}
		s.believes[s.owner] = true
		_, err := m.feeds[s.owner].Trim(ctx, DefaultAge.Milliseconds()+1, func(id graph.ShardID) bool { return id == s.id })
		m.must(err)
		var b storage.Batch
		s.observer.Tidy(&b)
		m.must(m.feeds[s.owner].store.Commit(&b))
		s.observer.Committed()
		if trim, err := row.ReadFeedTrim(m.feeds[s.owner].store, s.id); err != nil || trim.Number != s.number {
			m.must(cmp.Or(err, fmt.Errorf("shard %d has deleted up to entry %d of %d, and every receiver has all", i, trim.Number, s.number)))
		}
	}
	m.check()
	return m.err
}

// TestReceiversOfMany: processes delete of the feed, and register receivers that others do not know yet, while shards move. Nothing is
// deleted that a receiver has not acknowledged; and of processes that publish in turn, each goes on without a gap, though the one
// before it acknowledges late.
func TestReceiversOfMany(t *testing.T) {
	var met tradeCounts
	for _, seed := range journeySeeds(t) {
		synctest.Test(t, func(t *testing.T) {
			if err := trade(t.Context(), seed, &met); err != nil {
				t.Fatalf("again: KINDRED_SEED=%d go test ./actors/feed -run TestReceiversOfMany: %v", seed, err)
			}
		})
	}
	t.Logf("%+v", met)
	if slices.Contains([]int{met.trims, met.conflicts, met.registered, met.taken, met.fenced, met.late, int(met.deleted)}, 0) {
		t.Error("what this is about did not happen")
	}
}
