package catalog

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// logs are those that the contract holds for.
var logs = map[string]func(storage.Store) Log{
	"local": func(s storage.Store) Log { return &local{store: s} },
}

// channelKey is the key of the row of an external channel: some key that a catalog may write.
func channelKey(id row.ChannelID) []byte { return binary.BigEndian.AppendUint16([]byte{8}, uint16(id)) }

func set(key []byte, value string) *storage.Batch {
	var b storage.Batch
	b.Set(key, []byte(value))
	return &b
}

// TestLog is the contract of every Log.
func TestLog(t *testing.T) {
	for name, open := range logs {
		t.Run(name+"/compares and sets", func(t *testing.T) { testCompareAndSet(t, open) })
		t.Run(name+"/order", func(t *testing.T) { testOrder(t, open) })
		t.Run(name+"/fails closed", func(t *testing.T) { testFailsClosed(t, open) })
	}
}

// testCompareAndSet: a batch is written, whole, if the rows are as they were, and else nothing of it is.
func testCompareAndSet(t *testing.T, open func(storage.Store) Log) {
	ctx := context.Background()
	a, b := channelKey(1), channelKey(2)
	for _, c := range []struct {
		name     string
		was      Rows
		conflict bool
	}{
		{"no expectation", nil, false},
		{"as they were", Rows{string(a): []byte("1"), string(b): nil}, false},
		{"another value", Rows{string(a): []byte("2")}, true},
		{"an empty value", Rows{string(a): {}}, true},
		{"a row that is there", Rows{string(a): nil}, true},
		{"a row that is absent", Rows{string(b): []byte("1")}, true},
		{"an empty row that is absent", Rows{string(b): {}}, true},
		{"one of two", Rows{string(a): []byte("1"), string(b): []byte("1")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := storage.NewMemStore()
			if err := store.Commit(set(a, "1")); err != nil {
				t.Fatal(err)
			}
			next := set(a, "next")
			next.Set(b, []byte("next"))
			err := open(store).Commit(ctx, next, c.was)
			if errors.Is(err, ErrConflict) != c.conflict || !c.conflict && err != nil {
				t.Fatalf("commit: %v", err)
			}
			want := map[bool]string{false: "next", true: "1"}[c.conflict]
			if got, err := store.Get(nil, a); string(got) != want || err != nil {
				t.Errorf("the row is %q (%v), want %q", got, err, want)
			}
			if _, err := store.Get(nil, b); errors.Is(err, storage.ErrNotFound) != c.conflict {
				t.Errorf("the other row: %v", err)
			}
		})
	}
	store := storage.NewMemStore()
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := open(store).Commit(ended, set(a, "1"), nil); !errors.Is(err, context.Canceled) || store.Commits() != 0 {
		t.Errorf("with a context that has ended: %v, %d commits", err, store.Commits())
	}
}

// testOrder: of changes that read what others write, each rests on the one before it.
func testOrder(t *testing.T, open func(storage.Store) Log) {
	const writers, each = 4, 50
	store := storage.NewMemStore()
	c, key := New(store, open(store)), channelKey(1)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for range each {
				var found uint64
				err := c.Change(context.Background(), func(change *Change) error {
					value, err := change.Get(nil, key)
					if err != nil && !errors.Is(err, storage.ErrNotFound) {
						return err
					}
					if found = 0; len(value) > 0 {
						found = binary.BigEndian.Uint64(value)
					}
					change.Batch().Set(key, binary.BigEndian.AppendUint64(nil, found+1))
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				now, err := store.Get(nil, key)
				if err != nil || binary.BigEndian.Uint64(now) <= found {
					t.Errorf("%x (%v) after a change of %d", now, err, found)
				}
			}
		})
	}
	group.Wait()
	if now, err := store.Get(nil, key); err != nil || binary.BigEndian.Uint64(now) != writers*each {
		t.Errorf("%x (%v) after %d changes", now, err, writers*each)
	}
}

