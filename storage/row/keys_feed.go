package row

import (
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/graph"
)

// feedKind is a kind of row beside the feed's blocks.
type feedKind byte

const (
	feedSettings feedKind = 1 // one row
	feedState    feedKind = 2 // one row a shard
	feedTrim     feedKind = 3 // one row a shard
	feedMark     feedKind = 4 // one row a root that was told under other rules than most
	feedSink     feedKind = 5 // one row a receiver
)

const (
	feedKindLen    = 2
	feedShardLen   = feedKindLen + 2
	feedMarkKeyLen = feedShardLen + 16

	// MaxFeedSinkName is the longest name of a receiver of the feed, in bytes.
	MaxFeedSinkName = MaxKeyLen - feedKindLen
)

// AppendFeedKey appends the key of the block of the shard's feed whose last entry has a number.
func AppendFeedKey(b []byte, shard graph.ShardID, number uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceFeed, shard), number)
}

// ParseFeedKey reads what AppendFeedKey wrote. It fails with ErrKeyShape.
func ParseFeedKey(key []byte) (graph.ShardID, uint64, error) { return parseSeqKey(key, SpaceFeed) }

func appendFeedKind(b []byte, kind feedKind) []byte {
	return append(b, byte(SpaceFeedState), byte(kind))
}

// AppendFeedSettingsKey appends the key of the feed's settings.
func AppendFeedSettingsKey(b []byte) []byte { return appendFeedKind(b, feedSettings) }

// AppendFeedStateKey appends the key of a shard's end of the feed.
func AppendFeedStateKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedKind(b, feedState), uint16(shard))
}

// AppendFeedTrimKey appends the key of a shard's beginning of the feed.
func AppendFeedTrimKey(b []byte, shard graph.ShardID) []byte {
	return binary.BigEndian.AppendUint16(appendFeedKind(b, feedTrim), uint16(shard))
}

// AppendFeedMarkKey appends the key of a root's mark.
func AppendFeedMarkKey(b []byte, shard graph.ShardID, root graph.NodeKey) []byte {
	return root.AppendBinary(binary.BigEndian.AppendUint16(appendFeedKind(b, feedMark), uint16(shard)))
}

// AppendFeedSinkKey appends the key of a receiver's place. REQUIRES: 1 <= len(name) <= MaxFeedSinkName
func AppendFeedSinkKey(b []byte, name string) []byte {
	return append(appendFeedKind(b, feedSink), name...)
}

// Bounds of the rows of a kind: the lower one is inside, the upper one outside.

// AppendFeedMarksLower appends the first possible key of a mark.
func AppendFeedMarksLower(b []byte) []byte { return appendFeedKind(b, feedMark) }

// AppendFeedMarksUpper appends the key after the last of a mark.
func AppendFeedMarksUpper(b []byte) []byte { return appendFeedKind(b, feedMark+1) }

// AppendFeedSinksLower appends the first possible key of a receiver's place.
func AppendFeedSinksLower(b []byte) []byte { return appendFeedKind(b, feedSink) }

// AppendFeedSinksUpper appends the key after the last of a receiver's place.
func AppendFeedSinksUpper(b []byte) []byte { return appendFeedKind(b, feedSink+1) }

// parseFeedStateKey refuses what none of the Append functions can have written.
func parseFeedStateKey(key []byte) error {
	ok := false
	if len(key) >= feedKindLen {
		switch feedKind(key[1]) {
		case feedSettings:
			ok = len(key) == feedKindLen
		case feedState, feedTrim:
			ok = len(key) == feedShardLen
		case feedMark:
			ok = len(key) == feedMarkKeyLen
		case feedSink:
			ok = len(key) > feedKindLen && len(key) <= MaxKeyLen
		}
	}
	if !ok {
		return fmt.Errorf("%w: % x as %s", ErrKeyShape, key, SpaceFeedState)
	}
	return nil
}

// CheckFeedStateRow reads a row of the space feed state: kindred verify calls it for each.
func CheckFeedStateRow(d *Decoder, key, value []byte) error {
	if err := parseFeedStateKey(key); err != nil {
		return err
	}
	var err error
	switch feedKind(key[1]) {
	case feedSettings:
		_, err = d.FeedSettings(value)
	case feedState:
		_, err = d.FeedState(value)
	case feedTrim:
		_, err = d.FeedTrim(value)
	case feedMark:
		_, err = d.FeedMark(value)
	case feedSink:
		_, err = d.FeedSink(value)
	}
	return err
}
