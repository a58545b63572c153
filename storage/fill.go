package storage

import (
	"errors"
)

// unfinishedDir is where Fill makes a directory, within it. Open refuses a directory that has it and is not complete.
const unfinishedDir = "UNFINISHED"

// Fill makes the data directory o.Dir, which must be absent or empty, of the rows that fill commits to a store.
//
// Until all rows are there, durably, Open refuses the directory, also as an empty one: somebody who starts a server on a
// copy that was cut short must not get an empty deployment. If Fill itself fails, it leaves nothing.
//
// It fails with class ErrForeign if the directory has anything in it, and as Open and fill do.
func Fill(o Options, fill func(Store) error) error {
	if err := o.setDefaults(); err != nil {
		return err
	}
	fsys, dir := o.FS, o.Dir
	if err := checkEmpty(fsys, "write a copy to", dir); err != nil {
		return err
	}
	inner := o
	inner.Dir, inner.Create = fsys.PathJoin(dir, unfinishedDir), true
	var failed error // of fill, which is not of the directory
	inner.Prepare = func(s Store, _ bool) error {
		failed = fill(s)
		return failed
	}
	if err := makeDir(fsys, dir); err != nil {
		return classifyDir("write a copy to", dir, err)
	}
	p, err := Open(inner)
	if err == nil {
		err = p.Close()
	}
	if err == nil {
		err = errors.Join(
			fsys.Rename(fsys.PathJoin(inner.Dir, dbDir), fsys.PathJoin(dir, dbDir)),
			syncDir(fsys, dir), markComplete(fsys, dir), fsys.RemoveAll(inner.Dir),
		)
	}
	if err != nil {
		_ = fsys.RemoveAll(inner.Dir)
		_ = fsys.RemoveAll(fsys.PathJoin(dir, dbDir))
		if failed != nil {
			return failed
		}
		return classifyDir("write a copy to", dir, err)
	}
	return nil
}
