package row

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
)

// Space is the first byte of a key: what kind of row it names.
type Space byte

// The spaces. Their values are part of the format on disk.
const (
	SpaceDeployment Space = 0x01
	SpaceMeta       Space = 0x02
	SpaceLog        Space = storage.ShortLived
	SpaceNode       Space = 0x04
	SpaceTimeline   Space = 0x05
	SpaceSeen       Space = dedupe.Space
	SpaceQuarantine Space = 0x07
	SpaceChannel    Space = 0x08
	SpacePosition   Space = 0x09
	SpaceFeed       Space = 0x0a
	SpaceFeedState  Space = 0x0b
	spaceEnd        Space = 0x0c
)

var spaceNames = [spaceEnd]string{"", "deployment", "meta", "log", "node", "timeline", "seen", "quarantine", "channel", "position", "feed", "feed state"}

func (s Space) String() string {
	if s > 0 && s < spaceEnd {
		return spaceNames[s]
	}
	return fmt.Sprintf("space(%#02x)", byte(s))
}

// Lengths of keys, in bytes.
const (
	shardPrefixLen = 3
	metaKeyLen     = shardPrefixLen
	channelKeyLen  = 1 + 2
	logKeyLen      = shardPrefixLen + 8
	nodeKeyLen     = shardPrefixLen + 16
	timelineKeyLen = nodeKeyLen + 8

	// MaxKeyLen bounds every key: a buffer of this capacity never grows.
	MaxKeyLen = timelineKeyLen
)

// ErrKeyShape is returned by the parsers for a key of another space or length.
var ErrKeyShape = errors.New("key of an unexpected shape")

func appendShard(b []byte, space Space, shard graph.ShardID) []byte {
	b = append(b, byte(space))
	return binary.BigEndian.AppendUint16(b, uint16(shard))
}

// AppendDeploymentKey appends the key of the deployment row.
func AppendDeploymentKey(b []byte) []byte { return append(b, byte(SpaceDeployment)) }

// AppendRulesKey appends the key of the rules row, which stands with the deployment row.
func AppendRulesKey(b []byte) []byte { return append(b, byte(SpaceDeployment), rulesRow) }

// AppendParametersKey appends the key of the row of the scores' parameters, which stands there too.
func AppendParametersKey(b []byte) []byte { return append(b, byte(SpaceDeployment), parametersRow) }

// Rows beside the deployment row, which has no such byte in its key.
const (
	rulesRow      = 1
	parametersRow = 2
)

// AppendMetaKey appends the key of a shard's meta row.
func AppendMetaKey(b []byte, shard graph.ShardID) []byte { return appendShard(b, SpaceMeta, shard) }

// AppendLogKey appends the key of the shard's log record seq.
func AppendLogKey(b []byte, shard graph.ShardID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceLog, shard), seq)
}

// AppendNodeKey appends the key of a node's row.
func AppendNodeKey(b []byte, shard graph.ShardID, node graph.NodeKey) []byte {
	return node.AppendBinary(appendShard(b, SpaceNode, shard))
}

// AppendTimelineKey appends the key of the timeline block seq of a node.
func AppendTimelineKey(b []byte, shard graph.ShardID, node graph.NodeKey, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(node.AppendBinary(appendShard(b, SpaceTimeline, shard)), seq)
}

// AppendQuarantineKey appends the key of the shard's quarantined message seq.
func AppendQuarantineKey(b []byte, shard graph.ShardID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceQuarantine, shard), seq)
}

// AppendChannelKey appends the key of the row of an external channel.
func AppendChannelKey(b []byte, id ChannelID) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(SpaceChannel)), uint16(id))
}

// AppendPositionKey appends the key of a shard's row of positions in external channels.
func AppendPositionKey(b []byte, shard graph.ShardID) []byte {
	return appendShard(b, SpacePosition, shard)
}

// Bounds of ranges. Each pair of functions appends the lower bound, which is inside the range, and
// the upper one, which is outside it.

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

// AppendTimelineLower appends the first possible key of a node's timeline.
func AppendTimelineLower(b []byte, shard graph.ShardID, node graph.NodeKey) []byte {
	return AppendTimelineKey(b, shard, node, 0)
}

// AppendTimelineUpper appends the key after the last of a node's timeline.
func AppendTimelineUpper(b []byte, shard graph.ShardID, node graph.NodeKey) []byte {
	b = AppendTimelineKey(b, shard, node, 1<<64-1)
	return append(b, 0)
}

// KeySpace tells a key's space; 0 when it is none of ours.
func KeySpace(key []byte) Space {
	if len(key) == 0 || Space(key[0]) >= spaceEnd {
		return 0
	}
	return Space(key[0])
}

func parseShard(key []byte, space Space, length int) (graph.ShardID, []byte, error) {
	if len(key) != length || Space(key[0]) != space {
		return 0, nil, fmt.Errorf("%w: % x as %s", ErrKeyShape, key, space)
	}
	return graph.ShardID(binary.BigEndian.Uint16(key[1:])), key[shardPrefixLen:], nil
}

