package bulk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// table is rows in memory, and counts its open snapshots.
type table struct {
	rows [][2][]byte
	mu   sync.Mutex // guards the following
	open int
}

func newTable(rows int) *table {
	t := &table{}
	for i := range rows {
		t.rows = append(t.rows, [2][]byte{fmt.Appendf(nil, "key-%06d", i), bytes.Repeat([]byte{byte(i)}, i%3000)})
	}
	return t
}

type snapshot struct{ of *table }

func (t *table) Open(_ context.Context, kind string, shard uint32) (Snapshot, error) {
	if kind != "copy" || shard != 7 {
		return nil, ErrAbsent
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open++
	return snapshot{t}, nil
}

func (s snapshot) Rows(after []byte, fn func(key, value []byte) error) error {
	for _, r := range s.of.rows {
		if bytes.Compare(r[0], after) <= 0 && len(after) > 0 {
			continue
		}
		if err := fn(r[0], r[1]); err != nil {
			return err
		}
	}
	return nil
}

func (s snapshot) Head() []byte { return []byte("head of 7") }

func (s snapshot) Close() error {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.open--
	return nil
}

func (t *table) opened() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// world is a server and a client over pipes, in a bubble of virtual time.
type world struct {
	table  *table
	server *Server
	client *Client
	cut    func(sent int) bool // ends a connection after so many bytes; or nil
}

func inWorld(t *testing.T, rows, bytesPerSecond int, test func(t *testing.T, w *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{table: newTable(rows)}
		w.server = NewServer(w.table, bytesPerSecond)
		w.client = &Client{HTTP: &http.Client{Transport: through(w)}}
		test(t, w)
		w.server.Close()
		if n := w.table.opened(); n != 0 {
			t.Errorf("%d snapshots are open", n)
		}
	})
}

// through answers requests in this process: a body that breaks is what the client sees of a connection that does.
type transport struct{ w *world }

func through(w *world) http.RoundTripper { return transport{w} }

func (tr transport) RoundTrip(r *http.Request) (*http.Response, error) {
	recorded := httptest.NewRecorder()
	func() {
		defer func() { _ = recover() }() // http.ErrAbortHandler
		tr.w.server.ServeHTTP(recorded, r)
	}()
	response := recorded.Result()
	if b := tr.w.cut; b != nil {
		body, _ := io.ReadAll(response.Body)
		for n := range body {
			if b(n) {
				response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:n]), broken{}))
				return response, nil
			}
		}
		response.Body = io.NopCloser(bytes.NewReader(body))
	}
	return response, nil
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, net.ErrClosed }

func (w *world) copy(ctx context.Context) ([][2][]byte, error) {
	var got [][2][]byte
	err := w.client.Copy(ctx, "https://n1", "copy", 7, func(k, v []byte) error {
		got = append(got, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
		return nil
	})
	return got, err
}

func same(a, b [][2][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i][0], b[i][0]) || !bytes.Equal(a[i][1], b[i][1]) {
			return false
		}
	}
	return true
}

// A copy has every row once, in order, however often the connection breaks, and the snapshot is closed afterwards.
func TestCopy(t *testing.T) {
	for _, each := range []int{0, 700_000, 100_000} {
		inWorld(t, 1000, 0, func(t *testing.T, w *world) {
			if each > 0 {
				w.cut = func(sent int) bool { return sent == each }
			}
			if got, err := w.copy(t.Context()); err != nil || !same(got, w.table.rows) {
				t.Errorf("breaks after %d: %d rows, %v", each, len(got), err)
			}
			if n := w.table.opened(); n != 0 {
				t.Errorf("%d snapshots are open", n)
			}
		})
	}
}

// U1: a connection that brings no row ends the copy with an error, and so does a function that fails.
func TestCopyEnds(t *testing.T) {
	inWorld(t, 10, 0, func(t *testing.T, w *world) {
		failure := errors.New("disk full")
		if err := w.client.Copy(t.Context(), "https://n1", "copy", 7, func(k, v []byte) error { return failure }); !errors.Is(err, failure) {
			t.Errorf("the caller fails: %v", err)
		}
		if err := w.client.Copy(t.Context(), "https://n1", "copy", 8, nil); !errors.Is(err, ErrAbsent) {
			t.Errorf("another shard: %v", err)
		}
		w.cut = func(sent int) bool { return sent == 50 } // a session's name and head have less
		if _, err := w.copy(t.Context()); err != nil && !errors.Is(err, ErrBroken) {
			t.Errorf("%v", err)
		}
		w.cut = func(sent int) bool { return sent == 3 }
		if _, err := w.copy(t.Context()); !errors.Is(err, ErrBroken) {
			t.Errorf("nothing gets through: %v", err)
		}
	})
}

// U2: snapshots are bounded, and close when nobody asks.
func TestSnapshotsAreBounded(t *testing.T) {
	inWorld(t, 10, 0, func(t *testing.T, w *world) {
		for range snapshotsMost {
			if r, err := w.client.Open(t.Context(), "https://n1", "copy", 7); err != nil || string(r.Head) != "head of 7" {
				t.Fatal(r, err)
			}
		}
		if _, err := w.copy(t.Context()); !errors.Is(err, ErrBusy) {
			t.Errorf("one more: %v", err)
		}
		time.Sleep(snapshotIdle + time.Second)
		if n := w.table.opened(); n != 0 {
			t.Errorf("%d snapshots are open", n)
		}
		if _, err := w.client.rows(t.Context(), "https://n1/bulk/rows/of/x", nil, nil); !errors.Is(err, ErrGone) {
			t.Errorf("a snapshot that is gone: %v", err)
		}
		if _, err := w.copy(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// U3: all streams together keep below the rate, in virtual time.
func TestRate(t *testing.T) {
	inWorld(t, 1000, 1<<20, func(t *testing.T, w *world) {
		total := 0
		for _, r := range w.table.rows {
			total += len(r[0]) + len(r[1])
		}
		begun := time.Now()
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				if _, err := w.copy(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if least := time.Duration(3*total-chunk) * time.Second / (1 << 20); time.Since(begun) < least {
			t.Errorf("%d bytes in %v, want %v", 3*total, time.Since(begun), least)
		}
	})
}
