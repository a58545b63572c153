package server

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor times in /proc, on all Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// ProcessorTime is the user and system time of the server and its children, or 0 where there is no /proc.
func (s *Server) ProcessorTime() (total time.Duration) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	pid := strconv.Itoa(s.PID())
	for _, entry := range entries {
		if entry.Name()[0] < '0' || entry.Name()[0] > '9' {
			continue
		}
		raw, err := os.ReadFile("/proc/" + entry.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		// The name of the program is in brackets and may hold anything; the state and the parent follow it.
		fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
		if len(fields) < 15 || entry.Name() != pid && fields[1] != pid {
			continue
		}
		times := fields[11:13] // of itself
		if entry.Name() == pid {
			times = fields[11:15] // and of its children that have ended
		}
		for _, field := range times {
			ticks, _ := strconv.ParseInt(field, 10, 64)
			total += time.Duration(ticks) * clockTick
		}
	}
	return total
}
