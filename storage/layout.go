package storage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Format is the version of everything that this package and its codecs write. Open refuses a directory of a higher
// format and upgrades one of a lower format.
const Format = 1

// Names inside a data directory.
const (
	formatFile    = "KINDRED"
	formatFileTmp = "KINDRED.tmp"
	initFile      = "INITIALISING" // there while a new directory is being made
	lockFile      = "LOCK"
	dbDir         = "db"
)

const formatFileHead = "kindred data directory\nformat "

// A directory classifies the contents of a path.
type directory int

const (
	dirNew directory = iota // absent or empty, or what a crash left before Open first returned
	dirOurs
	dirForeign
)

// inspect classifies dir and, if it is ours, returns the version of its format. It writes nothing.
func inspect(fsys vfs.FS, dir string) (directory, int, error) {
	names, err := fsys.List(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return dirNew, 0, nil
	case err != nil:
		return 0, 0, &Error{Class: ErrIO, Op: "open", Path: dir, Err: err, Remedy: "check that it is a directory and that this user may read it"}
	}
	if slices.Contains(names, formatFile) {
		format, err := readFormat(fsys, fsys.PathJoin(dir, formatFile))
		return dirOurs, format, err
	}
	if slices.Contains(names, unfinishedDir) {
		return dirForeign, 0, &Error{
			Class: ErrForeign, Op: "open", Path: dir, Err: errors.New("it is a copy that was cut short"),
			Remedy: "delete it, and make the copy again",
		}
	}
	// lost+found is in the root of a new file system. The database of an initialisation that was cut short holds no
	// acknowledged data: Open had not returned.
	harmless := []string{lockFile, "lost+found"}
	if slices.Contains(names, initFile) {
		harmless = append(harmless, initFile, formatFileTmp, nodeFile, dbDir)
	}
	for _, name := range names {
		if !slices.Contains(harmless, name) {
			return dirForeign, 0, nil
		}
	}
	return dirNew, 0, nil
}

func readFormat(fsys vfs.FS, path string) (int, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return 0, &Error{Class: ErrIO, Op: "open", Path: path, Err: err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return 0, &Error{Class: ErrIO, Op: "open", Path: path, Err: err}
	}
	return parseFormat(path, text)
}

func parseFormat(path string, text []byte) (int, error) {
	number, ok := strings.CutPrefix(string(text), formatFileHead)
	if !ok {
		return 0, &Error{
			Class: ErrForeign, Op: "open", Path: path, Err: errors.New("the file does not name a format"),
			Remedy: "give the directory that kindred made, or an empty one",
		}
	}
	number, _, _ = strings.Cut(number, "\n")
	format, err := strconv.Atoi(number)
	if err != nil || format < 1 {
		return 0, &Error{Class: ErrCorrupt, Op: "open", Path: path, Err: fmt.Errorf("format %q is not a number", number), Remedy: remedies[ErrCorrupt]}
	}
	return format, nil
}

// checkOurs returns an error unless dir is new, or ours and of a format that this version knows.
func checkOurs(fsys vfs.FS, dir string) (directory, error) {
	what, format, err := inspect(fsys, dir)
	switch {
	case err != nil:
		return what, err
	case what == dirForeign:
		return what, &Error{
			Class: ErrForeign, Op: "open", Path: dir, Err: errors.New("it holds other files"),
			Remedy: "give the directory that kindred made, or an empty one",
		}
	case what == dirOurs && format > Format:
		return what, &Error{
			Class: ErrNewerFormat, Op: "open", Path: dir,
			Err:    fmt.Errorf("the directory has format %d, this version knows up to %d", format, Format),
			Remedy: "use the version of kindred that wrote it, or a later one",
		}
	}
	return what, nil
}

// checkDB returns an error if a directory that was complete lacks its database.
func checkDB(fsys vfs.FS, dir string) error {
	db := fsys.PathJoin(dir, dbDir)
	if _, err := fsys.Stat(db); err != nil {
		return &Error{Class: ErrCorrupt, Op: "open", Path: db, Err: err, Remedy: remedies[ErrCorrupt]}
	}
	return nil
}

// beginNew marks dir as under construction and deletes the leftovers of an earlier attempt.
func beginNew(fsys vfs.FS, dir string) error {
	if err := writeFile(fsys, fsys.PathJoin(dir, initFile), ""); err != nil {
		return err
	}
	if err := syncDir(fsys, dir); err != nil {
		return err
	}
	return fsys.RemoveAll(fsys.PathJoin(dir, dbDir))
}

// markComplete makes dir a complete data directory, durably.
func markComplete(fsys vfs.FS, dir string) error {
	tmp := fsys.PathJoin(dir, formatFileTmp)
	if err := writeFile(fsys, tmp, formatFileHead+strconv.Itoa(Format)+"\n"); err != nil {
		return err
	}
	if err := fsys.Rename(tmp, fsys.PathJoin(dir, formatFile)); err != nil {
		return err
	}
	if err := syncDir(fsys, dir); err != nil {
		return err
	}
	// From here on the directory is ours, even if the mark of its construction remains.
	if err := fsys.Remove(fsys.PathJoin(dir, initFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func writeFile(fsys vfs.FS, path, text string) error {
	f, err := fsys.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// makeDir creates dir and its missing parents, durably: a directory is an entry of its parent, and unless the parent
// is synced a crash loses the directory with all its contents.
func makeDir(fsys vfs.FS, dir string) error {
	parents := []string{fsys.PathDir(dir)}
	for at := parents[0]; ; at = fsys.PathDir(at) {
		if _, err := fsys.Stat(at); err == nil || at == fsys.PathDir(at) {
			break
		}
		parents = append(parents, fsys.PathDir(at))
	}
	if err := fsys.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for _, parent := range parents {
		if err := syncDir(fsys, parent); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// lockDir takes the exclusive lock on dir, which exists (S5).
func lockDir(fsys vfs.FS, dir string) (io.Closer, error) {
	path := fsys.PathJoin(dir, lockFile)
	lock, err := fsys.Lock(path)
	if err == nil {
		return lock, nil
	}
	who := "another process"
	switch pid, held := lockHolder(path, err); {
	case !held:
		return nil, &Error{Class: ErrIO, Op: "lock", Path: path, Err: err, Remedy: "check that this user may write there"}
	case pid > 0:
		who = fmt.Sprintf("process %d", pid)
	}
	return nil, &Error{
		Class: ErrLocked, Op: "open", Path: dir, Err: fmt.Errorf("%s has it open", who),
		Remedy: "stop that process, or use another directory; only one process at a time can use a data directory",
	}
}
