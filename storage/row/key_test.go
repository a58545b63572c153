package row

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

func sampleKeys() [][]byte {
	a, b := graph.NodeKey{Hi: 1, Lo: 2}, graph.NodeKey{Hi: 1, Lo: 3}
	return [][]byte{ // ascending
		appendDeploymentKey(nil), appendRulesKey(nil), appendParametersKey(nil),
		appendMetaKey(nil, 0), appendMetaKey(nil, 1), appendMetaKey(nil, 65535),
		AppendLogKey(nil, 0, 0), AppendLogKey(nil, 0, 255), AppendLogKey(nil, 0, 256), AppendLogKey(nil, 65535, 1<<64-1),
		AppendNodeKey(nil, 7, a), AppendNodeKey(nil, 7, b),
		appendTimelineKey(nil, 7, a, 0), appendTimelineKey(nil, 7, a, 1<<64-1), appendTimelineKey(nil, 7, b, 0),
		{6, 0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3},
		{6, 0, 7, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3},
		appendQuarantineKey(nil, 0, 4),
		appendChannelKey(nil, 1), appendChannelKey(nil, 65535),
		appendPositionKey(nil, 0), appendPositionKey(nil, 65535),
	}
}

func TestKeysSortAsNumbers(t *testing.T) {
	keys := sampleKeys()
	if !slices.IsSortedFunc(keys, bytes.Compare) {
		t.Errorf("not ascending: % x", keys)
	}
	for _, key := range keys {
		if space, err := ParseKey(key); err != nil || space != Space(key[0]) || len(key) > maxKeyLen {
			t.Errorf("% x: %v, %v", key, space, err)
		}
	}
}

func TestBounds(t *testing.T) {
	node := graph.NodeKey{Hi: 1, Lo: 2}
	for _, c := range []struct {
		lower, upper []byte
		inside       func(key []byte) bool
	}{
		{AppendSpaceLower(nil, SpaceLog), AppendSpaceUpper(nil, SpaceLog), func(k []byte) bool { return KeySpace(k) == SpaceLog }},
		{AppendShardLower(nil, SpaceLog, 65535), AppendShardUpper(nil, SpaceLog, 65535), func(k []byte) bool {
			shard, _, err := ParseLogKey(k)
			return err == nil && shard == 65535
		}},
		{AppendShardLower(nil, SpaceNode, 7), AppendShardUpper(nil, SpaceNode, 7), func(k []byte) bool { return KeySpace(k) == SpaceNode }},
		{appendTimelineKey(nil, 7, node, 0), appendTimelineKey(nil, 7, node, math.MaxUint64), func(k []byte) bool {
			_, n, seq, err := ParseTimelineKey(k)
			return err == nil && n == node && seq < math.MaxUint64
		}},
	} {
		for _, key := range sampleKeys() {
			in := bytes.Compare(key, c.lower) >= 0 && bytes.Compare(key, c.upper) < 0
			if in != c.inside(key) {
				t.Errorf("% x in [% x, % x): %v", key, c.lower, c.upper, in)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, key := range sampleKeys() {
		for _, bad := range [][]byte{key[:len(key)-1], append(slices.Clone(key), 0), append([]byte{0x0c}, key[1:]...), {0}} {
			if bytes.Equal(bad, appendDeploymentKey(nil)) {
				continue // what the rules row's key begins with
			}
			if _, err := ParseKey(bad); !errors.Is(err, ErrKeyShape) {
				t.Errorf("% x: %v", bad, err)
			}
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	buf := make([]byte, 0, maxKeyLen)
	node := graph.NodeKey{Hi: 1, Lo: 2}
	if n := testing.AllocsPerRun(100, func() {
		buf = appendTimelineKey(buf[:0], 7, node, 9)
		if _, _, _, err := ParseTimelineKey(buf); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The append function of a space writes every key that its parser accepts.
func FuzzKeys(f *testing.F) {
	for _, key := range sampleKeys() {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		space, err := ParseKey(key)
		if err != nil {
			return
		}
		var again []byte
		switch space {
		case spaceDeployment:
			again = appendDeploymentKey(nil)
			if len(key) == 2 {
				again = append(again, key[1])
			}
		case SpaceMeta:
			shard, _ := ParseMetaKey(key)
			again = appendMetaKey(nil, shard)
		case SpaceLog:
			shard, seq, _ := ParseLogKey(key)
			again = AppendLogKey(nil, shard, seq)
		case SpaceNode:
			shard, node, _ := ParseNodeKey(key)
			again = AppendNodeKey(nil, shard, node)
		case SpaceTimeline:
			shard, node, seq, _ := ParseTimelineKey(key)
			again = appendTimelineKey(nil, shard, node, seq)
		case SpaceSeen:
			return // FuzzKey of package dedupe
		case SpaceQuarantine:
			shard, seq, _ := parseQuarantineKey(key)
			again = appendQuarantineKey(nil, shard, seq)
		case spaceChannel:
			id, _ := parseChannelKey(key)
			again = appendChannelKey(nil, id)
		case SpacePosition:
			shard, _ := ParsePositionKey(key)
			again = appendPositionKey(nil, shard)
		case SpaceFeed:
			shard, number, _ := ParseFeedKey(key)
			again = appendFeedKey(nil, shard, number)
		case spaceFeedState:
			again = append(appendFeedRow(nil, key[1]), key[2:]...)
		}
		if !bytes.Equal(again, key) {
			t.Errorf("% x was read, and written as % x", key, again)
		}
	})
}
