//go:build !unix

package storage

import (
	"errors"
	"io/fs"
)

// lockHolder reports whether a failure to lock path means that another process holds the lock; the holder is unknown.
func lockHolder(_ string, err error) (pid int, held bool) {
	return 0, !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist)
}
