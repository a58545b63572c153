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

// Classes of errors, for errors.Is. All but ErrNotFound come as an *Error, which says where and what to do.
var (
	// ErrNotFound is returned by Get for a key without a row.
	ErrNotFound = errors.New("not found")
	// ErrCorrupt is returned when a file of the store is damaged, cut short or missing.
	ErrCorrupt = errors.New("corrupt")
	// ErrDiskFull is returned when a write found no space.
	ErrDiskFull = errors.New("disk full")
	// ErrLocked is returned by Open when another process, or this one, has the directory open.
	ErrLocked = errors.New("in use")
	// ErrNewerFormat is returned by Open for a directory that a later version wrote.
	ErrNewerFormat = errors.New("newer format")
	// ErrForeign is returned for a directory that holds something else.
	ErrForeign = errors.New("not a data directory")
	// ErrMismatch is for Options.Prepare: the directory was initialised with other settings.
	ErrMismatch = errors.New("other deployment")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("closed")
	// ErrIO is the class of every other failure of the disk or of the file system.
	ErrIO = errors.New("input/output error")
)

// Error is a failure of the store: what was done, to which file or directory, and the remedy.
type Error struct {
	Class  error  // one of the classes above
	Op     string // "open", "commit", "get", ...
	Path   string // file or directory
	Remedy string // what the operator can do; empty when there is nothing to say
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

// Unwrap gives the class and the cause.
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

// Corrupt is the error of what can't be read: err says why. Rows and the packages above use it as the store does for its files.
func Corrupt(op, path string, err error) error {
	return &Error{Class: ErrCorrupt, Op: op, Path: path, Err: err, Remedy: remedies[ErrCorrupt]}
}

// classify gives an error of Pebble or of the file system its class and the name of its file.
// An error that has a class already stays as it is.
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
	// The check of sizes on opening has no mark.
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

// errorPath finds the file that an error of Pebble is about; dir when it names none.
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
