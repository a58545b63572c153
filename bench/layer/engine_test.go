package layer

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// forgetful is a store that keeps nothing, so that a layer on it costs what the actors cost. Nothing is ever read back: all
// nodes of a benchmark fit into memory.
type forgetful struct{}

func (forgetful) Get(dst, _ []byte) ([]byte, error)                          { return dst, storage.ErrNotFound }
func (forgetful) Iterate(_, _ []byte, _ func(key, value []byte) error) error { return nil }
func (forgetful) Commit(...*storage.Batch) error                             { return nil }
func (forgetful) Snapshot() (storage.Snapshot, error)                        { return nil, errors.ErrUnsupported }
func (forgetful) Backup(string) error                                        { return nil }
func (forgetful) Sync() error                                                { return nil }
func (forgetful) Failed() <-chan struct{}                                    { return nil }
func (forgetful) Err() error                                                 { return nil }
func (forgetful) Close() error                                               { return nil }

// openEngine starts an engine, and ends it with the benchmark.
func openEngine(b *testing.B, shards int, store storage.Store) *actors.Engine {
	b.Helper()
	memory, err := storage.SplitMemory(1 << 30)
	if err != nil {
		b.Fatal(err)
	}
	engine, err := actors.Open(b.Context(), actors.Config{
		Store: store, Deployment: row.Deployment{Shards: shards}, Rules: graph.DefaultRules(), Memory: memory,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := engine.Close(context.Background()); err != nil {
			b.Error(err)
		}
	})
	return engine
}

const (
	perLoad  = 64 // people
	inFlight = 8  // loads
)

// A load is a delivery of people who are each seen on a device, seen as a customer, and then log in on the device: a union
// each. Its memory is used again once it is answered (L1).
type load struct {
	delivery actors.Delivery
	events   [3 * perLoad]*graph.Event
}

func newLoad() *load {
	l := new(load)
	for i := range perLoad {
		l.events[3*i], l.events[3*i+1], l.events[3*i+2] = seen(0, cookie(i)), seen(0, customer(i)), login(0, i)
	}
	return l
}

// fill makes the load about people, of whom the first has the given number.
func (l *load) fill(first int) {
	l.delivery.Reset()
	for i, e := range l.events {
		person, message := first+i/3, 3*first+i
		number(e.ID, message)
		e.Seen = key(graph.ClassCookie, message).Lo
		e.Stamp.Time, e.Stamp.Tie = 1_700_000_000_000+int64(message), uint64(message)
		for k := range e.Identifiers {
			id := &e.Identifiers[k]
			id.Key = key(id.Key.Class(), person)
			number(id.Value, person)
		}
		l.delivery.Add(e)
	}
}

// number writes the last eight digits of a text.
func number(text []byte, n int) {
	for i := range 8 {
		text[len(text)-1-i] = byte('0' + n%10)
		n /= 10
	}
}

// unions takes loads into an engine, several at once, and waits until all messages between shards have arrived.
func unions(b *testing.B, shards int, store storage.Store) {
	engine := openEngine(b, shards, store)
	free := make(chan *load, inFlight)
	answers := make(map[*load]func(error))
	for range inFlight {
		l := newLoad()
		answers[l] = func(err error) {
			if err != nil {
				b.Error(err)
			}
			free <- l
		}
		free <- l
	}
	people := 0
	w := startWatch(b)
	for b.Loop() {
		l := <-free
		l.fill(people)
		people += perLoad
		if err := engine.Submit(b.Context(), &l.delivery, answers[l]); err != nil {
			b.Fatal(err)
		}
	}
	if err := engine.Settle(b.Context()); err != nil {
		b.Fatal(err)
	}
	w.stop()
	stats, err := engine.Stats(b.Context())
	if err != nil || stats.Identities != int64(people) || stats.Merges() != int64(people) {
		b.Fatalf("%d identities and %d merges of %d people: %v", stats.Identities, stats.Merges(), people, err)
	}
}

