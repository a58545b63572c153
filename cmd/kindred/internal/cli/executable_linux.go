package cli

import (
	"bytes"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// giveBackExecutable takes the pages of the executable out of this process's memory. Of 40 MB that are resident after a
// start, most were read by the initialisers of packages, and are not read again; a page that is, comes back by a fault.
//
// Pages of the program's code are dropped: nothing ever writes them. Those of its read-only data may have been written by
// a loader, so the system is asked to page them out, which keeps what was written; it does so for the owner of the file,
// and otherwise they stay. Failures don't matter: memory is then as before.
func giveBackExecutable() {
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return
	}
	for line := range bytes.Lines(maps) {
		// "00400000-01b3a000 r-xp 00000000 fe:00 10314464      /usr/bin/kindred"
		fields := bytes.Fields(line)
		if len(fields) != 6 || string(fields[5]) != executable {
			continue
		}
		var advice uintptr
		switch string(fields[1]) {
		case "r-xp":
			advice = unix.MADV_DONTNEED
		case "r--p":
			advice = unix.MADV_PAGEOUT
		default:
			continue
		}
		first, last, _ := bytes.Cut(fields[0], []byte{'-'})
		from, err := strconv.ParseUint(string(first), 16, 64)
		if err != nil {
			continue
		}
		to, err := strconv.ParseUint(string(last), 16, 64)
		if err != nil {
			continue
		}
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(from), uintptr(to-from), advice)
	}
}
