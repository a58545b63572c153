package bench

import (
	"syscall"
	"time"
)

// processorTime is what this process has used, user and system; 0 when the system does not say.
func processorTime() time.Duration {
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

// ticks reads a span of time, which Windows counts in 100 ns. Filetime.Nanoseconds is for points in
// time: it takes off the years from 1601 to 1970.
func ticks(t syscall.Filetime) time.Duration {
	return time.Duration(int64(t.HighDateTime)<<32|int64(t.LowDateTime)) * 100
}
