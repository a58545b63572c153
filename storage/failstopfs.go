package storage

import (
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failStopFS is the file system given to the database. A failed write fails the store, with the file's name, and
// never returns to Pebble.
//
// The obvious design, to let Pebble see the error, was tried. A full disk then ends in one of: an unrecoverable
// "unlock of unlocked mutex" (a panic while the log is rotated), a fatal log line, or a commit that waits for a flush
// which Pebble retries for ever at full speed. After a fatal log line Pebble must not continue, but it does if the
// logger returns. Parked goroutines do no harm: the store refuses every later operation, its callers have their error
// (failure.guard), and the process is about to end.
//
// Only files inside dir are guarded, so a backup to another disk that is full fails alone. Reads are not guarded:
// Pebble returns their errors to the reader.
type failStopFS struct {
	vfs.FS
	dir     string
	failure *failure
}

// check never returns if err is the failure of a write to path.
func (f *failStopFS) check(op, path string, err error) error {
	if err != nil && strings.HasPrefix(path, f.dir) {
		f.failure.park(classifyDir(op, path, err))
	}
	return err
}

func (f *failStopFS) file(file vfs.File, op, path string, err error) (vfs.File, error) {
	if f.check(op, path, err) != nil {
		return nil, err
	}
	return &failStopFile{File: file, fs: f, path: path}, nil
}

func (f *failStopFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	return f.file(file, "create", name, err)
}

func (f *failStopFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, category, opts...)
	return f.file(file, "open", name, err)
}

func (f *failStopFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	return f.file(file, "open", name, err)
}

func (f *failStopFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.file(file, "create", newname, err)
}

func (f *failStopFS) Rename(oldname, newname string) error {
	return f.check("rename", newname, f.FS.Rename(oldname, newname))
}

func (f *failStopFS) MkdirAll(dir string, perm fs.FileMode) error {
	return f.check("make directory", dir, f.FS.MkdirAll(dir, perm))
}

// Unwrap implements vfs.FS.
func (f *failStopFS) Unwrap() vfs.FS { return f.FS }

// A failStopFile is a file opened for writing.
type failStopFile struct {
	vfs.File
	fs   *failStopFS
	path string
}

func (f *failStopFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.fs.check("write", f.path, err)
}

func (f *failStopFile) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.File.WriteAt(p, offset)
	return n, f.fs.check("write", f.path, err)
}

func (f *failStopFile) Sync() error { return f.fs.check("sync", f.path, f.File.Sync()) }

func (f *failStopFile) SyncData() error { return f.fs.check("sync", f.path, f.File.SyncData()) }

func (f *failStopFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.fs.check("sync", f.path, err)
}

func (f *failStopFile) Close() error { return f.fs.check("close", f.path, f.File.Close()) }
