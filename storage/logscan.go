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

// A crash may tear the last record of the write-ahead log. That record was not acknowledged, so it is dropped. Damage
// further up must not be mistaken for a torn tail, because everything after it would be dropped, too. Pebble
// distinguishes the two by offsets up to which later records promise that the log was synced, but it counts only the
// last block of each write, so it detects next to nothing with records of more than one block.
//
// Commits are written one at a time, each synced before the next (Pebble.Commit). Therefore, if a record begins after
// the first unreadable chunk, that chunk was synced and is damaged.
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

// checkLog searches the newest write-ahead log of a database for damage in the middle. Older logs end with a trailer,
// and Pebble refuses them without it. It fails with class ErrCorrupt.
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

// scanLog returns the first offset at which the log can't be read, and the offset of a record that begins after it;
// -1 for either if it is absent.
//
// After the damage only a chunk that begins a record counts. A middle or last chunk there may belong to the damaged
// record itself, which a crash may have torn in any of its blocks. To try every offset costs little: readChunk
// computes a checksum only where the kind, the length and the number of the log fit.
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
				at++ // its length may be wrong, so try every offset
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

// readChunk returns the kind and size of the chunk at the start of b. It returns 0 and 0 if b does not start with a
// chunk of this log: the log ended, the file holds data from an earlier use, or it is damaged.
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
