package row

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
)

// Lengths of keys, in bytes.
const (
	shardPrefixLen = 1 + 2
	nodeKeyLen     = shardPrefixLen + 16

	// maxNamedLen bounds the keys that end in a name.
	maxNamedLen = nodeKeyLen + 8
	// maxKeyLen bounds every key: a buffer of this capacity never grows.
	maxKeyLen = nodeKeyLen + 16
)

func appendShard(b []byte, space Space, shard graph.ShardID) []byte {
	b = append(b, byte(space))
	return binary.BigEndian.AppendUint16(b, uint16(shard))
}

// Bounds of ranges. Each pair of functions appends the lower bound, which is in the range, and the upper bound, which
// is not.

// AppendSpaceLower appends the first possible key of a space, over all shards.
func AppendSpaceLower(b []byte, space Space) []byte { return append(b, byte(space)) }

// AppendSpaceUpper appends the key after the last of a space, over all shards.
func AppendSpaceUpper(b []byte, space Space) []byte { return append(b, byte(space)+1) }

// AppendShardLower appends the first possible key of a shard in a space.
func AppendShardLower(b []byte, space Space, shard graph.ShardID) []byte {
	return appendShard(b, space, shard)
}

// AppendShardUpper appends the key after the last of a shard in a space.
func AppendShardUpper(b []byte, space Space, shard graph.ShardID) []byte {
	if shard == 1<<16-1 {
		return AppendSpaceUpper(b, space)
	}
	return appendShard(b, space, shard+1)
}

// readShard reads the shard at the beginning of b. REQUIRES: len(b) >= 2.
func readShard(b []byte) graph.ShardID { return graph.ShardID(binary.BigEndian.Uint16(b)) }

// parseSeq reads a key of a shard and a number.
func (k *kind) parseSeq(key []byte) (graph.ShardID, uint64, error) {
	b, err := k.fields(key)
	if err != nil {
		return 0, 0, err
	}
	return readShard(b), binary.BigEndian.Uint64(b[2:]), nil
}

// parseShard reads a key of a shard.
func (k *kind) parseShard(key []byte) (graph.ShardID, error) {
	b, err := k.fields(key)
	if err != nil {
		return 0, err
	}
	return readShard(b), nil
}

// readNodeKey reads the first 16 bytes of b. REQUIRES: len(b) >= 16.
func readNodeKey(b []byte) graph.NodeKey {
	return graph.NodeKey{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}
