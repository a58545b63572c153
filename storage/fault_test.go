package storage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

func testOptions(fs vfs.FS) Options {
	return Options{Dir: "data", FS: fs, BlockCacheBytes: 1 << 20, MemtableBytes: 4 << 20, Create: true, Prepare: prepare}
}

// firstKey is the key of a row that each directory of the tests is initialised with.
var firstKey = []byte{1}

func prepare(s Store, isNew bool) error {
	if !isNew {
		if _, err := s.Get(nil, firstKey); errors.Is(err, ErrNotFound) {
			return Corrupt("open", "first row", err)
		}
		return nil
	}
	var b Batch
	b.Set(firstKey, []byte("made"))
	return s.Commit(&b)
}

func logKey(seq int) []byte {
	return binary.BigEndian.AppendUint64([]byte{ShortLived, 0, 1}, uint64(seq))
}
func otherKey(seq int) []byte { return binary.BigEndian.AppendUint64([]byte{7, 0, 1}, uint64(seq)) }

// pair is commit i of the tests below: two rows of a few kilobytes, in two places, or neither.
func pair(i int) *Batch {
	var b Batch
	b.Set(logKey(i), pairValue(i))
	b.Set(otherKey(i), pairValue(i))
	return &b
}

// pairValue is compressible in part, and unlike any other commit's.
func pairValue(i int) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 0))
	value := bytes.Repeat([]byte{'.'}, 2<<10)
	for j := range 1 << 10 {
		value[j] = byte(r.Uint32())
	}
	return value
}

// readPairs reads every commit that is there, and fails the test when one is there by half, or wrong.
// It returns the error that reading ended with.
func readPairs(t *testing.T, s Store) ([]int, error) {
	t.Helper()
	var found []int
	err := s.Iterate([]byte{ShortLived}, []byte{ShortLived + 1}, func(key, value []byte) error {
		seq := int(binary.BigEndian.Uint64(key[3:]))
		if !bytes.Equal(value, pairValue(seq)) {
			t.Errorf("row % x is wrong", key)
		}
		other, err := s.Get(nil, otherKey(seq))
		if errors.Is(err, ErrNotFound) || err == nil && !bytes.Equal(other, value) {
			t.Errorf("commit %d is there by half", seq)
		}
		if err == nil {
			found = append(found, seq)
		}
		return err
	})
	return found, err
}

func asError(t *testing.T, err error, class error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, class) {
		t.Fatalf("got error %v (%T), want class %v", err, err, class)
	}
	if !strings.HasPrefix(e.Path, "data") || e.Remedy == "" || strings.Contains(err.Error(), "%!") {
		t.Fatalf("error does not name the place and the remedy: %v", err)
	}
	return e
}

// A disk that is full from the nth write on stops the store with a clear error, wherever that write is, and
// loses nothing that was acknowledged.
func TestDiskFull(t *testing.T) {
	const commits = 700 // two flushes, and a rotation of the log each
	run := func(t *testing.T, failAt int64) (writes int64) {
		mem := vfs.NewCrashableMem()
		var count atomic.Int64
		full := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch op.Kind {
			case errorfs.OpFileWrite, errorfs.OpCreate, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpRename, errorfs.OpReuseForWrite:
				if n := count.Add(1); n >= failAt {
					return &vfsPathError{op.Path, syscall.ENOSPC}
				}
			}
			return nil
		}))
		acked := -1
		s, err := Open(testOptions(full))
		if err == nil {
			for i := range commits {
				if err = s.Commit(pair(i)); err != nil {
					break
				}
				acked = i
			}
		}
		if err == nil {
			// The flush in the background may not have come to the write that fails.
			if err = s.failure.guard(s.db.Flush); err == nil {
				err = s.Close()
			}
		}
		if failAt > count.Load() {
			if err != nil {
				t.Fatal(err)
			}
			return count.Load()
		}
		_ = asError(t, err, ErrDiskFull)
		if s != nil {
			<-s.Failed()
			if _, err := s.Get(nil, firstKey); !errors.Is(err, ErrDiskFull) && !errors.Is(err, ErrClosed) {
				t.Errorf("get after the failure: %v", err)
			}
			if err := s.Commit(pair(commits)); !errors.Is(err, ErrDiskFull) && !errors.Is(err, ErrClosed) {
				t.Errorf("commit after the failure: %v", err)
			}
			if err := s.Close(); !errors.Is(err, ErrDiskFull) {
				t.Errorf("close after the failure: %v", err)
			}
		}
		again, err := Open(testOptions(mem.CrashClone(vfs.CrashCloneCfg{})))
		if err != nil {
			t.Fatalf("open after the disk was full: %v", err)
		}
		defer again.Close()
		found, err := readPairs(t, again)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != acked+1 && len(found) != acked+2 {
			t.Errorf("%d commits after a crash, %d were acknowledged", len(found), acked+1)
		}
		return 0
	}
	writes := run(t, 1<<62)
	t.Logf("%d writes", writes)
	r := rand.New(rand.NewPCG(1, 2))
	points := []int64{1, 2, 3, 5, 8, 13, 21, 34}
	for range 8 {
		points = append(points, 1+r.Int64N(writes))
	}
	for n := writes - 60; n <= writes; n += 8 { // the last flush and the end
		points = append(points, n)
	}
	slices.Sort(points)
	for _, n := range points {
		t.Run(fmt.Sprintf("write=%d", n), func(t *testing.T) { run(t, n) })
	}
}

