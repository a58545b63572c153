package trial

import (
	"syscall"
	"time"
)

// ProcessorTime returns the user and system time of this process, or 0 if the system does not report it.
func ProcessorTime() time.Duration {
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(self, &created, &exited, &kernel, &user); err != nil {
		return 0
	}
	return ticks(kernel) + ticks(user)
}

// ticks reads a duration, which Windows counts in units of 100 ns. Filetime.Nanoseconds would not do: it reads a point in
// time, and subtracts the years from 1601 to 1970.
func ticks(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
