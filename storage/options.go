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

// Options say how a data directory is opened. The zero value of all but Dir is a default.
type Options struct {
	// Dir is the data directory.
	Dir string
	// BlockCacheBytes holds uncompressed blocks of tables. Default 64 MiB, at least 1 MiB.
	BlockCacheBytes int64
	// MemtableBytes holds what is committed and not yet in a table. Four memtables share it with one more that is kept to
	// be used again, and as much of a write-ahead log there may be to replay after a crash. Default 80 MiB, at least 5 MiB;
	// one memtable is at most 64 MiB: docs/decisions/0010-memtables.md.
	MemtableBytes int64
	// Create makes the directory if there is none. Without it, or with ReadOnly, Open opens only one that is there.
	Create bool
	// Prepare is called with the open store before Open returns, every time: it writes the first rows of a new directory,
	// and refuses an old one that it can't serve. Its error fails Open. A directory that a crash left before Open first
	// returned is new again. Default: none.
	Prepare func(s Store, isNew bool) error
	// ReadOnly leaves every file of the directory as it is, which must be there: the log is replayed into
	// memory, nothing is compacted, and commits fail.
	ReadOnly bool
	// Logger takes warnings, and the messages of Pebble at level debug. Default: none.
	Logger *slog.Logger
	// FS is where the directory is. Default: the operating system's.
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
	memtables    = 4 // one that is written to, and up to three that are being flushed
	memtableMin  = 1 << 20
	memtableMax  = 64 << 20
	tableMin     = int64(4 << 20)
	bloomBits    = 10 // 1 % false positives
	pebbleFormat = pebble.FormatValueSeparation
)

// memtableSize is that of one memtable, where all of them have so many bytes.
func memtableSize(bytes int64) int {
	return int(max(memtableMin, min(bytes/(memtables+1), memtableMax)))
}

// cacheSize is how many bytes of blocks fit into so many bytes of memory. On Go's heap a block takes the next size class,
// a seventh more than it has.
func cacheSize(bytes int64) int64 {
	if outsideHeap {
		return bytes
	}
	return bytes / 8 * 7
}

// pebbleOptions are the settings of the database; o has its defaults.
func pebbleOptions(o *Options) *pebble.Options {
	memtable := int64(memtableSize(o.MemtableBytes))
	p := &pebble.Options{
		FS:                          o.FS,
		ReadOnly:                    o.ReadOnly,
		FormatMajorVersion:          pebbleFormat,
		CacheSize:                   cacheSize(o.BlockCacheBytes),
		MemTableSize:                uint64(memtable),
		MemTableStopWritesThreshold: memtables,
		// A flush is one sublevel. Compacting two at once keeps reads short; commits wait only when
		// compactions are far behind.
		L0CompactionThreshold: 4,
		L0StopWritesThreshold: 24,
		LBaseMaxBytes:         max(64<<20, memtable),
		MaxOpenFiles:          1000,
		// One compaction leaves the other core to ingest; a debt allows more, up to half the cores.
		CompactionConcurrencyRange: func() (lower, upper int) { return 1, max(1, runtime.GOMAXPROCS(0)/2) },
		// Free space below which the disk is reported as low.
		FreeSpaceThresholdBytes: 1 << 30,
	}
	// A table's filter is read whole, and made in memory: small ones where there is little of it. Each level's are twice as large
	// as those of the level above, up to half of the cache.
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

// compression is chosen by measurement: docs/decisions/0005-compression.md.
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

// ShortLived is the first byte of the keys of rows that are deleted in the order of their keys soon after they were
// written: the shards' logs. Tables hold such rows or others, never both.
const ShortLived = 0x03

// spanPolicy ends a table where short-lived rows begin and where they end. So a table of log records holds
// nothing else, and is dropped whole, unread, once the log that it holds is deleted.
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
