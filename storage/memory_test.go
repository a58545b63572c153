package storage

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestSplitMemory(t *testing.T) {
	for _, total := range []int64{MinMemory, 1 << 30, 8 << 30, 512 << 30} {
		m, err := SplitMemory(total)
		if err != nil {
			t.Fatal(err)
		}
		sum := m.BlockCache + m.Memtables + m.Duplicates + m.NodeIndex + m.Actors + m.Log + m.Ingest
		if rest := total - programBytes; sum > rest*76/100 || sum < rest*75/100 || m.Total != total {
			t.Errorf("%d: shares of %d in %+v", total, sum, m)
		}
		live := m.Duplicates + m.NodeIndex + m.Actors + m.Log + m.Ingest
		if !outsideHeap {
			live += m.BlockCache + m.Memtables
		}
		if limit := m.GoLimit(); limit < live+total/25 || limit > total*15/16 {
			t.Errorf("%d: Go's limit is %d, with shares of %d", total, limit, live)
		}
		for _, share := range []int64{m.BlockCache, m.Memtables, m.Duplicates, m.NodeIndex, m.Actors, m.Log, m.Ingest} {
			if share < (total-programBytes)*5/100 && share < 256<<20 {
				t.Errorf("%d: %+v", total, m)
			}
		}
	}
	if _, err := SplitMemory(MinMemory - 1); err == nil || !strings.Contains(err.Error(), "128 MiB") {
		t.Errorf("too little: %v", err)
	}
}

func TestDefaultMemory(t *testing.T) {
	const gib = 1 << 30
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name  string
		files fstest.MapFS
		want  int64
	}{
		{"machine", fstest.MapFS{"proc/meminfo": file("MemFree: 1 kB\nMemTotal:        8388608 kB\n")}, 4 * gib},
		{"large machine", fstest.MapFS{"proc/meminfo": file("MemTotal: 67108864 kB\n")}, 8 * gib},
		{"tiny machine", fstest.MapFS{"proc/meminfo": file("MemTotal: 131072 kB\n")}, MinMemory},
		{"unknown", fstest.MapFS{}, 1 * gib},
		{"garbage", fstest.MapFS{"proc/meminfo": file("MemTotal: many kB\n")}, 1 * gib},
		{"group, version 2", fstest.MapFS{
			"proc/meminfo":     file("MemTotal: 8388608 kB\n"),
			"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/memory.max": file("2147483648\n"), "sys/fs/cgroup/a/b/memory.max": file("max\n"),
		}, 1 * gib},
		{"group, in a container", fstest.MapFS{
			"proc/meminfo":     file("MemTotal: 8388608 kB\n"),
			"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1073741824\n"),
		}, gib / 2},
		{"group, version 1", fstest.MapFS{
			"proc/meminfo":     file("MemTotal: 8388608 kB\n"),
			"proc/self/cgroup": file("4:memory:/x\n3:cpu:/y\n"), "sys/fs/cgroup/memory/x/memory.limit_in_bytes": file("2147483648\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 1 * gib},
	} {
		if got := defaultMemory(c.files); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := DefaultMemory(); got < MinMemory || got > maxDefaultMemory {
		t.Errorf("this machine: %d", got)
	}
}
