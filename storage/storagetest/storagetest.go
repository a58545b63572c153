// Package storagetest holds the tests that every storage.Store passes.
package storagetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

// Run tests the stores that open creates. Each call of open returns a new, empty store; reopen ends a store and opens
// it again with its committed rows. The test closes the last store it gets.
func Run(t *testing.T, open func(t *testing.T) (s storage.Store, reopen func(storage.Store) storage.Store)) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store
	}{
		{"get", testGet},
		{"order within a commit", testOrder},
		{"iterate", testIterate},
		{"iterate sees one moment", testMoment},
		{"snapshot", testSnapshot},
		{"commit copies", testCommitCopies},
		{"empty commit", testEmptyCommit},
		{"large rows", testLarge},
		{"survives", testSurvives},
		{"model", testModel},
		{"several writers", testWriters},
		{"backup", testBackup},
		{"closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, reopen := open(t)
			s = c.test(t, s, reopen)
			if err := s.Err(); err != nil {
				t.Errorf("the store failed: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("second close: %v", err)
			}
		})
	}
}

func set(pairs ...string) *storage.Batch {
	var b storage.Batch
	for i := 0; i < len(pairs); i += 2 {
		b.Set([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	return &b
}

func commit(t *testing.T, s storage.Store, batches ...*storage.Batch) {
	t.Helper()
	if err := s.Commit(batches...); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// dump lists the rows with lower <= key < upper.
func dump(t *testing.T, s storage.Reader, lower, upper string) []string {
	t.Helper()
	var rows []string
	if err := s.Iterate([]byte(lower), []byte(upper), func(key, value []byte) error {
		rows = append(rows, fmt.Sprintf("%s=%s", key, value))
		return nil
	}); err != nil {
		t.Fatalf("iterate: %v", err)
	}
	return rows
}

func want(t *testing.T, got []string, rows ...string) {
	t.Helper()
	if !slices.Equal(got, rows) {
		t.Fatalf("got %q, want %q", got, rows)
	}
}

func testGet(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("a", "1", "b", ""))
	got, err := s.Get([]byte("before "), []byte("a"))
	if err != nil || string(got) != "before 1" {
		t.Fatalf("get appends to dst: got %q, %v", got, err)
	}
	if got, err := s.Get(nil, []byte("b")); err != nil || len(got) != 0 {
		t.Fatalf("empty value: got %q, %v", got, err)
	}
	if got, err := s.Get([]byte("x"), []byte("c")); !errors.Is(err, storage.ErrNotFound) || string(got) != "x" {
		t.Fatalf("no row: got %q, %v", got, err)
	}
	return s
}

func testOrder(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	var b storage.Batch
	b.Set([]byte("a"), []byte("old"))
	b.Set([]byte("b"), []byte("old"))
	b.DeleteRange([]byte("a"), []byte("c"))
	b.Set([]byte("a"), []byte("new"))
	b.Delete([]byte("never there"))
	commit(t, s, &b, set("c", "second batch"), set("c", "third batch"))
	want(t, dump(t, s, "a", "z"), "a=new", "c=third batch")
	b.Reset()
	b.DeleteRange([]byte("a"), []byte("b"))
	commit(t, s, set("a", "gone at once", "b", "stays"), &b)
	want(t, dump(t, s, "a", "z"), "b=stays", "c=third batch")
	return s
}

func testIterate(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("b", "2", "a", "1", "d", "4", "c", "3"))
	want(t, dump(t, s, "b", "d"), "b=2", "c=3")
	want(t, dump(t, s, "aa", "zz"), "b=2", "c=3", "d=4")
	want(t, dump(t, s, "x", "z"))
	n := 0
	count := func(err error) func(_, _ []byte) error {
		return func(_, _ []byte) error { n++; return err }
	}
	if err := s.Iterate([]byte("a"), []byte("z"), count(storage.ErrStop)); err != nil || n != 1 {
		t.Fatalf("stop: %v after %d rows", err, n)
	}
	wrong := errors.New("wrong")
	if err := s.Iterate([]byte("a"), []byte("z"), count(wrong)); !errors.Is(err, wrong) || n != 2 {
		t.Fatalf("an error of the function: %v after %d rows", err, n-1)
	}
	return s
}

func testMoment(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("a", "1", "b", "1", "c", "1"))
	var got []string
	if err := s.Iterate([]byte("a"), []byte("z"), func(key, value []byte) error {
		if len(got) == 0 {
			commit(t, s, set("b", "2", "c2", "2"))
		}
		got = append(got, fmt.Sprintf("%s=%s", key, value))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want(t, got, "a=1", "b=1", "c=1")
	want(t, dump(t, s, "a", "z"), "a=1", "b=2", "c=1", "c2=2")
	return s
}

func testSnapshot(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("a", "1", "b", "1"))
	at, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	b.DeleteRange([]byte("a"), []byte("b"))
	commit(t, s, &b, set("b", "2", "c", "2"))
	later, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	want(t, dump(t, at, "a", "z"), "a=1", "b=1")
	want(t, dump(t, at, "b", "z"), "b=1")
	want(t, dump(t, later, "a", "z"), "b=2", "c=2")
	if got, err := at.Get([]byte("x"), []byte("b")); err != nil || string(got) != "x1" {
		t.Fatalf("get: %q, %v", got, err)
	}
	if _, err := at.Get(nil, []byte("c")); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("a row of later: %v", err)
	}
	n := 0
	if err := at.Iterate([]byte("a"), []byte("z"), func(_, _ []byte) error { n++; return storage.ErrStop }); err != nil || n != 1 {
		t.Fatalf("stop: %v after %d rows", err, n)
	}
	if err := errors.Join(at.Close(), at.Close(), later.Close()); err != nil {
		t.Fatalf("close: %v", err)
	}
	want(t, dump(t, s, "a", "z"), "b=2", "c=2")
	return reopen(s)
}

func testCommitCopies(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	b := set("a", "1111")
	commit(t, s, b)
	b.Reset()
	b.Set([]byte("x"), []byte("2222"))
	commit(t, s, b)
	want(t, dump(t, s, "a", "z"), "a=1111", "x=2222")
	return s
}

func testEmptyCommit(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	commit(t, s)
	commit(t, s, &storage.Batch{}, &storage.Batch{})
	commit(t, s, &storage.Batch{}, set("a", "1"), &storage.Batch{})
	want(t, dump(t, s, "a", "z"), "a=1")
	return s
}

func testLarge(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store {
	value := bytes.Repeat([]byte("0123456789abcdef"), 1<<17) // 2 MiB: more than a memtable of the tests
	for i := range 4 {
		var b storage.Batch
		b.Set([]byte{'k', byte(i)}, value[i:])
		commit(t, s, &b)
		b.Set([]byte{'k', byte(i)}, []byte("the batch is ours again"))
	}
	check := func() {
		for i := range 4 {
			got, err := s.Get(nil, []byte{'k', byte(i)})
			if err != nil || !bytes.Equal(got, value[i:]) {
				t.Fatalf("row %d: %d bytes, %v", i, len(got), err)
			}
		}
	}
	check()
	s = reopen(s)
	check()
	return s
}

func testSurvives(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("a", "1", "b", "1"))
	s = reopen(s)
	var b storage.Batch
	b.Delete([]byte("a"))
	commit(t, s, &b, set("c", "2"))
	s = reopen(s)
	want(t, dump(t, s, "a", "z"), "b=1", "c=2")
	return s
}

func testModel(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	model := map[string]string{}
	key := func() string { return fmt.Sprintf("k%02d", r.IntN(60)) }
	for step := range 300 {
		batches := make([]*storage.Batch, r.IntN(4))
		for i := range batches {
			batches[i] = new(storage.Batch)
			for range r.IntN(6) {
				switch k := key(); r.IntN(5) {
				case 0:
					batches[i].Delete([]byte(k))
					delete(model, k)
				case 1:
					if to := key(); k < to {
						batches[i].DeleteRange([]byte(k), []byte(to))
						for row := range model {
							if row >= k && row < to {
								delete(model, row)
							}
						}
					}
				default:
					v := fmt.Sprint(r.Uint64())
					batches[i].Set([]byte(k), []byte(v))
					model[k] = v
				}
			}
		}
		commit(t, s, batches...)
		if r.IntN(40) == 0 {
			s = reopen(s)
		}
		if step%10 == 9 {
			var rows []string
			for k, v := range model {
				rows = append(rows, k+"="+v)
			}
			slices.Sort(rows)
			want(t, dump(t, s, "a", "z"), rows...)
		}
	}
	return s
}

func testWriters(t *testing.T, s storage.Store, reopen func(storage.Store) storage.Store) storage.Store {
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 20 {
				if err := s.Commit(set(fmt.Sprintf("k%d-%02d", w, i), "1")); err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	writers.Wait()
	s = reopen(s)
	if n := len(dump(t, s, "a", "z")); n != 160 {
		t.Fatalf("%d rows, want 160", n)
	}
	return s
}

func testBackup(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	key := []byte("key")
	var b storage.Batch
	b.Set(key, []byte("here"))
	commit(t, s, &b)

	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "notes.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(occupied); !errors.Is(err, storage.ErrForeign) {
		t.Fatalf("backup to a directory that is not empty: %v", err)
	}

	dir := filepath.Join(t.TempDir(), "new", "backup")
	if err := s.Backup(dir); err != nil {
		t.Fatal(err)
	}
	b.Set(key, []byte("later"))
	commit(t, s, &b)

	copied, err := storage.Open(storage.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if got, err := copied.Get(nil, key); err != nil || string(got) != "here" {
		t.Fatalf("the backup has %q, %v", got, err)
	}
	return s
}

func testClosed(t *testing.T, s storage.Store, _ func(storage.Store) storage.Store) storage.Store {
	commit(t, s, set("a", "1"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(nil, []byte("a")); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("get: %v", err)
	}
	if err := s.Commit(set("a", "2")); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("commit: %v", err)
	}
	if err := s.Iterate([]byte("a"), []byte("z"), func(_, _ []byte) error { return nil }); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("iterate: %v", err)
	}
	if _, err := s.Snapshot(); !errors.Is(err, storage.ErrClosed) {
		t.Errorf("snapshot: %v", err)
	}
	select {
	case <-s.Failed():
		t.Error("closing a store must not fail it")
	default:
	}
	return s
}
