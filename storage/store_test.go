package storage_test

import (
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/storagetest"
)

// small returns options with which a few rows are enough to flush and compact.
func small(dir string, fs vfs.FS) storage.Options {
	return storage.Options{
		Dir: dir, FS: fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20,
		Create: true,
	}
}

func mustOpen(t *testing.T, o storage.Options) *storage.Pebble {
	t.Helper()
	s, err := storage.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMemStore(t *testing.T) {
	storagetest.Run(t, func(*testing.T) (storage.Store, func(storage.Store) storage.Store) {
		return storage.NewMemStore(), func(s storage.Store) storage.Store { return s.(*storage.MemStore).Reopen() }
	})
}

func TestPebble(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) (storage.Store, func(storage.Store) storage.Store) {
		o := small(filepath.Join(t.TempDir(), "data"), nil)
		return mustOpen(t, o), func(s storage.Store) storage.Store {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return mustOpen(t, o)
		}
	})
}

// Every reopening simulates a crash of the machine: unsynced data is lost.
func TestPebbleCrash(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) (storage.Store, func(storage.Store) storage.Store) {
		fs := vfs.NewCrashableMem()
		var s storage.Store = mustOpen(t, small("data", fs))
		return diskBackup{s}, func(old storage.Store) storage.Store {
			fs = fs.CrashClone(vfs.CrashCloneCfg{})
			if err := old.Close(); err != nil {
				t.Fatal(err)
			}
			return mustOpen(t, small("data", fs))
		}
	})
}

// diskBackup writes backups to the real file system, where the contract tests look for them.
type diskBackup struct{ storage.Store }

func (d diskBackup) Backup(dir string) error {
	m := storage.NewMemStore()
	var b storage.Batch
	if err := d.Iterate([]byte{0}, []byte{0xff}, func(key, value []byte) error {
		b.Set(key, value)
		return nil
	}); err != nil {
		return err
	}
	if err := m.Commit(&b); err != nil {
		return err
	}
	return m.Backup(dir)
}
