package dedupe

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
)

// Space is the first key byte of this package's rows.
const Space = 0x06

// keyLen is the length of a key in bytes: space, shard, kind, generation, run, block.
const keyLen = 1 + 2 + 1 + 8 + 4 + 4

// rowKind is a kind of row in the memory of duplicates. Each shard has two memories, whose rows have the same forms:
//
//	1 added   2 run   3 filter    of the events that the shard has taken (New)
//	4 added   5 run   6 filter    of the message ids that belong to the shard (NewIDs)
type rowKind byte

const (
	addedRow  rowKind = 1 // hashes in the order of their addition; in memory again after a restart
	runRow    rowKind = 2 // a block of a sorted run
	filterRow rowKind = 3 // the filter and fences of a run
	rowKinds  rowKind = 4 // the end of the kinds of one memory

	// idRows is added to the kinds of the rows that belong to the memory of message ids.
	idRows = rowKinds - 1
)

// rowKey names a row of the memory of duplicates. run is 0 for addedRow; block counts the parts of the description
// for filterRow.
type rowKey struct {
	shard      graph.ShardID
	kind       rowKind
	generation uint64
	run, block uint32
}

func (k rowKey) append(b []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, Space), uint16(k.shard))
	b = binary.BigEndian.AppendUint64(append(b, byte(k.kind)), k.generation)
	b = binary.BigEndian.AppendUint32(b, k.run)
	return binary.BigEndian.AppendUint32(b, k.block)
}

// parseKey reads the format of append and rejects everything else.
func parseKey(key []byte) (rowKey, error) {
	if len(key) != keyLen || key[0] != Space {
		return rowKey{}, fmt.Errorf("% x as a key of %d bytes of the memory of duplicates", key, keyLen)
	}
	k := rowKey{
		shard:      graph.ShardID(binary.BigEndian.Uint16(key[1:])),
		kind:       rowKind(key[3]),
		generation: binary.BigEndian.Uint64(key[4:]),
		run:        binary.BigEndian.Uint32(key[12:]),
		block:      binary.BigEndian.Uint32(key[16:]),
	}
	if k.kind == 0 || k.kind >= idRows+rowKinds {
		return rowKey{}, fmt.Errorf("% x as a key of the memory of duplicates: no kind %d", key, k.kind)
	}
	return k, nil
}

// CheckKey rejects a key that this package can't have written.
func CheckKey(key []byte) error {
	_, err := parseKey(key)
	return err
}
