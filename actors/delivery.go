package actors

import (
	"sync/atomic"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Delivery is a group of events or assertions from outside that is answered together, once all of
// it is durable. It may be used again after it was answered.
type Delivery struct {
	Outcomes []Outcome // in the order of Add; valid once answered

	inputs []Input
	sorted []Input
	counts []int
	bytes  int64
	left   atomic.Int64
	done   func(error)
	failed atomic.Bool
}

// Reset empties the delivery and keeps its memory.
func (d *Delivery) Reset() {
	clear(d.inputs)
	clear(d.sorted)
	d.inputs, d.sorted, d.Outcomes, d.bytes = d.inputs[:0], d.sorted[:0], d.Outcomes[:0], 0
}

// cost is the memory that an input takes until it is durable: its encoding is copied into the record, the batch, the block
// of a timeline and the commit; and there is what it was decoded to, its place in queues, and its outcome.
func cost(encoded []byte) int64 { return 4*int64(len(encoded)) + 1024 }

// Event adds an event with its encoding. Both stay as they are until the delivery is answered.
func (d *Delivery) Event(e *graph.Event, encoded []byte) {
	d.inputs = append(d.inputs, Input{Event: e, Body: encoded})
	d.bytes += cost(encoded)
}

// Record adds an event of an external channel with its encoding. seq is its number there, and prev that of
// the channel's event before it that went to the same shard, NoNumber when there is none. It is taken if
// and only if prev is the position of its shard in the channel and seq is above it; else its outcome is
// OutOfTurn. A duplicate, or one whose handler fails, advances the position all the same.
func (d *Delivery) Record(e *graph.Event, encoded []byte, ch *Channel, prev, seq int64) {
	d.inputs = append(d.inputs, Input{Event: e, Body: encoded, Channel: ch.id, Prev: prev, Seq: uint64(seq)})
	d.bytes += cost(encoded)
}

// seek adds that a shard's position in an external channel is to be number, whatever it is.
func (d *Delivery) seek(id storage.ChannelID, shard graph.ShardID, number int64) {
	d.inputs = append(d.inputs, Input{Channel: id, From: shard, Seq: uint64(number)})
}

// message adds a message from outside that is no event: an assertion, a recheck.
func (d *Delivery) message(m *graph.Message, encoded []byte) {
	d.inputs = append(d.inputs, Input{Message: m, Body: encoded})
	d.bytes += cost(encoded)
}

// Len is the number of inputs.
func (d *Delivery) Len() int { return len(d.inputs) }

func (in *Input) shard(shards int) graph.ShardID {
	switch {
	case in.Event != nil:
		return in.Event.Route().Shard(shards)
	case in.Message != nil:
		return in.Message.To.Shard(shards)
	default:
		return in.From
	}
}

// sort lays the inputs out by shard, in their order within each, and returns where each shard's end.
func (d *Delivery) sort(shards int) []int {
	n := len(d.inputs)
	d.Outcomes = append(d.Outcomes[:0], make([]Outcome, n)...)
	d.sorted = append(d.sorted[:0], d.inputs...)
	d.counts = append(d.counts[:0], make([]int, shards+1)...)
	for i := range d.inputs {
		d.counts[d.inputs[i].shard(shards)+1]++
	}
	for s := range shards {
		d.counts[s+1] += d.counts[s]
	}
	for i := range d.inputs {
		in := d.inputs[i]
		in.Outcome, in.delivery = &d.Outcomes[i], d
		s := in.shard(shards)
		d.sorted[d.counts[s]] = in
		d.counts[s]++ // now where the shard's inputs end
	}
	return d.counts[:shards]
}

// answer notes that n inputs are durable; the last one answers the delivery.
func (d *Delivery) answer(n int) {
	if d.left.Add(-int64(n)) == 0 && d.failed.CompareAndSwap(false, true) {
		d.done(nil)
	}
}

// fail answers the delivery with an error, unless it was answered.
func (d *Delivery) fail(err error) {
	if d.failed.CompareAndSwap(false, true) {
		d.done(err)
	}
}
