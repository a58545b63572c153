package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	crdberrors "github.com/cockroachdb/errors"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Classes of errors, for errors.Is. All except ErrNotFound are wrapped in an *Error, which adds the place and the remedy.
var (
	// ErrNotFound is returned by Get for a key without a row.
	ErrNotFound = errors.New("not found")
	// ErrCorrupt is returned when a file of the store is damaged, truncated or missing.
	ErrCorrupt = errors.New("corrupt")
	// ErrDiskFull is returned when a write finds no space.
	ErrDiskFull = errors.New("disk full")
	// ErrLocked is returned by Open when another process, or this one, has the directory open.
	ErrLocked = errors.New("in use")
	// ErrNewerFormat is returned by Open for a directory that a later version of the program wrote.
	ErrNewerFormat = errors.New("newer format")
	// ErrForeign is returned for a directory that holds files of another program.
	ErrForeign = errors.New("not a data directory")
	// ErrMismatch is for Options.Prepare: the directory was initialised with different settings.
	ErrMismatch = errors.New("other deployment")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("closed")
	// ErrIO is the class of every other failure of the disk or of the file system.
	ErrIO = errors.New("input/output error")
)

// Error is a failure of the store: the operation, the file or directory, and the remedy.
type Error struct {
	Class  error  // one of the classes above
	Op     string // "open", "commit", "get", ...
	Path   string // file or directory
	Remedy string // what the operator can do; empty if we know of nothing
	Err    error  // cause; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %v", e.Op, e.Path, e.Class)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(strings.ReplaceAll(e.Err.Error(), "\n", "; "))
	}
	if e.Remedy != "" {
		fmt.Fprintf(&b, " (%s)", e.Remedy)
	}
	return b.String()
}

// Unwrap returns the class and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Class}
	}
	return []error{e.Class, e.Err}
}

var remedies = map[error]string{
	ErrDiskFull: "free some space on that disk, then start again: nothing that was acknowledged is lost",
	ErrIO:       "check the disk, and that this user may read and write there",
	ErrCorrupt:  "restore the directory from a backup, and check the disk",
}

// Corrupt returns the error for data that can't be read, because of err. The packages above use it for rows as the store does for its files.
func Corrupt(op, path string, err error) error {
	return &Error{Class: ErrCorrupt, Op: op, Path: path, Err: err, Remedy: remedies[ErrCorrupt]}
}

// classify gives an error from Pebble or the file system its class and the name of its file. An error that already
// has a class is returned unchanged.
func classify(op, dir string, err error) error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	class := ErrIO
	switch {
	case vfs.IsNoSpaceError(err):
		class = ErrDiskFull
		// A file that Pebble's manifest names and the directory lacks is damage, too.
		// Pebble's size check at open does not mark its errors as corruption.
	case pebble.IsCorruptionError(err), errors.Is(err, fs.ErrNotExist), errors.Is(err, pebble.ErrDBDoesNotExist),
		strings.Contains(err.Error(), "object size mismatch"):
		class = ErrCorrupt
	case errors.Is(err, pebble.ErrClosed):
		class = ErrClosed
	}
	return &Error{Class: class, Op: op, Path: errorPath(dir, err), Remedy: remedies[class], Err: err}
}

var (
	pebbleTable = regexp.MustCompile(`file (\d{6,}) \(type sstable\)`)
	pebbleFile  = regexp.MustCompile(`MANIFEST-\d{6,}|OPTIONS-\d{6,}|\d{6,}\.(sst|log|blob)|marker\.[a-z-]+\.\d+\.[\w-]+`)
)

// errorPath returns the file that an error from Pebble concerns, or dir if the error names no file.
func errorPath(dir string, err error) string {
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		return info.Path
	}
	texts := append([]string{err.Error()}, crdberrors.GetAllHints(err)...)
	texts = append(texts, crdberrors.GetAllDetails(err)...)
	for _, text := range texts {
		if name := pebbleFile.FindString(text); name != "" {
			return dir + "/" + dbDir + "/" + name
		}
		if number := pebbleTable.FindStringSubmatch(text); number != nil {
			return dir + "/" + dbDir + "/" + number[1] + ".sst"
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Path
	}
	return dir
}
