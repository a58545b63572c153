package storage

import (
	"errors"
	"log/slog"
	"runtime"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options control how a data directory is opened. The zero value of each field except Dir selects its default.
type Options struct {
	// Dir is the data directory.
	Dir string
	// BlockCacheBytes holds uncompressed blocks of tables. Default 64 MiB, at least 1 MiB.
	BlockCacheBytes int64
	// MemtableBytes bounds the rows that are committed and not yet in a table. Four memtables, or three small ones, share it
	// with one more that is kept for reuse; a crash leaves at most as much write-ahead log to replay. Default 80 MiB, at
	// least 4 MiB; one memtable has at most 64 MiB: docs/decisions/0010-memtables.md.
	MemtableBytes int64
	// Create makes the directory if it does not exist. Without it, or with ReadOnly, Open fails for an absent directory.
	Create bool
	// Prepare is called with the open store before Open returns, every time. It writes the first rows of a new directory
	// and refuses an existing one that it can't serve. Its error fails Open. A directory counts as new again if a crash
	// came before Open first returned. Default: nothing is called.
	Prepare func(s Store, isNew bool) error
	// ReadOnly changes no file of the directory, which must exist: the log is replayed into memory, compactions do not
	// run, and commits fail.
	ReadOnly bool
	// Logger receives warnings, and the messages of Pebble at level debug. Default: discards them.
	Logger *slog.Logger
	// Node names the node of a cluster that the directory belongs to, in words. A directory belongs to one node for ever, or to
	// none. Default: none.
	Node string
	// FS is the file system of the directory. Default: the operating system's.
	FS vfs.FS
}

func (o *Options) setDefaults() error {
	if o.Dir == "" {
		return errors.New("open a data directory: no path is given")
	}
	if o.BlockCacheBytes == 0 {
		o.BlockCacheBytes = 64 << 20
	}
	o.BlockCacheBytes = max(o.BlockCacheBytes, 1<<20)
	if o.MemtableBytes == 0 {
		o.MemtableBytes = 80 << 20
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return nil
}

const (
	memtables    = 4 // one takes writes, up to three are being flushed
	memtablesFew = 3 // where memory is little
	memtableLow  = 16 << 20
	memtableMin  = 1 << 20
	memtableMax  = 64 << 20
	tableMin     = int64(4 << 20)
	bloomBits    = 10 // 1 % false positives
	pebbleFormat = pebble.FormatValueSeparation
)

// memtableShape is how many memtables share the given bytes with one that is kept for reuse, and the size of each.
//
// Each becomes tables of its own, and a look-up asks the filters of all that are not compacted yet. So where memory is
// little, there are fewer and larger ones: docs/decisions/0038-cold-identities.md.
func memtableShape(bytes int64) (count int, size int64) {
	count = memtables
	if bytes/(memtables+1) < memtableLow {
		count = memtablesFew
	}
	return count, max(memtableMin, min(bytes/int64(count+1), memtableMax))
}

// cacheSize is the number of bytes of blocks that fit into the given memory. On Go's heap a block is rounded up to
// the next size class, a seventh more than its size.
func cacheSize(bytes int64) int64 {
	if outsideHeap {
		return bytes
	}
	return bytes / 8 * 7
}

// pebbleOptions returns the settings of the database. REQUIRES: o has its defaults set.
func pebbleOptions(o *Options) *pebble.Options {
	count, memtable := memtableShape(o.MemtableBytes)
	p := &pebble.Options{
		FS:                          o.FS,
		ReadOnly:                    o.ReadOnly,
		FormatMajorVersion:          pebbleFormat,
		CacheSize:                   cacheSize(o.BlockCacheBytes),
		MemTableSize:                uint64(memtable),
		MemTableStopWritesThreshold: count,
		// A flush adds one sublevel. Compacting two at once keeps reads short; commits wait only when compactions
		// have far too much to do.
		L0CompactionThreshold: 4,
		L0StopWritesThreshold: 24,
		LBaseMaxBytes:         max(64<<20, memtable),
		MaxOpenFiles:          1000,
		// One compaction leaves the other cores to ingest; a large debt allows more, up to half the cores.
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, max(1, runtime.GOMAXPROCS(0)/2) },
		// FreeSpaceThresholdBytes is the free space below which Pebble reports the disk as low.
		FreeSpaceThresholdBytes: 1 << 30,
	}
	// Pebble builds a table's filter in memory and reads it whole, so tables are small when memory is. The tables of each level
	// are twice as large as those of the level above, up to half of the cache.
	most := max(tableMin, cacheSize(o.BlockCacheBytes)/2)
	for i := range p.TargetFileSizes {
		p.TargetFileSizes[i] = min(tableMin<<i, most)
	}
	for i := range p.Levels {
		p.Levels[i].BlockSize = 8 << 10
		p.Levels[i].IndexBlockSize = 64 << 10
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(bloomBits)
	}
	setCompression(p, compression)
	p.Experimental.SpanPolicyFunc = spanPolicy
	return p
}

// compression was chosen by measurement: docs/decisions/0005-compression.md.
func compression(level int) *sstable.CompressionProfile {
	if level < 6 {
		return sstable.NoCompression
	}
	return sstable.FastestCompression
}

func setCompression(p *pebble.Options, profile func(level int) *sstable.CompressionProfile) {
	for level := range p.Levels {
		chosen := profile(level)
		p.Levels[level].Compression = func() *sstable.CompressionProfile { return chosen }
	}
}

// ShortLived is the first key byte of rows that are deleted in key order soon after they are written: the shards'
// logs. A table holds such rows or others, never both.
const ShortLived = 0x03

// spanPolicy ends a table at the start and at the end of the short-lived rows. A table of log records therefore holds
// nothing else, and Pebble drops it whole, without reading it, once its part of the log is deleted.
func spanPolicy(start []byte) (pebble.SpanPolicy, []byte, error) {
	switch {
	case len(start) == 0 || start[0] < ShortLived:
		return pebble.SpanPolicy{}, []byte{ShortLived}, nil
	case start[0] < ShortLived+1:
		return pebble.SpanPolicy{}, []byte{ShortLived + 1}, nil
	default:
		return pebble.SpanPolicy{}, nil, nil
	}
}
