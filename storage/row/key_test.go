package row

import (
	"bytes"
	"encoding/binary"
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
		appendAccessKeyKey(nil, "0"), appendAccessKeyKey(nil, "0123456789abcdef"), appendKeptAnswerKey(nil, &[16]byte{15: 1}), appendDeadLetterKey(nil, 7), appendDefinitionsKey(nil),
		appendClusterNodeKey(nil, "n1"), appendClusterNodeKey(nil, "n2.example"),
		appendMetaKey(nil, 0), appendMetaKey(nil, 1), appendMetaKey(nil, 65535),
		AppendLogKey(nil, 0, 0), AppendLogKey(nil, 0, 255), AppendLogKey(nil, 0, 256), AppendLogKey(nil, 65535, 1<<64-1),
		AppendNodeKey(nil, 7, a), AppendNodeKey(nil, 7, b),
		appendTimelineKey(nil, 7, a, 0), appendTimelineKey(nil, 7, a, 1<<64-1), appendTimelineKey(nil, 7, b, 0),
		{6, 0, 7, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 3},
		{6, 0, 7, 2, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3},
		appendQuarantineKey(nil, 0, 4),
		appendChannelKey(nil, 1), appendChannelKey(nil, 65535),
		appendPositionKey(nil, 0), appendPositionKey(nil, 65535),
		appendFeedKey(nil, 7, 9),
		appendFeedSettingsKey(nil), appendFeedStateKey(nil, 7), appendFeedTrimKey(nil, 7), appendFeedMarkKey(nil, 7, a),
		appendFeedSinkKey(nil, "crm"), appendFeedFloorsKey(nil),
		AppendGroupKey(nil, 7, a), appendMemberKey(nil, 7, a, sampleUser), appendMemberKey(nil, 7, a, sampleCookie),
		appendToldKey(nil, 7, a), appendAudienceMemberKey(nil, 7, 3, a), appendAudienceMemberKey(nil, 7, 3, b), appendAudienceCountKey(nil, 7, 3),
		appendWakeKey(nil, 7, 255, b), appendWakeKey(nil, 7, 256, a), appendTellingKey(nil, 7),
		appendMarkingKey(nil, 0), appendMarkingKey(nil, 65535),
		appendJournalPositionKey(nil, 0), appendJournalPositionKey(nil, 65535),
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
		if k, err := kindOf(key); err == nil && k.named() {
			continue // a longer and a shorter name are names too
		}
		for _, bad := range [][]byte{key[:len(key)-1], append(slices.Clone(key), 0), append([]byte{0x1e}, key[1:]...), {0}} {
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

// named reports whether the key ends with a name of any length.
func (k *kind) named() bool { return len(k.key) > 0 && k.key[len(k.key)-1].bytes == 0 }

// writeKey writes a key again with the append function of its kind.
func writeKey(t *testing.T, k *kind, key []byte) []byte {
	t.Helper()
	fields, err := k.fields(key)
	if err != nil {
		t.Fatalf("% x: %v", key, err)
	}
	seq := func(write func([]byte, graph.ShardID, uint64) []byte) []byte {
		return write(nil, readShard(fields), binary.BigEndian.Uint64(fields[2:]))
	}
	switch k {
	case deploymentKind:
		return appendDeploymentKey(nil)
	case rulesKind:
		return appendRulesKey(nil)
	case parametersKind:
		return appendParametersKey(nil)
	case accessKeyKind:
		return appendAccessKeyKey(nil, string(fields))
	case clusterNodeKind:
		return appendClusterNodeKey(nil, string(fields))
	case keptAnswerKind:
		return appendKeptAnswerKey(nil, (*[16]byte)(fields))
	case deadLetterKind:
		return appendDeadLetterKey(nil, binary.BigEndian.Uint64(fields))
	case metaKind:
		return appendMetaKey(nil, readShard(fields))
	case logKind:
		return seq(AppendLogKey)
	case nodeKind:
		return AppendNodeKey(nil, readShard(fields), readNodeKey(fields[2:]))
	case timelineKind:
		return appendTimelineKey(nil, readShard(fields), readNodeKey(fields[2:]), binary.BigEndian.Uint64(fields[18:]))
	case seenKind:
		return key // FuzzKey of package dedupe
	case quarantineKind:
		return seq(appendQuarantineKey)
	case channelKind:
		return appendChannelKey(nil, ChannelID(binary.BigEndian.Uint16(fields)))
	case positionKind:
		return appendPositionKey(nil, readShard(fields))
	case feedKind:
		return seq(appendFeedKey)
	case feedSettingsKind:
		return appendFeedSettingsKey(nil)
	case feedStateKind:
		return appendFeedStateKey(nil, readShard(fields))
	case feedTrimKind:
		return appendFeedTrimKey(nil, readShard(fields))
	case feedMarkKind:
		return appendFeedMarkKey(nil, readShard(fields), readNodeKey(fields[2:]))
	case feedSinkKind:
		return appendFeedSinkKey(nil, string(fields))
	case feedFloorsKind:
		return appendFeedFloorsKey(nil)
	case definitionsKind:
		return appendDefinitionsKey(nil)
	case markingKind:
		return appendMarkingKey(nil, readShard(fields))
	case toldKind:
		return appendToldKey(nil, readShard(fields), readNodeKey(fields[2:]))
	case audienceMemberKind:
		return appendAudienceMemberKey(nil, readShard(fields), binary.BigEndian.Uint32(fields[2:]), readNodeKey(fields[6:]))
	case audienceCountKind:
		return appendAudienceCountKey(nil, readShard(fields), binary.BigEndian.Uint32(fields[2:]))
	case wakeKind:
		return appendWakeKey(nil, readShard(fields), int64(binary.BigEndian.Uint64(fields[2:])), readNodeKey(fields[10:]))
	case tellingKind:
		return appendTellingKey(nil, readShard(fields))
	case journalPositionKind:
		return appendJournalPositionKey(nil, readShard(fields))
	case groupKind:
		return AppendGroupKey(nil, readShard(fields), readNodeKey(fields[2:]))
	case memberKind:
		return appendMemberKey(nil, readShard(fields), readNodeKey(fields[2:]), readMember(fields[18:]))
	}
	t.Fatalf("%s: a kind that writeKey does not know", k.name)
	return nil
}

// The sample has a key of every kind.
func TestSampleKeysOfEveryKind(t *testing.T) {
	sampled := make(map[*kind]bool)
	for _, key := range sampleKeys() {
		k, err := kindOf(key)
		if err != nil {
			t.Fatal(err)
		}
		sampled[k] = true
		if again := writeKey(t, k, key); !bytes.Equal(again, key) {
			t.Errorf("% x was read, and written as % x", key, again)
		}
	}
	for _, k := range kinds {
		if !sampled[k] {
			t.Errorf("%s: no sample", k.name)
		}
	}
}

// The append function of a kind writes every key that ParseKey accepts.
func FuzzKeys(f *testing.F) {
	for _, key := range sampleKeys() {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key []byte) {
		k, err := kindOf(key)
		if err != nil {
			return
		}
		if again := writeKey(t, k, key); !bytes.Equal(again, key) {
			t.Errorf("% x was read, and written as % x", key, again)
		}
	})
}
