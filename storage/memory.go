package storage

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// MinMemory is the lower bound of the memory setting; maxDefaultMemory is the upper bound of its default.
const (
	MinMemory        = 128 << 20
	maxDefaultMemory = 8 << 30
)

// Memory is the memory setting, divided among the parts of the process. All values are in bytes.
//
//	(program)   66 MiB   code, tables of the program, buffers of the write-ahead log, stacks; the rest is divided:
//	block cache   15 %   uncompressed blocks of tables
//	memtables      8 %   committed rows that are not yet in a table; at most 256 MiB
//	duplicates    13 %   the memory of duplicates, all shards
//	node index     6 %   fingerprints of stored nodes, all shards
//	actors        20 %   resident components
//	log            6 %   events whose profiles are written later, which a start may have to replay, and free buffers of the
//	                     log's records, a ninth; at most 512 MiB
//	ingest         8 %   events read and not yet committed, in all their forms; at most 256 MiB
//	(garbage)     24 %   dead objects not yet collected
//
// The block cache takes what a bounded share can't use. docs/decisions/0012-memory.md has the measurements.
type Memory struct {
	Total      int64
	BlockCache int64
	Memtables  int64
	Duplicates int64
	NodeIndex  int64
	Actors     int64
	Log        int64
	Ingest     int64
}

// SplitMemory divides total bytes. It fails below MinMemory.
func SplitMemory(total int64) (Memory, error) {
	if total < MinMemory {
		return Memory{}, fmt.Errorf("memory of %d MiB is too little: give at least %d MiB", total>>20, MinMemory>>20)
	}
	percent := func(p int64) int64 { return (total - programBytes) / 100 * p }
	m := Memory{
		Total:      total,
		BlockCache: percent(15),
		Memtables:  min(percent(8), (memtables+1)*memtableMax),
		Duplicates: percent(13),
		NodeIndex:  percent(6),
		Actors:     percent(20),
		Log:        min(percent(6), 512<<20),
		Ingest:     min(percent(8), 256<<20),
	}
	m.BlockCache += percent(22) - m.Memtables - m.Log - m.Ingest
	return m, nil
}

// programBytes is what the process takes regardless of its data.
const programBytes = 66 << 20

// codeBytes is the part of programBytes that Go does not count: the pages of the executable, and what the system
// keeps for the process. It leaves room for the heap that Go uses beyond its limit until a collection ends.
const codeBytes = 36 << 20

// CommitBytes is the largest size that one commit should have. Pebble keeps a commit of half a memtable or more,
// counting its overhead for each row, in memory of its own beside the memtables.
func (m *Memory) CommitBytes() int {
	_, size := memtableShape(m.Memtables)
	return int(size / 4)
}

// GCPercent, set with debug.SetGCPercent, lets garbage grow to four times the live heap: most garbage of an event is
// dead at once, and a collection costs by the live heap. GoLimit bounds the growth where memory does.
const GCPercent = 400

// GoLimit is the part of the memory that Go's runtime may use, set with debug.SetMemoryLimit. It excludes the program
// itself, page tables and stacks of the system, and what Pebble allocates outside Go's heap: the cache and the
// memtables.
func (m *Memory) GoLimit() int64 {
	limit := m.Total - max(m.Total/16, codeBytes)
	if outsideHeap {
		limit -= m.BlockCache + m.Memtables
	}
	return limit
}

// DefaultMemory is half of the memory of this machine, or of the control group of this process, between MinMemory and
// maxDefaultMemory.
func DefaultMemory() int64 {
	return defaultMemory(os.DirFS("/").(fileReader))
}

// fileReader is the part of a file system that machine memory is read from.
type fileReader interface {
	ReadFile(name string) ([]byte, error)
}

func defaultMemory(files fileReader) int64 {
	available := min(machineMemory(files), groupMemory(files))
	if available == math.MaxInt64 {
		available = 2 * 1 << 30 // unknown: assume a small machine
	}
	return max(MinMemory, min(available/2, maxDefaultMemory))
}

// machineMemory reads MemTotal; it returns math.MaxInt64 if that is unknown.
func machineMemory(files fileReader) int64 {
	text, err := files.ReadFile("proc/meminfo")
	if err != nil {
		return math.MaxInt64
	}
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("MemTotal:")); ok {
			fields := bytes.Fields(rest)
			if len(fields) == 2 && string(fields[1]) == "kB" {
				if kb, err := strconv.ParseInt(string(fields[0]), 10, 53); err == nil {
					return kb << 10
				}
			}
		}
	}
	return math.MaxInt64
}

// groupMemory returns the lowest limit of the process's control group and its parents, version 2 or 1; math.MaxInt64
// if there is no limit.
func groupMemory(files fileReader) int64 {
	limit := int64(math.MaxInt64)
	text, _ := files.ReadFile("proc/self/cgroup")
	paths := []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"}
	for line := range strings.Lines(string(text)) {
		// "0::/path" in version 2, "n:memory:/path" in version 1.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for dir := filepath.Clean("/" + parts[2]); dir != "/"; dir = filepath.Dir(dir) {
			switch parts[1] {
			case "":
				paths = append(paths, "sys/fs/cgroup"+dir+"/memory.max")
			case "memory":
				paths = append(paths, "sys/fs/cgroup/memory"+dir+"/memory.limit_in_bytes")
			}
		}
	}
	for _, path := range paths {
		text, err := files.ReadFile(path)
		if err != nil {
			continue
		}
		// "max" in version 2, or a number close to 2^63 in version 1, is no limit.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 && n < limit {
			limit = n
		}
	}
	return limit
}
