package cluster

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kindred-id/kindred/cluster/bulk"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

const copiedShard graph.ShardID = 3

// copyWorld is a shard that two nodes have, each up to some commit, and a third that is to get it, on a disk that forgets what was not
// synced.
type copyWorld struct {
	t       *testing.T
	rng     *rand.Rand
	commits []*storage.Batch
	sources []*copyHost
	fs      *vfs.MemFS
	store   *storage.Pebble
	client  *bulk.Client
	crash   context.CancelFunc // ends the process that copies
	crashes int
	changes int // of the source
}

// copyHost serves the copy of a node.
type copyHost struct {
	store  *storage.MemStore
	next   int64
	server *bulk.Server
}

// Open implements bulk.Source.
func (h *copyHost) Open(_ context.Context, kind string, id uint32) (bulk.Snapshot, error) {
	if kind != copyKind || graph.ShardID(id) != copiedShard {
		return nil, bulk.ErrAbsent
	}
	return openShard(h.store, copiedShard)
}

// follow applies commits up to one.
func (w *copyWorld) follow(s storage.Store, from, to int64) {
	w.t.Helper()
	for at := from; at < to; at++ {
		p := row.JournalPosition{Topic: [16]byte{9}, Next: at + 1, Claim: 0, Seq: uint64(at)}
		var b storage.Batch
		b.Append(w.commits[at])
		row.NewEncoder().PutJournalPosition(&b, copiedShard, &p)
		if err := s.Commit(&b); err != nil {
			w.t.Fatal(err)
		}
	}
}

// RoundTrip implements http.RoundTripper: connections break, sources commit and end meanwhile, and so does the process that copies.
func (w *copyWorld) RoundTrip(r *http.Request) (*http.Response, error) {
	host := w.sources[int(r.URL.Host[0]-'0')]
	if w.rng.IntN(10) == 0 {
		return nil, errors.New("no connection")
	}
	recorded := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // http.ErrAbortHandler
		host.server.ServeHTTP(recorded, r)
	}()
	response := recorded.Result()
	if to := host.next + int64(w.rng.IntN(4)); to < int64(len(w.commits)) {
		w.follow(host.store, host.next, to)
		host.next = to
	}
	if w.rng.IntN(2) == 0 {
		body, _ := io.ReadAll(response.Body)
		response.Body = io.NopCloser(bytes.NewReader(body[:w.rng.IntN(len(body)+1)]))
	}
	if w.rng.IntN(8) == 0 { // its process ends: its snapshots are gone
		w.changes++
		host.server.Close()
		host.server = bulk.NewServer(host, 0)
	}
	if w.rng.IntN(12) == 0 {
		w.crashes++
		w.crash()
	}
	return response, nil
}

func (w *copyWorld) open() {
	w.t.Helper()
	store, _, err := row.Open(storage.Options{Dir: "data", FS: w.fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20}, row.Deployment{
		Shards: 8, Secret: row.Secret{1}, Created: 1,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = store
}

// restart ends the process, whose disk forgets some of what was not synced, and starts it again.
func (w *copyWorld) restart() {
	w.t.Helper()
	w.fs = w.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: w.rng.IntN(101), RNG: w.rng})
	_ = w.store.Close() // of the files before the crash, which nobody reads again
	w.open()
}