// testFailsClosed: after an error of the store nothing is written, and every change says so.
func testFailsClosed(t *testing.T, open func(storage.Store) Log) {
	for _, fate := range []storage.CommitFate{storage.CommitLost, storage.CommitUnseen} {
		store := storage.NewMemStore()
		store.Fate = func(n int) storage.CommitFate {
			if n == 2 {
				return fate
			}
			return storage.CommitWell
		}
		c := New(store, open(store))
		write := func(id row.ChannelID) error {
			return c.Change(context.Background(), func(change *Change) error {
				change.Batch().Set(channelKey(id), []byte{1})
				return nil
			})
		}
		if err := write(1); err != nil {
			t.Fatal(err)
		}
		for id := row.ChannelID(2); id < 5; id++ {
			if err := write(id); !errors.Is(err, storage.ErrUnknownOutcome) {
				t.Errorf("change %d: %v", id, err)
			}
		}
		again := store.Reopen()
		for id := row.ChannelID(1); id < 5; id++ {
			_, err := again.Get(nil, channelKey(id))
			if there := err == nil; there != (id == 1 || id == 2 && fate == storage.CommitUnseen) {
				t.Errorf("fate %d: change %d is there: %t", fate, id, there)
			}
		}
	}
}

// TestDurable: what a change has said is done is there after a crash that forgets all that was not synced.
func TestDurable(t *testing.T) {
	fs := vfs.NewCrashableMem()
	options := storage.Options{Dir: "data", FS: fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20}
	store, _, err := row.Open(options, row.Deployment{Shards: 1, Secret: row.Secret{1}})
	if err != nil {
		t.Fatal(err)
	}
	c := New(store, nil)
	for n := row.ChannelID(1); n <= 20; n++ {
		err := c.Change(context.Background(), func(change *Change) error {
			(&row.Channel{Name: fmt.Sprint(n)}).Put(change.Batch(), n)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		options.FS = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0, RNG: rand.New(rand.NewPCG(uint64(n), 0))})
		crashed, _, err := row.Open(options, row.Deployment{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := row.ReadChannel(crashed, n); err != nil || got.Name != fmt.Sprint(n) {
			t.Errorf("channel %d after a crash: %+v, %v", n, got, err)
		}
		if err := crashed.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestRefuses: a change writes rows of no shard, as many as it may.
func TestRefuses(t *testing.T) {
	store := storage.NewMemStore()
	c := New(store, nil)
	for name, add := range map[string]func(b *storage.Batch){
		"a row of a shard":           func(b *storage.Batch) { (&row.FeedTrim{}).Put(b, 3) },
		"a row of a shard to delete": func(b *storage.Batch) { b.Delete(row.AppendLogKey(nil, 1, 1)) },
		"a range":                    func(b *storage.Batch) { b.DeleteRange(channelKey(1), channelKey(2)) },
		"marks":                      func(b *storage.Batch) { row.DeleteFeedMarks(b, 1) },
		"no row at all":              func(b *storage.Batch) { b.Set([]byte{0x77}, nil) },
		"a row beside others": func(b *storage.Batch) {
			(&row.Channel{Name: "a"}).Put(b, 1)
			row.NewEncoder().PutFeedMark(b, 1, graph.NodeKey{}, 1)
		},
		"too much": func(b *storage.Batch) { b.Set(channelKey(1), make([]byte, maxBytes)) },
	} {
		err := c.Change(context.Background(), func(change *Change) error {
			add(change.Batch())
			return nil
		})
		if err == nil || store.Commits() > 0 {
			t.Errorf("%s: taken (%v)", name, err)
		}
	}
	problem := errors.New("no")
	if err := c.Change(context.Background(), func(*Change) error { return problem }); !errors.Is(err, problem) {
		t.Errorf("error of the decision: %v", err)
	}
	if err := c.Change(context.Background(), func(*Change) error { return nil }); err != nil || store.Commits() > 0 {
		t.Errorf("nothing to write: %v, %d commits", err, store.Commits())
	}
}

// contrary is a log that another process writes to before every change.
type contrary struct{ asked int }

func (l *contrary) Commit(context.Context, *storage.Batch, Rows) error {
	l.asked++
	return ErrConflict
}

// TestGivesUp: a change that meets another one every time ends with an error.
func TestGivesUp(t *testing.T) {
	log := &contrary{}
	decided := 0
	err := New(storage.NewMemStore(), log).Change(context.Background(), func(change *Change) error {
		decided++
		change.Batch().Delete(channelKey(1))
		return nil
	})
	if !errors.Is(err, ErrConflict) || decided != maxTries || log.asked != maxTries {
		t.Errorf("%v after %d decisions and %d commits, want %d", err, decided, log.asked, maxTries)
	}
}
