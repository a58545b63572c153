//go:build unix

package storage

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lockHolder reports whether a failure to lock path means that a process holds the lock, and which one; pid is 0 if
// that is unknown.
func lockHolder(path string, err error) (pid int, held bool) {
	var errno unix.Errno
	var pathErr *fs.PathError
	switch {
	case errors.As(err, &pathErr):
		return 0, false // the file could not be made
	case !errors.As(err, &errno):
		// Pebble answers without asking the system when this very process holds the lock. We must not open the file
		// in that case: closing it again would release the lock.
		return os.Getpid(), true
	case errno != unix.EAGAIN && errno != unix.EACCES:
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, true
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0, true
	}
	return int(lock.Pid), true
}