type vfsPathError struct {
	path string
	err  error
}

func (e *vfsPathError) Error() string { return e.path + ": " + e.err.Error() }
func (e *vfsPathError) Unwrap() error { return e.err }

// filled makes a directory with commits pairs; those below flushed are in tables.
func filled(t *testing.T, flushed, commits int) *vfs.MemFS {
	t.Helper()
	mem := vfs.NewCrashableMem()
	s, err := Open(testOptions(mem))
	if err != nil {
		t.Fatal(err)
	}
	for i := range commits {
		if err := s.Commit(pair(i)); err != nil {
			t.Fatal(err)
		}
		if i+1 == flushed {
			if err := s.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A crash, so that the log is not closed in order.
	crashed := mem.CrashClone(vfs.CrashCloneCfg{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return crashed
}

func find(t *testing.T, fs vfs.FS, part string) []string {
	t.Helper()
	names, err := fs.List("data/db")
	if err != nil {
		t.Fatal(err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, part) && !strings.HasPrefix(name, part) })
	if len(names) == 0 {
		t.Fatalf("no file with %s", part)
	}
	for i := range names {
		names[i] = "data/db/" + names[i]
	}
	slices.Sort(names)
	return names
}

func rewrite(t *testing.T, fs vfs.FS, name string, change func([]byte) []byte) {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	out, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(change(content)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		t.Fatal(err)
	}
}

// openAndRead opens what a fault was done to. Whatever is read is right (readPairs); the error says
// how it ended.
func openAndRead(t *testing.T, fs vfs.FS) ([]int, error) {
	t.Helper()
	o := testOptions(fs)
	o.Create = false
	s, err := Open(o)
	if err != nil {
		return nil, err
	}
	found, err := readPairs(t, s)
	if err != nil {
		<-s.Failed()
		if again := s.Commit(pair(1)); !errors.Is(again, ErrCorrupt) {
			t.Errorf("commit after a corruption was found: %v", again)
		}
	}
	_ = s.Close()
	return found, err
}

// No flipped bit in a table makes an answer wrong: the error names the file.
func TestCorruptTable(t *testing.T) {
	const commits = 60
	r := rand.New(rand.NewPCG(3, 4))
	base := filled(t, commits, commits)
	detected := 0
	for range 20 {
		fs := base.CrashClone(vfs.CrashCloneCfg{})
		tables := find(t, fs, ".sst")
		table := tables[r.IntN(len(tables))]
		rewrite(t, fs, table, func(b []byte) []byte { b[r.IntN(len(b))] ^= 1 << r.IntN(8); return b })
		found, err := openAndRead(t, fs)
		if err == nil {
			if len(found) != commits { // a bit that nothing depends on
				t.Fatalf("%d of %d commits and no error", len(found), commits)
			}
			continue
		}
		detected++
		if e := asError(t, err, ErrCorrupt); e.Path != table {
			t.Errorf("error names %s, damaged is %s: %v", e.Path, table, err)
		}
	}
	if detected < 10 {
		t.Errorf("only %d of 20 flipped bits were found", detected)
	}
}

func TestMissingFile(t *testing.T) {
	for _, suffix := range []string{".sst", "MANIFEST", "marker.manifest"} {
		t.Run(suffix, func(t *testing.T) {
			fs := filled(t, 10, 20)
			victims := find(t, fs, suffix) // all: a crash also leaves some that are not in use any more
			for _, victim := range victims {
				if err := fs.Remove(victim); err != nil {
					t.Fatal(err)
				}
			}
			_, err := openAndRead(t, fs)
			e := asError(t, err, ErrCorrupt)
			if suffix != "marker.manifest" && !slices.Contains(victims, e.Path) {
				t.Errorf("the error does not name one of %v: %v", victims, err)
			}
		})
	}
	t.Run("all of the database", func(t *testing.T) {
		fs := filled(t, 10, 20)
		if err := fs.RemoveAll("data/db"); err != nil {
			t.Fatal(err)
		}
		_, err := openAndRead(t, fs)
		_ = asError(t, err, ErrCorrupt)
	})
}

func TestTruncatedTable(t *testing.T) {
	fs := filled(t, 30, 30)
	tables := find(t, fs, ".sst")
	for _, table := range tables {
		rewrite(t, fs, table, func(b []byte) []byte { return b[:len(b)/2] })
	}
	_, err := openAndRead(t, fs)
	if e := asError(t, err, ErrCorrupt); !slices.Contains(tables, e.Path) {
		t.Errorf("error does not name one of %v: %v", tables, err)
	}
}

func isPrefix(found []int) bool {
	for i := range found {
		if found[i] != i {
			return false
		}
	}
	return true
}

// newestLog is the write-ahead log that holds the commits.
func newestLog(t *testing.T, fs vfs.FS) string {
	logs := find(t, fs, ".log")
	return logs[len(logs)-1]
}

// A log that is cut off ends as a crash ends it: what is left is a prefix of the commits, each whole.
func TestTornLog(t *testing.T) {
	const commits = 40
	base := filled(t, 0, commits)
	var size int
	rewrite(t, base, newestLog(t, base), func(b []byte) []byte { size = len(b); return b })
	last := -1
	for cut := range 16 {
		cut *= size / 15
		fs := base.CrashClone(vfs.CrashCloneCfg{})
		rewrite(t, fs, newestLog(t, fs), func(b []byte) []byte { return b[:cut] })
		found, err := openAndRead(t, fs)
		if err != nil {
			if e := asError(t, err, ErrCorrupt); cut > 200 {
				t.Errorf("cut at %d of %d: %v", cut, size, e) // else the deployment row is gone, and with it everything
			}
			continue
		}
		if !isPrefix(found) || len(found) < last {
			t.Errorf("cut at %d: commits %v", cut, found)
		}
		last = len(found)
	}
	if last < commits-1 {
		t.Errorf("cut at the end: %d commits", last)
	}
}

// Damage in the middle of a log is told from a torn tail: later records promise that it was synced.
func TestCorruptLog(t *testing.T) {
	const commits = 40
	base := filled(t, 0, commits)
	r := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		fs := base.CrashClone(vfs.CrashCloneCfg{})
		log := newestLog(t, fs)
		at, middle := 0, false
		rewrite(t, fs, log, func(b []byte) []byte {
			at = r.IntN(len(b))
			middle = at < len(b)*3/4
			b[at] ^= 1 << r.IntN(8)
			return b
		})
		found, err := openAndRead(t, fs)
		switch {
		case err != nil:
			if e := asError(t, err, ErrCorrupt); e.Path != log {
				t.Errorf("error names %s, damaged is %s: %v", e.Path, log, err)
			}
		case middle || !isPrefix(found):
			t.Errorf("a bit flipped at %d: %d commits and no error", at, len(found))
		}
	}
}

// Synced data stays, unsynced data may go, and the rest is a prefix of whole commits.
func TestCrashWhileWriting(t *testing.T) {
	for seed := range uint64(8) {
		mem := vfs.NewCrashableMem()
		s, err := Open(testOptions(mem))
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 7))
		const commits = 400
		crashAt := r.IntN(commits)
		for i := range commits {
			if err := s.Commit(pair(i)); err != nil {
				t.Fatal(err)
			}
			if i == crashAt {
				break
			}
		}
		fs := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(seed) * 14, RNG: r})
		found, err := openAndRead(t, fs)
		if err != nil || !isPrefix(found) || len(found) != crashAt+1 {
			t.Errorf("seed %d: %d commits after %d were acknowledged; %v", seed, len(found), crashAt+1, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A directory opened read-only stays unchanged: its log is not replayed yet, and some of its tables are due for
// compaction.
func TestReadOnly(t *testing.T) {
	const commits = 60
	fs := filled(t, commits/2, commits)
	files := func() map[string]string {
		all := make(map[string]string)
		for _, dir := range []string{"data", "data/db"} {
			names, err := fs.List(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				f, err := fs.Open(dir + "/" + name)
				if err != nil {
					t.Fatal(err)
				}
				if info, err := f.Stat(); err != nil {
					t.Fatal(err)
				} else if info.IsDir() {
					continue
				}
				content, err := io.ReadAll(f)
				if err := errors.Join(err, f.Close()); err != nil {
					t.Fatal(err)
				}
				all[dir+"/"+name] = string(content)
			}
		}
		return all
	}
	before := files()
	o := testOptions(fs)
	o.ReadOnly = true
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	found, err := readPairs(t, s)
	if err != nil || len(found) != commits {
		t.Errorf("%d of %d commits, %v", len(found), commits, err)
	}
	if err := s.Commit(pair(commits)); err == nil {
		t.Error("a commit was taken")
	}
	_ = s.Close()
	after := files()
	for name, content := range before {
		if now, ok := after[name]; !ok || now != content {
			t.Errorf("%s is not as it was", name)
		}
		delete(after, name)
	}
	for name := range after {
		t.Errorf("%s was written", name)
	}

	o.Dir = "none"
	if _, err := Open(o); !errors.Is(err, ErrNotFound) {
		t.Errorf("nothing there: %v", err)
	}
	if _, err := fs.Stat("none"); err == nil {
		t.Error("a directory was made")
	}
}
