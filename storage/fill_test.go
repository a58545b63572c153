package storage_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/kindred-id/kindred/storage"
)

// A directory that Fill makes has the rows. One whose Fill was cut short, at any point, is refused by Open, with the remedy, and so is
// one with anything in it by Fill.
func TestFill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "copy")
	fill := func(s storage.Store) error {
		var b storage.Batch
		b.Set([]byte{5}, []byte("row"))
		return s.Commit(&b)
	}
	if err := storage.Fill(storage.Options{Dir: dir}, fill); err != nil {
		t.Fatal(err)
	}
	p, err := storage.Open(storage.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if value, err := p.Get(nil, []byte{5}); err != nil || string(value) != "row" {
		t.Errorf("the row is %q, %v", value, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := storage.Fill(storage.Options{Dir: dir}, fill); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("a second copy to the same directory: %v", err)
	}
}

func TestFillFails(t *testing.T) {
	dir, failure := filepath.Join(t.TempDir(), "copy"), errors.New("the source is gone")
	err := storage.Fill(storage.Options{Dir: dir}, func(storage.Store) error {
		// A process that dies here leaves this.
		if err := os.CopyFS(dir+"-cut", os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		for _, create := range []bool{false, true} {
			_, err := storage.Open(storage.Options{Dir: dir + "-cut", Create: create})
			var known *storage.Error
			if !errors.Is(err, storage.ErrForeign) || !errors.As(err, &known) || known.Remedy == "" {
				t.Errorf("a copy that was cut short, create %v: %v", create, err)
			}
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("fill fails with %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
	if err := storage.Fill(storage.Options{Dir: dir + "-cut"}, func(storage.Store) error { return nil }); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("a copy to what was cut short: %v", err)
	}
}