// rowsOf are the rows of a shard.
func rowsOf(t *testing.T, s storage.Reader, id graph.ShardID) map[string]string {
	t.Helper()
	rows := map[string]string{}
	for _, r := range row.ShardRanges(id) {
		if err := s.Iterate(r.Lower, r.Upper, func(key, value []byte) error {
			rows[string(key)] = string(value)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// TestCopyShard: a copy that has followed the journal from its position on has the rows that the journal says, although connections
// break, sources end and go on to commit meanwhile, and the process that copies is killed, on the real store.
func TestCopyShard(t *testing.T) { synctest.Test(t, testCopyShard) }

func testCopyShard(t *testing.T) {
	crashes, changes, least := 0, 0, 0
	for seed := range uint64(40) {
		w := newCopyWorld(t, seed)
		at := w.copy()
		w.restart() // what the copier says is there is durable
		stored, err := row.ReadJournalPosition(w.store, copiedShard)
		if err != nil || journal.Position(stored) != at {
			t.Fatalf("seed %d: position %+v, %v, want %+v", seed, stored, err, at)
		}
		if at.Next < max(w.sources[0].next, w.sources[1].next) {
			least++
		}
		w.follow(w.store, at.Next, int64(len(w.commits)))
		whole := storage.NewMemStore()
		w.follow(whole, 0, int64(len(w.commits)))
		want, got := rowsOf(t, whole, copiedShard), rowsOf(t, w.store, copiedShard)
		if len(want) != len(got) {
			t.Errorf("seed %d: %d rows, want %d", seed, len(got), len(want))
		}
		for key, value := range want {
			if got[key] != value {
				t.Fatalf("seed %d: row % x is %x, want %x", seed, key, got[key], value)
			}
		}
		if err := w.store.Close(); err != nil {
			t.Fatal(err)
		}
		for _, h := range w.sources {
			h.server.Close()
		}
		crashes, changes = crashes+w.crashes, changes+w.changes
	}
	t.Logf("the process that copies ended %d times, a source %d times; %d copies have less than a source at the end", crashes, changes, least)
	if crashes == 0 || changes == 0 || least == 0 {
		t.Error("some of that was never met")
	}
}

func newCopyWorld(t *testing.T, seed uint64) *copyWorld {
	rng := rand.New(rand.NewPCG(seed, 0x63))
	w := &copyWorld{t: t, rng: rng, fs: vfs.NewCrashableMem()}
	for at := range 60 {
		var b storage.Batch
		for range 1 + rng.IntN(6) {
			key := row.AppendLogKey(nil, copiedShard, uint64(rng.IntN(200)))
			if rng.IntN(5) == 0 {
				b.Delete(key)
				continue
			}
			b.Set(key, append(binary.BigEndian.AppendUint64(nil, uint64(at)), make([]byte, rng.IntN(300))...))
		}
		w.commits = append(w.commits, &b)
	}
	for range 2 {
		h := &copyHost{store: storage.NewMemStore(), next: int64(20 + rng.IntN(20))}
		w.follow(h.store, 0, h.next)
		h.server = bulk.NewServer(h, 0)
		w.sources = append(w.sources, h)
	}
	w.open()
	var old storage.Batch // of a copy that was too old to follow on: none of it may stay
	old.Set(row.AppendLogKey(nil, copiedShard, 5000), []byte("old"))
	row.NewEncoder().PutJournalPosition(&old, copiedShard, &row.JournalPosition{Topic: [16]byte{9}, Next: 1, Claim: -1})
	if err := w.store.Commit(&old); err != nil {
		t.Fatal(err)
	}
	w.client = &bulk.Client{HTTP: &http.Client{Transport: w}}
	return w
}

// copy copies until it is done, however often the process is killed meanwhile.
func (w *copyWorld) copy() journal.Position {
	w.t.Helper()
	for tries := 0; ; tries++ {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
		w.crash = cancel
		c := copier{
			shard: copiedShard, store: w.store, topic: [16]byte{9}, client: w.client,
			sources: func() (all []copySource) {
				for _, i := range w.rng.Perm(len(w.sources)) {
					all = append(all, copySource{fmt.Sprintf("http://%d", i), w.t.Context()})
				}
				return all
			},
		}
		at, err := c.run(ctx)
		cancel()
		if err == nil {
			return at
		}
		if tries == 100 || !errors.Is(err, context.Canceled) {
			w.t.Fatal(err)
		}
		w.restart()
		if _, err := row.ReadJournalPosition(w.store, copiedShard); !errors.Is(err, storage.ErrNotFound) {
			w.t.Fatalf("a copy that is not whole has a position: %v", err)
		}
	}
}
