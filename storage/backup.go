package storage

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Backup implements Store. It hard-links tables when dir is on the same file system, which costs little time and
// space, and copies them otherwise. It fails with class ErrForeign when dir holds anything. When it fails, it leaves
// nothing in dir. A failed backup does not fail the store.
func (p *Pebble) Backup(dir string) error {
	if err := p.failure.refusal(); err != nil {
		return err
	}
	if err := checkEmpty(p.fsys, "back up to", dir); err != nil {
		return err
	}
	db := p.fsys.PathJoin(dir, dbDir)
	err := p.failure.guard(func() error { return p.db.Checkpoint(db) })
	if err == nil {
		err = errors.Join(writeNode(p.fsys, dir, p.node), markComplete(p.fsys, dir))
	}
	if err != nil {
		_ = p.fsys.RemoveAll(db)
		_ = p.fsys.RemoveAll(p.fsys.PathJoin(dir, nodeFile))
		return classifyDir("back up to", dir, err)
	}
	return nil
}

func checkEmpty(fsys vfs.FS, op, dir string) error {
	names, err := fsys.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return classifyDir(op, dir, err)
	}
	if len(names) > 0 {
		return &Error{
			Class: ErrForeign, Op: op, Path: dir, Err: errors.New("the directory is not empty"),
			Remedy: "give one that is empty or does not exist",
		}
	}
	return nil
}

// Restore creates the data directory o.Dir, which must be absent or empty, from a backup. It then opens the directory
// with o and reads every row once, which verifies every checksum. check, if given, rejects rows by their keys.
// Restore does not change the backup: it hard-links tables, which are never rewritten, when both directories are on
// one file system, and copies everything else.
//
// It fails with class ErrNotFound or ErrForeign when backup is not a complete backup, ErrForeign when o.Dir is not
// empty, ErrNewerFormat, ErrCorrupt, ErrDiskFull or ErrIO. When it fails, o.Dir is not a data directory.
func Restore(o Options, backup string, check func(key []byte) error) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	fsys, dir := o.FS, o.Dir
	what, err := checkOurs(fsys, backup)
	if err != nil {
		return err
	}
	if what == dirNew {
		return &Error{
			Class: ErrNotFound, Op: "restore from", Path: backup, Err: errors.New("there is no backup"),
			Remedy: "give the directory that kindred backup made",
		}
	}
	if err := checkNode(fsys, backup, o.Node); err != nil { // it has some of the shards
		return err
	}
	if err := checkEmpty(fsys, "restore to", dir); err != nil {
		return err
	}
	if err := copyDB(fsys, fsys.PathJoin(backup, dbDir), fsys.PathJoin(dir, dbDir)); err != nil {
		_ = fsys.RemoveAll(fsys.PathJoin(dir, dbDir))
		return classifyDir("restore to", dir, err)
	}
	if err := markComplete(fsys, dir); err != nil {
		return classifyDir("restore to", dir, err)
	}
	if err := verify(o, check); err != nil {
		_ = fsys.Remove(fsys.PathJoin(dir, formatFile))
		return err
	}
	return nil
}

// copyDB links or copies the files of a database and syncs them.
func copyDB(fsys vfs.FS, from, to string) error {
	names, err := fsys.List(from)
	if err != nil {
		return err
	}
	if err := makeDir(fsys, to); err != nil {
		return err
	}
	for _, name := range names {
		if name == lockFile {
			continue
		}
		transfer := vfs.Copy
		if strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob") {
			transfer = vfs.LinkOrCopy
		}
		if err := transfer(fsys, fsys.PathJoin(from, name), fsys.PathJoin(to, name)); err != nil {
			return err
		}
	}
	return syncDir(fsys, to)
}

// verify opens the directory and reads every row.
func verify(o Options, check func(key []byte) error) error {
	o.ReadOnly = true
	p, err := Open(o)
	if err != nil {
		return err
	}
	err = p.Iterate([]byte{0}, []byte{0xff}, func(key, _ []byte) error {
		if check == nil {
			return nil
		}
		if err := check(key); err != nil {
			return Corrupt("verify", o.Dir, err)
		}
		return nil
	})
	return errors.Join(err, p.Close())
}
