package storage_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

// Operations that traveled as bytes have the effect that they had.
func TestBatchOf(t *testing.T) {
	var b storage.Batch
	b.Set([]byte("a"), []byte("1"))
	b.Set([]byte("b"), nil)
	b.Set([]byte("c"), make([]byte, 1000))
	b.DeleteRange([]byte("a"), []byte("b"))
	b.Delete([]byte("c"))
	ops, n := b.Ops()
	again, err := storage.BatchOf(ops, n)
	if err != nil {
		t.Fatal(err)
	}
	list := func(b *storage.Batch) (s string) {
		for key, upper := range b.Keys() {
			s += fmt.Sprintf("%s-%s ", key, upper)
		}
		return s
	}
	if got, want := list(again), "a- b- c- a-b c- "; got != want || list(&b) != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s := storage.NewMemStore()
	if err := s.Commit(again); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Get(nil, []byte("b")); err != nil || len(got) != 0 {
		t.Errorf("got %q, %v", got, err)
	}

	var empty storage.Batch
	if ops, n := empty.Ops(); ops != nil || n != 0 {
		t.Errorf("an empty batch has %d operations", n)
	}
	for name, bad := range map[string]struct {
		ops []byte
		n   uint32
	}{
		"one too few":      {ops, n - 1},
		"one too many":     {ops, n + 1},
		"cut":              {ops[:len(ops)-1], n},
		"bytes without":    {ops, 0},
		"none":             {nil, 1},
		"bytes at the end": {append(append([]byte{}, ops...), 0), n},
		"merge":            {[]byte{2, 1, 'a', 1, 'b'}, 1}, // Pebble's kind for it
		"log data":         {[]byte{3, 1, 'a'}, 1},
		"single deletion":  {[]byte{7, 1, 'a'}, 1},
		"range key":        {[]byte{19, 1, 'a', 1, 'b'}, 1},
		"ingested table":   {[]byte{22, 1, 'a'}, 1},
		"empty range":      {[]byte{15, 1, 'b', 1, 'a'}, 1},
	} {
		if _, err := storage.BatchOf(bad.ops, bad.n); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
