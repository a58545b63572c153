package extsort

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type pair struct{ key, line string }

func sortAll(t interface {
	Fatal(args ...any)
	Errorf(format string, args ...any)
}, dir string, memory int, pairs []pair,
) []string {
	s := newSorter(dir, memory)
	for _, p := range pairs {
		if err := s.Add([]byte(p.key), []byte(p.line)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for pass := range 2 { // the second time everything is in files
		got = nil
		if err := s.Each(func(line []byte) error {
			got = append(got, string(line))
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) != len(pairs) {
			t.Errorf("pass %d: %d lines of %d", pass, len(got), len(pairs))
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return got
}

// E1, with stability.
func TestSortsAsSliceDoes(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 400).Draw(t, "lines")
		memory := rapid.IntRange(1, 4000).Draw(t, "memory")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		var pairs []pair
		for i := range n {
			key := make([]byte, r.IntN(4))
			for j := range key {
				key[j] = "\x00ab\xff"[r.IntN(4)]
			}
			pairs = append(pairs, pair{string(key), fmt.Sprint(i, string(bytes.Repeat([]byte{'x'}, r.IntN(60))))})
		}
		want := slices.Clone(pairs)
		slices.SortStableFunc(want, func(a, b pair) int { return cmp.Compare(a.key, b.key) })
		got := sortAll(t, dir, memory, pairs)
		for i := range min(len(got), len(want)) {
			if got[i] != want[i].line {
				t.Fatalf("line %d is %q, want %q", i, got[i], want[i].line)
			}
		}
	})
	wantEmpty(t, dir)
}

// E3.
func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// More runs than are merged at once.
func TestMergesInPasses(t *testing.T) {
	const n = maxFan*maxFan + 100
	var pairs []pair
	for i := range n {
		pairs = append(pairs, pair{fmt.Sprintf("%06d", (i*7919)%n), fmt.Sprintf("%06d", (i*7919)%n)})
	}
	if got := sortAll(t, t.TempDir(), 1, pairs); !slices.IsSorted(got) {
		t.Error("not sorted")
	}
}

// E2: the sorter's memory stays within its limit.
func TestMemory(t *testing.T) {
	const memory = 100 << 10
	s := New(t.TempDir(), memory)
	defer s.Close()
	for i := range 20_000 {
		if err := s.Add(fmt.Append(nil, i*7919%20_000), bytes.Repeat([]byte{'l'}, i%200)); err != nil {
			t.Fatal(err)
		}
		if len(s.buf)+len(s.items)*entrySize > memory || cap(s.buf) > memory {
			t.Fatalf("%d bytes and %d items after %d lines", cap(s.buf), len(s.items), i)
		}
	}
	if len(s.runs) < 20 {
		t.Errorf("%d runs", len(s.runs))
	}
}

func TestErrors(t *testing.T) {
	wrong := errors.New("wrong")
	for _, memory := range []int{1, 1 << 20} { // in files, in memory
		dir := t.TempDir()
		s := newSorter(dir, memory)
		for i := range 10 {
			if err := s.Add([]byte{byte(i)}, nil); err != nil {
				t.Fatal(err)
			}
		}
		calls := 0
		if err := s.Each(func([]byte) error { calls++; return wrong }); !errors.Is(err, wrong) || calls != 1 {
			t.Errorf("%v after %d calls", err, calls)
		}
		if memory == 1 {
			for _, run := range s.runs {
				if err := os.Truncate(run, 2); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Each(func([]byte) error { return nil }); err == nil {
				t.Error("files are cut, and no error")
			}
		}
		if err := errors.Join(s.Close(), s.Close()); err != nil {
			t.Error(err)
		}
		wantEmpty(t, dir)
	}
	s := newSorter("/nowhere/at/all", 1)
	var err error
	for range 3 {
		err = errors.Join(err, s.Add(nil, []byte("x")))
	}
	if err == nil {
		t.Error("no directory for the files, and no error")
	}
}
