package row

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// SpaceTimeline holds the blocks of the nodes' timelines.
const SpaceTimeline Space = 0x05

var timelineKind = &kind{
	space: SpaceTimeline, name: "timeline",
	key:   []field{shardField, nodeField, seqField},
	about: "one row a block of events, packed",
	check: checkBlock,
}

// appendTimelineKey appends the key of the timeline block seq of a node.
func appendTimelineKey(b []byte, shard graph.ShardID, node graph.NodeKey, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(node.AppendBinary(appendShard(b, SpaceTimeline, shard)), seq)
}

// ParseTimelineKey reads the format of appendTimelineKey. It fails with ErrKeyShape.
func ParseTimelineKey(key []byte) (graph.ShardID, graph.NodeKey, uint64, error) {
	b, err := timelineKind.fields(key)
	if err != nil {
		return 0, graph.NodeKey{}, 0, err
	}
	return readShard(b), readNodeKey(b[2:]), binary.BigEndian.Uint64(b[18:]), nil
}

func checkBlock(d *Decoder, _, value []byte) error {
	data, err := Unpack(value)
	if err != nil {
		return err
	}
	return d.Block(data, func([]byte) error { return nil })
}

// eventLeast is a lower bound of the size of an event, in bytes.
const eventLeast = 2

// Block appends a block of a timeline: encoded events, in the given order. Each event is bytes with a version of its
// own, so a block is made of events as they were taken, and may hold several versions.
//
//	 1 B
//	+---------+-----------------+-----+-----------------+
//	| version | version | event | ... | version | event |   an array of bytes, one an event
//	+---------+-----------------+-----+-----------------+
func (e *Encoder) Block(dst []byte, events [][]byte) []byte {
	out := e.begin(dst)
	out.start(blockVersion)
	out.array(len(events))
	for _, event := range events {
		out.blob(event)
	}
	return e.finish()
}

// Block calls each with every encoded event of a block, in order, until it returns an error, which Block then
// returns. The events share src's memory. each may use the decoder. If the block is damaged, Block may have called
// each for the events before the damage.
func (d *Decoder) Block(src []byte, each func(event []byte) error) error {
	in := d.begin("timeline block", src)
	in.version(blockVersion)
	n := in.list(1, eventLeast)
	for range n {
		event := in.blob()
		if in.err != nil {
			break
		}
		here := in.cursor
		if err := each(event); err != nil {
			in.b = nil
			return err
		}
		in.cursor = here
	}
	return in.finish()
}

// PutBlock writes a block of a node's timeline, packed; see Block.
func (e *Encoder) PutBlock(b *storage.Batch, shard graph.ShardID, node graph.NodeKey, seq uint64, events [][]byte) {
	e.key, e.value = appendTimelineKey(e.key[:0], shard, node, seq), e.Block(e.value[:0], events)
	e.setPacked(b, e.value)
}

// ScanTimelines calls fn with the stored events of a shard's nodes, node by node, those of a node in the order in which they were
// written. It begins after a node, or with the first for the zero key, and ends early with an error of fn, which it returns.
func (d *Decoder) ScanTimelines(s storage.Store, shard graph.ShardID, after graph.NodeKey, fn func(node graph.NodeKey, event []byte) error) error {
	lower := AppendShardLower(nil, SpaceTimeline, shard)
	if !after.IsZero() {
		lower = append(appendTimelineKey(nil, shard, after, math.MaxUint64), 0)
	}
	return s.Iterate(lower, AppendShardUpper(nil, SpaceTimeline, shard), func(key, value []byte) error {
		_, node, _, err := ParseTimelineKey(key)
		if err != nil {
			return err
		}
		block, err := Unpack(value)
		if err != nil {
			return fmt.Errorf("timeline of node %s: %w", node, err)
		}
		return d.Block(block, func(event []byte) error { return fn(node, event) })
	})
}

// ScanTimeline calls fn with the events of a node's blocks whose numbers are below before, in the order in which they were written.
func (d *Decoder) ScanTimeline(s storage.Store, shard graph.ShardID, node graph.NodeKey, before uint64, fn func(event []byte) error) error {
	lower, upper := appendTimelineKey(nil, shard, node, 0), appendTimelineKey(nil, shard, node, before)
	return s.Iterate(lower, upper, func(_, value []byte) error {
		block, err := Unpack(value)
		if err != nil {
			return fmt.Errorf("timeline of node %s: %w", node, err)
		}
		return d.Block(block, fn)
	})
}
