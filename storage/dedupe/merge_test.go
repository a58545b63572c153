package dedupe

import (
	"math/bits"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kindred-id/kindred/storage"
)

// mergeTest adds hashes 0, 1, ... to a memory of duplicates, and lets it crash.
type mergeTest struct {
	*testing.T
	store          *storage.MemStore
	limits         Limits
	seen           *Memory
	added, durable int
	now            int64
}

// flush adds hashes, and flushes. A crash takes place before or after the commit; what it loses is added again.
func (m *mergeTest) flush(more int, crash, lost bool) {
	m.Helper()
	for range more {
		m.seen.Add(hashOf(m.added), m.now)
		m.added++
	}
	var b storage.Batch
	if err := m.seen.Flush(&b); err != nil {
		m.Fatal(err)
	}
	if !lost {
		if err := m.store.Commit(&b); err != nil {
			m.Fatal(err)
		}
		m.durable = m.added
	}
	if crash {
		m.store = m.store.Reopen()
		m.seen = New(m.store, 2, m.limits)
		for i := m.durable; i < m.added; i++ {
			m.seen.Add(hashOf(i), m.now)
		}
	}
}

func (m *mergeTest) check(i int) {
	m.Helper()
	if has, err := m.seen.Has(hashOf(i)); err != nil || has != (i < m.added) {
		m.Fatalf("hash %d of %d: %v, %v", i, m.added, has, err)
	}
}

// runRows counts the rows of runs in the store.
func (m *mergeTest) runRows() (rows int) {
	m.Helper()
	if err := m.seen.iterate(runRow, func(rowKey, []byte) error { rows++; return nil }); err != nil {
		m.Fatal(err)
	}
	return rows
}

// However many hashes come, few runs are left. Crashes, at any point of a merge, lose nothing that was flushed, and leave no
// block that is not a part of a run.
func TestMerges(t *testing.T) {
	const flushes, each = 600, 200
	seeds := uint64(6)
	if testing.Short() {
		seeds = 3
	}
	for seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 1))
		generations := int(seed%3) + 1
		m := &mergeTest{T: t, store: storage.NewMemStore(), now: 1}
		m.limits = Limits{Bytes: 8 << 10, Horizon: generationsPerHorizon * time.Hour}
		m.seen = New(m.store, 2, m.limits)
		most := 0
		for i := range flushes {
			m.now = int64(i*generations/flushes) * time.Hour.Milliseconds()
			crash := r.IntN(10+int(seed)*20) == 0
			m.flush(each, crash, crash && r.IntN(2) == 0)
			for range 5 {
				m.check(r.IntN(m.added))
			}
			m.check(m.added + r.IntN(1000))
			most = max(most, len(m.seen.runs))
		}
		for m.flush(0, false, false); m.seen.merging != nil; m.flush(0, false, false) {
		}
		// As many as wait to be merged, and of those that were one of each size.
		want := generations * (mergeLeast - 1 + bits.Len(flushes/mergeLeast))
		if n := len(m.seen.runs); n > want {
			t.Errorf("seed %d: %d runs are left of %d flushes, want at most %d", seed, n, flushes, want)
		}
		if most > flushes/8 {
			t.Errorf("seed %d: there were %d runs at a time after %d flushes", seed, most, flushes)
		}
		blocks := 0
		for _, run := range m.seen.runs {
			blocks += len(run.fences)
		}
		if rows := m.runRows(); rows != blocks {
			t.Errorf("seed %d: %d blocks are in the store, and %d are of runs", seed, rows, blocks)
		}
		for _, again := range []bool{false, true} {
			if again {
				m.seen = New(m.store, 2, m.limits)
			}
			for i := range m.added + 1000 {
				m.check(i)
			}
		}
		var b storage.Batch
		if err := m.seen.Expire(1<<50, &b); err != nil {
			t.Fatal(err)
		}
		if err := m.store.Commit(&b); err != nil {
			t.Fatal(err)
		}
		if m.seen.Bytes() != 0 || m.runRows() != 0 {
			t.Errorf("seed %d: %d bytes and %d rows are left after everything expired", seed, m.seen.Bytes(), m.runRows())
		}
	}
}

// A merge of what expires is given up.
func TestExpiresDuringMerge(t *testing.T) {
	m := &mergeTest{T: t, store: storage.NewMemStore(), now: 1, limits: Limits{Bytes: 1, Horizon: generationsPerHorizon * time.Hour}}
	m.seen = New(m.store, 2, m.limits)
	for m.seen.merging == nil {
		m.flush(20*runBlock, false, false)
	}
	var b storage.Batch
	if err := m.seen.Expire(1<<50, &b); err != nil {
		t.Fatal(err)
	}
	if err := m.store.Commit(&b); err != nil {
		t.Fatal(err)
	}
	m.now = 1 << 50
	m.flush(10, false, false)
	m.flush(0, false, false)
	if rows := m.runRows(); rows != 1 || len(m.seen.runs) != 1 || m.seen.merging != nil {
		t.Errorf("%d rows of %d runs are left, want those of one", rows, len(m.seen.runs))
	}
}
