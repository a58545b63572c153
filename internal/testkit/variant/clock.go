package variant

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"time"
)

// Clock is by how much the wall clock of programs is moved: those that were built with MovedClock, and have Env in their environment.
// Their monotonic clock goes on, as it does where an operator or a time server sets the clock of a machine.
type Clock struct{ file string }

// NewClock makes a clock in a folder, which is not moved yet.
func NewClock(folder string) (Clock, error) {
	c := Clock{filepath.Join(folder, "clock")}
	return c, c.Move(0)
}

// Env is what a program needs in its environment to follow the clock.
func (c Clock) Env() string { return clockVariable + "=" + c.file }

// Move moves the clock: by the whole seconds of a time from the machine's, not from where it was.
func (c Clock) Move(by time.Duration) error {
	f, err := os.OpenFile(c.file, os.O_CREATE|os.O_WRONLY, 0o600) // in place: programs have the file in memory
	if err != nil {
		return err
	}
	if _, err := f.Write(binary.NativeEndian.AppendUint64(nil, uint64(by/time.Second))); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

const clockVariable = "KINDRED_TEST_CLOCK"

// MovedClock makes the wall clock of a program follow a Clock.
func MovedClock() []Edit {
	return []Edit{
		{"std/time/time.go", "\tsec, nsec, mono := runtimeNow()\n\tif mono == 0 {", "\tsec, nsec, mono := runtimeNow()\n\tsec += movedBy()\n\tif mono == 0 {"},
		{"std/time/moved.go", "", `package time

import (
	"syscall"
	"unsafe"
)

// moved is the file of a clock in memory; nil if the clock is the machine's.
var moved = func() *int64 {
	file, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return nil
	}
	fd, err := syscall.Open(file, syscall.O_RDONLY, 0)
	if err != nil {
		panic("` + clockVariable + `: " + err.Error())
	}
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("` + clockVariable + `: " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&b[0]))
}()

func movedBy() int64 {
	if moved == nil {
		return 0
	}
	return *moved
}
`},
	}
}