// ParseMetaKey reads what AppendMetaKey wrote. It fails with ErrKeyShape.
func ParseMetaKey(key []byte) (graph.ShardID, error) {
	shard, _, err := parseShard(key, SpaceMeta, metaKeyLen)
	return shard, err
}

// ParseChannelKey reads what AppendChannelKey wrote. It fails with ErrKeyShape.
func ParseChannelKey(key []byte) (ChannelID, error) {
	if len(key) != channelKeyLen || Space(key[0]) != SpaceChannel {
		return 0, fmt.Errorf("%w: % x as %s", ErrKeyShape, key, SpaceChannel)
	}
	id := ChannelID(binary.BigEndian.Uint16(key[1:]))
	if id == 0 {
		return 0, fmt.Errorf("%w: % x as %s: ids begin at 1", ErrKeyShape, key, SpaceChannel)
	}
	return id, nil
}

// ParsePositionKey reads what AppendPositionKey wrote. It fails with ErrKeyShape.
func ParsePositionKey(key []byte) (graph.ShardID, error) {
	shard, _, err := parseShard(key, SpacePosition, shardPrefixLen)
	return shard, err
}

// ParseLogKey reads what AppendLogKey wrote. It fails with ErrKeyShape.
func ParseLogKey(key []byte) (graph.ShardID, uint64, error) {
	return parseSeqKey(key, SpaceLog)
}

// ParseQuarantineKey reads what AppendQuarantineKey wrote. It fails with ErrKeyShape.
func ParseQuarantineKey(key []byte) (graph.ShardID, uint64, error) {
	return parseSeqKey(key, SpaceQuarantine)
}

func parseSeqKey(key []byte, space Space) (graph.ShardID, uint64, error) {
	shard, rest, err := parseShard(key, space, logKeyLen)
	if err != nil {
		return 0, 0, err
	}
	return shard, binary.BigEndian.Uint64(rest), nil
}

// ParseNodeKey reads what AppendNodeKey wrote. It fails with ErrKeyShape.
func ParseNodeKey(key []byte) (graph.ShardID, graph.NodeKey, error) {
	shard, rest, err := parseShard(key, SpaceNode, nodeKeyLen)
	if err != nil {
		return 0, graph.NodeKey{}, err
	}
	return shard, readNodeKey(rest), nil
}

// ParseTimelineKey reads what AppendTimelineKey wrote. It fails with ErrKeyShape.
func ParseTimelineKey(key []byte) (graph.ShardID, graph.NodeKey, uint64, error) {
	shard, rest, err := parseShard(key, SpaceTimeline, timelineKeyLen)
	if err != nil {
		return 0, graph.NodeKey{}, 0, err
	}
	return shard, readNodeKey(rest), binary.BigEndian.Uint64(rest[16:]), nil
}

// readNodeKey reads the first 16 bytes of b. REQUIRES: len(b) >= 16.
func readNodeKey(b []byte) graph.NodeKey {
	return graph.NodeKey{Hi: binary.BigEndian.Uint64(b), Lo: binary.BigEndian.Uint64(b[8:])}
}

// IsRulesKey tells the key of the rules row.
func IsRulesKey(key []byte) bool { return isBesideDeployment(key, rulesRow) }

// IsParametersKey tells the key of the row of the scores' parameters.
func IsParametersKey(key []byte) bool { return isBesideDeployment(key, parametersRow) }

func isBesideDeployment(key []byte, row byte) bool {
	return len(key) == 2 && Space(key[0]) == SpaceDeployment && key[1] == row
}

// ParseKey refuses every key that none of the Append functions of this package can have written.
// It fails with ErrKeyShape. kindred verify calls it for every row.
func ParseKey(key []byte) (Space, error) {
	var err error
	space := KeySpace(key)
	switch space {
	case SpaceDeployment:
		if len(key) != 1 && !IsRulesKey(key) && !IsParametersKey(key) {
			err = fmt.Errorf("%w: % x as deployment", ErrKeyShape, key)
		}
	case SpaceMeta:
		_, err = ParseMetaKey(key)
	case SpaceLog:
		_, _, err = ParseLogKey(key)
	case SpaceNode:
		_, _, err = ParseNodeKey(key)
	case SpaceTimeline:
		_, _, _, err = ParseTimelineKey(key)
	case SpaceSeen:
		if err = dedupe.CheckKey(key); err != nil {
			err = fmt.Errorf("%w: %w", ErrKeyShape, err)
		}
	case SpaceQuarantine:
		_, _, err = ParseQuarantineKey(key)
	case SpaceChannel:
		_, err = ParseChannelKey(key)
	case SpacePosition:
		_, err = ParsePositionKey(key)
	case SpaceFeed:
		_, _, err = ParseFeedKey(key)
	case SpaceFeedState:
		err = parseFeedStateKey(key)
	default:
		err = fmt.Errorf("%w: % x", ErrKeyShape, key)
	}
	return space, err
}
