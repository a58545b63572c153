package feed

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// meddling is a store in which a commit is made in the middle of a reader's look at the shards.
type meddling struct {
	storage.Store
	commit func()
}

func (m *meddling) Iterate(lower, upper []byte, fn func(key, value []byte) error) error {
	err := m.Store.Iterate(lower, upper, fn)
	if m.commit != nil {
		commit := m.commit
		m.commit = nil
		commit()
	}
	return err
}

// writeBlock writes a block whose first entry has a number.
func writeBlock(t *testing.T, store storage.Store, f *Feed, id graph.ShardID, order, first uint64, ids ...graph.NodeKey) {
	t.Helper()
	b := row.FeedBlock{Order: order, First: first}
	for _, identity := range ids {
		b.Entries = append(b.Entries, graph.FeedEntry{Kind: graph.FeedErased, ID: identity})
	}
	last := first + uint64(len(ids)) - 1
	var batch storage.Batch
	row.NewEncoder().PutFeedBlock(&batch, id, &b)
	if err := store.Commit(&batch); err != nil {
		t.Fatal(err)
	}
	f.order.Raise(order)
	f.committed(id, &row.FeedState{Number: last, Order: order})
}

// TestReaderBehind: a reader that is behind, and catches up while the feed grows, gets every entry once and in the order of
// all shards; and it gets something whenever there is something.
func TestReaderBehind(t *testing.T) {
	const shards = 5
	id := oracle.Key("user_id", "1")
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 12))
		f := &Feed{order: new(Clock), ends: make([]atomic.Uint64, shards), promises: make([]atomic.Uint64, shards), store: storage.NewMemStore()}
		r := newReader(f, make(place, shards))
		written, read, last := 0, 0, uint64(0)
		look := func() int {
			events, err := r.TryNext(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Order < last || e.Number != r.before[e.Shard]+1 {
					t.Fatalf("seed %d: entry %d of shard %d, of order %d, comes after order %d", seed, e.Number, e.Shard, e.Order, last)
				}
				last, r.before[e.Shard] = e.Order, e.Number
			}
			if read += len(events); len(events) == 0 && read < written {
				t.Fatalf("seed %d: %d of %d entries were read, and there is nothing more", seed, read, written)
			}
			return len(events)
		}
		busy := rng.IntN(shards) // most is written here
		for order := range uint64(400) {
			shard := graph.ShardID(busy)
			if rng.IntN(3) == 0 {
				shard = graph.ShardID(rng.IntN(shards))
			}
			n := 1 + rng.IntN(10)
			writeBlock(t, f.store, f, shard, order+1, f.ends[shard].Load()+1, slices.Repeat([]graph.NodeKey{id}, n)...)
			if written += n; rng.IntN(20) == 0 {
				look()
			}
		}
		for look() > 0 {
		}
		if read != written {
			t.Fatalf("seed %d: %d entries of %d were read", seed, read, written)
		}
	}
}

// TestReaderKeepsCauses: a cause that is committed in one shard after the reader looked there, and
// its effect in the next, before it looks there, come in their order.
func TestReaderKeepsCauses(t *testing.T) {
	mem := storage.NewMemStore()
	f := &Feed{order: new(Clock), ends: make([]atomic.Uint64, 2), promises: make([]atomic.Uint64, 2)}
	write := func(id graph.ShardID, order, number uint64, identity graph.NodeKey) {
		writeBlock(t, mem, f, id, order, number, identity)
	}
	first, cause, effect := oracle.Key("user_id", "1"), oracle.Key("user_id", "2"), oracle.Key("user_id", "3")
	write(0, 1, 1, first)
	write(1, 2, 1, first)
	f.store = &meddling{mem, func() {
		write(0, 3, 2, cause)
		write(1, 4, 2, effect)
	}}
	r := newReader(f, make(place, 2))
	var got []graph.NodeKey
	for range 3 {
		events, err := r.TryNext(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			got = append(got, events[i].ID)
		}
	}
	if want := []graph.NodeKey{first, first, cause, effect}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}
