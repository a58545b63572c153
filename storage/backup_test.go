package storage_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/kindred-id/kindred/storage"
)

// A backup taken during commits holds every commit acknowledged before it, each as a whole.
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
			b.Set(logKey(uint64(i)), value)
			b.Set(otherKey(uint64(i)), value)
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
		if err := storage.Restore(storage.Options{Dir: restored}, backup, nil); err != nil {
			t.Fatal(err)
		}
		copied := mustOpen(t, storage.Options{Dir: restored})
		logs, quarantined := count(t, copied, logSpace), count(t, copied, otherSpace)
		if logs != quarantined || logs < before || logs > after {
			t.Errorf("%d and %d rows; %d commits before the backup, %d after", logs, quarantined, before, after)
		}
		// Writes after a restore do not reach the backup.
		var b storage.Batch
		b.DeleteRange([]byte{logSpace}, []byte{logSpace + 1})
		if err := errors.Join(copied.Commit(&b), copied.Close()); err != nil {
			t.Fatal(err)
		}
		if err := storage.Restore(storage.Options{Dir: filepath.Join(root, fmt.Sprint("again", i))}, backup, nil); err != nil {
			t.Errorf("restore a second time: %v", err)
		}
	}
	close(stop)
	writer.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// Two kinds of rows, as the store distinguishes them: short-lived rows and all others.
const (
	logSpace   = storage.ShortLived
	otherSpace = 0x07
)

func logKey(n uint64) []byte   { return binary.BigEndian.AppendUint64([]byte{logSpace}, n) }
func otherKey(n uint64) []byte { return binary.BigEndian.AppendUint64([]byte{otherSpace}, n) }

func count(t *testing.T, s storage.Store, space byte) int64 {
	t.Helper()
	n := int64(0)
	if err := s.Iterate([]byte{space}, []byte{space + 1}, func(_, _ []byte) error {
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
		if err := storage.Restore(storage.Options{Dir: c.to, FS: fs}, c.from, nil); !errors.Is(err, c.class) {
			t.Errorf("restore %s to %s: %v", c.from, c.to, err)
		}
	}
	if err := storage.Restore(storage.Options{Dir: "new", FS: fs}, "backup", nil); err != nil {
		t.Error(err)
	}
	// A backup that was cut short lacks the mark that declares it complete.
	if err := fs.Remove("backup/KINDRED"); err != nil {
		t.Fatal(err)
	}
	if err := storage.Restore(storage.Options{Dir: "other", FS: fs}, "backup", nil); !errors.Is(err, storage.ErrForeign) {
		t.Errorf("restore half a backup: %v", err)
	}
}

func TestRestoreFindsDamage(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, small("data", fs))
	var b storage.Batch
	b.Set([]byte("a key of no row"), nil)
	if err := errors.Join(s.Commit(&b), s.Backup("backup"), s.Close()); err != nil {
		t.Fatal(err)
	}
	refuse := func(key []byte) error { return fmt.Errorf("key %q is of no row", key) }
	if err := storage.Restore(storage.Options{Dir: "new", FS: fs}, "backup", refuse); !errors.Is(err, storage.ErrCorrupt) || !strings.Contains(err.Error(), "of no row") {
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
			b.Set([]byte("meta"), []byte{byte(i)})
			b.Set(logKey(uint64(i)), nil)
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
		if n := count(t, again, logSpace); n != want {
			t.Errorf("fate %d: %d rows, want %d", fate, n, want)
		}
		if meta, err := again.Get(nil, []byte("meta")); err != nil || int64(meta[0]) != want-1 {
			t.Errorf("fate %d: half a commit: %v, %v", fate, meta, err)
		}
		if again.Commits() != s.Commits() {
			t.Errorf("commits are counted anew")
		}
	}
}
