package row

import (
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/storage"
)

func openOptions(fs vfs.FS) storage.Options {
	return storage.Options{Dir: "data", FS: fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20}
}

func TestOtherShardCount(t *testing.T) {
	fs := vfs.NewMem()
	s, _, err := Open(openOptions(fs), Deployment{Shards: 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(openOptions(fs), Deployment{Shards: 5}); !errors.Is(err, storage.ErrMismatch) || !strings.Contains(err.Error(), "4 shards") {
		t.Errorf("%v", err)
	}
	// A refusal gives the lock back.
	if s, _, err = Open(openOptions(fs), Deployment{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRestore(t *testing.T) {
	fs := vfs.NewMem()
	s, d, err := Open(openOptions(fs), Deployment{Shards: 4, Created: 17})
	if err != nil {
		t.Fatal(err)
	}
	var b storage.Batch
	b.Set(appendMetaKey(nil, 3), []byte("a row"))
	if err := errors.Join(s.Commit(&b), s.Backup("good")); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Set([]byte("a key of no kind of row"), nil)
	if err := errors.Join(s.Commit(&b), s.Backup("foreign")); err != nil {
		t.Fatal(err)
	}
	b.Delete([]byte("a key of no kind of row"))
	b.Delete(appendDeploymentKey(nil))
	if err := errors.Join(s.Commit(&b), s.Backup("nameless"), s.Close()); err != nil {
		t.Fatal(err)
	}
	to := openOptions(fs)
	for _, backup := range []string{"foreign", "nameless"} {
		if to.Dir = "from " + backup; !errors.Is(Restore(to, backup), storage.ErrCorrupt) {
			t.Errorf("a backup was restored that is %s", backup)
		}
		if _, _, err := Open(to, Deployment{}); err == nil {
			t.Errorf("what could not be verified can be opened: %s", backup)
		}
	}
	to.Dir = "from good"
	if err := Restore(to, "good"); err != nil {
		t.Fatal(err)
	}
	copied, again, err := Open(to, Deployment{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := copied.Get(nil, appendMetaKey(nil, 3)); again != d || err != nil || string(got) != "a row" {
		t.Errorf("%+v, %q, %v", again, got, err)
	}
	if err := copied.Close(); err != nil {
		t.Fatal(err)
	}
	// The database of a complete directory is there, and its deployment is not.
	to.Dir = "nameless"
	if _, _, err := Open(to, Deployment{Shards: 4}); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "deployment row is missing") {
		t.Errorf("a directory without its deployment: %v", err)
	}
}