// openStore makes a data directory on disk.
func openStore(b *testing.B) *storage.Pebble {
	b.Helper()
	store, _, err := row.Open(storage.Options{Dir: filepath.Join(b.TempDir(), "data")}, row.Deployment{Shards: 64})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := store.Close(); err != nil {
			b.Error(err)
		}
	})
	return store
}

// durable is unions on disk: a load is answered when it is durable, and loads that come meanwhile share the next sync.
func durable(b *testing.B) { unions(b, 64, openStore(b)) }

// callers is how many requests are under way at once.
const callers = 4

// requests is unions on disk as clients of HTTP bring them: each of a few callers hands over its next load once look-ups find all
// of the last one. So steps and commits are small, and what each costs counts.
func requests(b *testing.B) {
	counted := &countedStore{Store: openStore(b)}
	engine := openEngine(b, 64, counted)
	turns := make(chan int)
	var done sync.WaitGroup
	for range callers {
		done.Go(func() {
			l, answers := newLoad(), make(chan error, 1)
			answer := func(err error) { answers <- err }
			for first := range turns {
				l.fill(first)
				err := engine.Submit(b.Context(), &l.delivery, answer)
				if err == nil {
					err = <-answers
				}
				if err == nil {
					err = engine.Visible(b.Context())
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	people := 0
	w := startWatch(b)
	for b.Loop() {
		turns <- people
		people += perLoad
	}
	close(turns)
	done.Wait()
	w.stop()
	b.ReportMetric(float64(counted.commits.Load())/float64(b.N), "commits/op")
	b.ReportMetric(float64(counted.batches.Load())/float64(b.N), "steps/op")
}

// countedStore counts commits, and the steps of shards in them.
type countedStore struct {
	storage.Store
	commits, batches atomic.Int64
}

func (s *countedStore) Commit(batches ...*storage.Batch) error {
	s.commits.Add(1)
	s.batches.Add(int64(len(batches)))
	return s.Store.Commit(batches...)
}

// commit writes the batches of four shards: a record of 20 KiB and 20 rows of 500 bytes each.
func commit(b *testing.B) {
	store := openStore(b)
	const sets, shards, rows = 64, 4, 20
	random := rand.NewChaCha8([32]byte{1})
	bytes := func(n int) []byte {
		p := make([]byte, n)
		_, _ = random.Read(p) // never fails
		return p
	}
	var batches [sets][]*storage.Batch
	for set := range sets {
		for shard := range shards {
			batch := new(storage.Batch)
			k := binary.BigEndian.AppendUint16([]byte{storage.ShortLived}, uint16(shard))
			batch.Set(binary.BigEndian.AppendUint64(k, uint64(set)), bytes(20<<10))
			for range rows {
				batch.Set(append([]byte{storage.ShortLived + 1, 0, byte(shard)}, bytes(16)...), bytes(500))
			}
			batches[set] = append(batches[set], batch)
		}
	}
	n := 0
	w := startWatch(b)
	for b.Loop() {
		if err := store.Commit(batches[n%sets]...); err != nil {
			b.Fatal(err)
		}
		n++
	}
	w.stop()
}

// read looks up the profiles of resident people by their devices, one after the other: through a forward, in another shard
// than the root's, and the fold.
func read(b *testing.B) {
	const people = 16 * perLoad
	engine, ctx, l, answer := openEngine(b, 64, forgetful{}), b.Context(), newLoad(), make(chan error, 1)
	keys := make([]graph.NodeKey, people)
	for person := range people {
		keys[person] = cookie(person).Key
		if person%perLoad > 0 {
			continue
		}
		l.fill(person)
		if err := engine.Submit(ctx, &l.delivery, func(err error) { answer <- err }); err != nil {
			b.Fatal(err)
		}
		if err := <-answer; err != nil {
			b.Fatal(err)
		}
	}
	if err := engine.Settle(ctx); err != nil {
		b.Fatal(err)
	}
	n := 0
	w := startWatch(b)
	for b.Loop() {
		p, err := engine.Profile(ctx, keys[n%people])
		if err != nil || p.Events != 3 {
			b.Fatalf("%d events, want 3: %v", p.Events, err)
		}
		n++
	}
	w.stop()
}
