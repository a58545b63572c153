package row

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Range is the keys from Lower to below Upper.
type Range struct{ Lower, Upper []byte }

// Holds reports whether a range has all keys of another one.
func (r *Range) Holds(other Range) bool {
	return bytes.Compare(r.Lower, other.Lower) <= 0 && bytes.Compare(other.Upper, r.Upper) <= 0
}

// ShardRanges returns the ranges that have all rows of a shard, and no other row: what is to be copied or dropped with it.
// They are in the order of keys, one a kind of row.
func ShardRanges(shard graph.ShardID) []Range {
	ranges := make([]Range, 0, len(kinds))
	for _, k := range kinds {
		if k.catalog {
			continue
		}
		prefix := []byte{byte(k.space), k.row}[:k.head()]
		lower := binary.BigEndian.AppendUint16(bytes.Clone(prefix), uint16(shard))
		ranges = append(ranges, Range{lower, afterShard(prefix, shard)})
	}
	return ranges
}

// CopyRanges returns the ranges of the rows of a shard without its position in the journal, in the order of keys, and the key of that.
func CopyRanges(shard graph.ShardID) (ranges [][2][]byte, position []byte) {
	for _, r := range ShardRanges(shard) {
		if Space(r.Lower[0]) == SpaceJournal {
			position = r.Lower
			continue
		}
		ranges = append(ranges, [2][]byte{r.Lower, r.Upper})
	}
	return ranges, position
}

// afterShard returns the first key after those that begin with a prefix and a shard.
func afterShard(prefix []byte, shard graph.ShardID) []byte {
	upper := bytes.Clone(prefix)
	if shard == MaxShards-1 {
		upper[len(upper)-1]++ // no space and no row is 0xff
		return upper
	}
	return binary.BigEndian.AppendUint16(upper, uint16(shard)+1)
}

// ShardOf returns the shard that a row belongs to. It fails with ErrKeyShape for a key of the catalog or of no row.
func ShardOf(key []byte) (graph.ShardID, error) {
	k, err := kindOf(key)
	if err != nil {
		return 0, err
	}
	if k.catalog {
		return 0, fmt.Errorf("%w: % x as a key of a shard: %s belongs to none", ErrKeyShape, key, k.name)
	}
	return readShard(key[k.head():]), nil
}

// OpsOf returns the batch of operations that storage.Batch.Ops returned in another process, on its way to a copy of a shard.
// It fails with ErrCorrupt for bytes that are no batch, and for one that touches anything but rows of the shard, or its
// position in the journal, which only the reader of the journal knows.
func OpsOf(ops []byte, n uint32, shard graph.ShardID) (*storage.Batch, error) {
	b, err := storage.BatchOf(ops, n)
	if err != nil {
		return nil, err
	}
	ranges := ShardRanges(shard)
	for key, upper := range b.Keys() {
		if err := ownKey(key, upper, shard, ranges); err != nil {
			return nil, fmt.Errorf("%w: batch of shard %d: %w", storage.ErrCorrupt, shard, err)
		}
	}
	return b, nil
}

// ownKey reports an error unless an operation on a key, or on a range from it to upper, keeps within a shard.
func ownKey(key, upper []byte, shard graph.ShardID, ranges []Range) error {
	if len(key) > 0 && Space(key[0]) == SpaceJournal {
		return fmt.Errorf("it writes the position in the journal, key % x", key)
	}
	if upper == nil {
		of, err := ShardOf(key)
		if err == nil && of != shard {
			err = fmt.Errorf("key % x is of shard %d", key, of)
		}
		return err
	}
	for i := range ranges {
		if ranges[i].Holds(Range{key, upper}) {
			return nil
		}
	}
	return fmt.Errorf("it deletes from % x to % x, which is not within the shard", key, upper)
}
