package storage_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/storage"
)

// A backup that is taken while commits go on holds all that were acknowledged before it, each whole.
func TestBackupWhileWriting(t *testing.T) {
	root := t.TempDir()
	s := mustOpen(t, small(filepath.Join(root, "data"), nil))
	var acked atomic.Int64
	stop := make(chan struct{})
	ready := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		var b storage.Batch
		value := make([]byte, 4<<10)
		for i := int64(1); ; i++ {
			b.Reset()
			b.Set(storage.AppendLogKey(nil, 1, uint64(i)), value)
			b.Set(storage.AppendQuarantineKey(nil, 1, uint64(i)), value)
			if err := s.Commit(&b); err != nil {
				t.Errorf("commit: %v", err)
				return
			}
			acked.Store(i)
			if i == 600 { // after a flush or two
				close(ready)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	<-ready
	for i := range 2 {
		backup := filepath.Join(root, fmt.Sprint("backup", i))
		before := acked.Load()
		if err := s.Backup(backup); err != nil {
			t.Fatal(err)
		}
		after := acked.Load() + 1
		restored := filepath.Join(root, fmt.Sprint("restored", i))
		if err := storage.Restore(vfs.Default, backup, restored); err != nil {
			t.Fatal(err)
		}
		copied := mustOpen(t, storage.Options{Dir: restored})
		if copied.Deployment() != s.Deployment() {
			t.Error("another deployment row")
		}
		logs, quarantined := count(t, copied, storage.SpaceLog), count(t, copied, storage.SpaceQuarantine)
		if logs != quarantined || logs < before || logs > after {
			t.Errorf("%d and %d rows; %d commits before the backup, %d after", logs, quarantined, before, after)
		}
		// What is written after a restore does not reach the backup.
		var b storage.Batch
		b.DeleteRange(storage.AppendSpaceLower(nil, storage.SpaceLog), storage.AppendSpaceUpper(nil, storage.SpaceLog))
		if err := errors.Join(copied.Commit(&b), copied.Close()); err != nil {
			t.Fatal(err)
		}
		if err := storage.Restore(vfs.Default, backup, filepath.Join(root, fmt.Sprint("again", i))); err != nil {
			t.Errorf("restore a second time: %v", err)
		}
	}
	close(stop)
	writer.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s storage.Store, space storage.Space) int64 {
	t.Helper()
	n := int64(0)
	if err := s.Iterate(storage.AppendSpaceLower(nil, space), storage.AppendSpaceUpper(nil, space), func(_, _ []byte) error {
		n++
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRestoreRefuses(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, small("data", fs))
	if err := s.Backup("backup"); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup("backup"); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("a second backup to the same place: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		from, to string
		class    error
	}{
		{"nowhere", "new", storage.ErrNotFound},
		{"backup", "data", storage.ErrForeign},
		{"backup", "backup", storage.ErrForeign},
		{"backup/db", "new", storage.ErrForeign},
	} {
		if err := storage.Restore(fs, c.from, c.to); !errors.Is(err, c.class) {
			t.Errorf("restore %s to %s: %v", c.from, c.to, err)
		}
	}
	if err := storage.Restore(fs, "backup", "new"); err != nil {
		t.Error(err)
	}
	// A backup that was cut short has no mark of completeness.
	if err := fs.Remove("backup/KINDRED"); err != nil {
		t.Fatal(err)
	}
	if err := storage.Restore(fs, "backup", "other"); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("restore half a backup: %v", err)
	}
}

func TestRestoreFindsDamage(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, small("data", fs))
	var b storage.Batch
	b.Set([]byte("a key that this package never writes"), nil)
	if err := errors.Join(s.Commit(&b), s.Backup("backup"), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := storage.Restore(fs, "backup", "new"); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("%v", err)
	}
	if _, err := storage.Open(storage.Options{Dir: "new", FS: fs}); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("what could not be verified can be opened: %v", err)
	}
}

func TestMemStoreFates(t *testing.T) {
	for _, fate := range []storage.CommitFate{storage.CommitWell, storage.CommitLost, storage.CommitUnseen} {
		s := storage.NewMemStore()
		s.Fate = func(n int) storage.CommitFate {
			if n == 2 {
				return fate
			}
			return storage.CommitWell
		}
		var errs []error
		for i := range 3 {
			var b storage.Batch
			b.Set(storage.AppendMetaKey(nil, 0), []byte{byte(i)})
			b.Set(storage.AppendLogKey(nil, 0, uint64(i)), nil)
			errs = append(errs, s.Commit(&b))
		}
		failed := false
		select {
		case <-s.Failed():
			failed = true
		default:
		}
		want := int64(3)
		switch fate {
		case storage.CommitLost:
			want = 1
		case storage.CommitUnseen:
			want = 2
		}
		if fate != storage.CommitWell {
			if !errors.Is(errs[1], storage.ErrUnknownOutcome) || !errors.Is(errs[2], storage.ErrUnknownOutcome) || !failed || s.Err() == nil {
				t.Errorf("fate %d: %v, failed %v", fate, errs, failed)
			}
			if _, err := s.Get(nil, []byte("x")); !errors.Is(err, storage.ErrUnknownOutcome) {
				t.Errorf("fate %d: get after the failure: %v", fate, err)
			}
		} else if errors.Join(errs...) != nil || failed {
			t.Errorf("%v", errs)
		}
		again := s.Reopen()
		if n := count(t, again, storage.SpaceLog); n != want {
			t.Errorf("fate %d: %d rows, want %d", fate, n, want)
		}
		if meta, err := again.Get(nil, storage.AppendMetaKey(nil, 0)); err != nil || int64(meta[0]) != want-1 {
			t.Errorf("fate %d: half a commit: %v, %v", fate, meta, err)
		}
		if again.Commits() != s.Commits() {
			t.Errorf("commits are counted anew")
		}
	}
}
