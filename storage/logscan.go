package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A crash may tear the last record of the write-ahead log: it was not acknowledged, and is dropped.
// Damage further up must not be taken for that, or everything after it is dropped, too. Pebble
// tells the two apart by offsets up to which later records promise that the log was synced, but counts
// only the last block of each write, so with records of more than a block it sees next to nothing.
//
// Commits are written one at a time, each synced before the next one (Pebble.Commit). So, here: when a
// record begins after the first chunk that can't be read, that chunk was synced, and is damaged.
//
// The log, in blocks of 32 KiB that a chunk never crosses:
//
//	4 B      2 B      1 B    4 B          8 B
//	+--------+--------+------+------------+-------------+---------+
//	| CRC-32 | length | kind | log number | sync offset | payload |
//	+--------+--------+------+------------+-------------+---------+
const (
	logBlock      = 32 << 10
	logHeader     = 19
	logChunkFull  = 9 // a record in one chunk
	logChunkFirst = 10
	logChunkLast  = 12
)

// checkLog looks through the newest write-ahead log of a database for damage in the middle. Older ones
// end with a trailer, and Pebble refuses them without. It fails with class ErrCorrupt.
func checkLog(fsys vfs.FS, db string) error {
	names, err := fsys.List(db)
	if err != nil {
		return classify("open", db, err)
	}
	newest, number := "", uint64(0)
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, ".log")
		if n, err := strconv.ParseUint(digits, 10, 64); ok && err == nil && n >= number {
			newest, number = name, n
		}
	}
	if newest == "" {
		return nil
	}
	path := fsys.PathJoin(db, newest)
	f, err := fsys.Open(path, vfs.SequentialReadsOption)
	if err != nil {
		return classifyDir("open", path, err)
	}
	defer f.Close()
	damaged, later, err := scanLog(f, uint32(number))
	if err != nil {
		return classifyDir("read", path, err)
	}
	if later >= 0 {
		return &Error{
			Class: ErrCorrupt, Op: "open", Path: path, Remedy: remedies[ErrCorrupt],
			Err: fmt.Errorf("the log can't be read at byte %d, and goes on at byte %d", damaged, later),
		}
	}
	return nil
}

// scanLog finds the first place where the log can't be read and the beginning of a record after it; -1
// where there is none.
func scanLog(r io.Reader, number uint32) (damaged, later int64, err error) {
	block := make([]byte, logBlock)
	damaged = -1
	for start := int64(0); ; start += logBlock {
		n, err := io.ReadFull(r, block)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			if errors.Is(err, io.EOF) {
				return damaged, -1, nil
			}
			return damaged, -1, err
		}
		for at := 0; at < n; {
			kind, size := readChunk(block[at:n], number)
			if size == 0 {
				// The end of a block without room for a chunk is zeros, which is no damage.
				if n-at < logHeader {
					break
				}
				if damaged < 0 {
					damaged = start + int64(at)
				}
				at++ // its length may be wrong: look everywhere
				continue
			}
			if damaged >= 0 && (kind == logChunkFull || kind == logChunkFirst) {
				return damaged, start + int64(at), nil
			}
			at += size
		}
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readChunk gives the kind and the size of the chunk at the beginning of b; 0 and 0 when there is none
// of this log: its end, what an earlier use of the file left, or damage.
func readChunk(b []byte, number uint32) (kind byte, size int) {
	if len(b) < logHeader {
		return 0, 0
	}
	kind = b[6]
	size = logHeader + int(binary.LittleEndian.Uint16(b[4:]))
	if kind < logChunkFull || kind > logChunkLast || size > len(b) || binary.LittleEndian.Uint32(b[7:]) != number {
		return 0, 0
	}
	// Pebble's checksum is rotated and offset, as LevelDB's is.
	sum := crc32.Checksum(b[6:size], castagnoli)
	if sum = sum>>15 | sum<<17; sum+0xa282ead8 != binary.LittleEndian.Uint32(b) {
		return 0, 0
	}
	return kind, size
}
