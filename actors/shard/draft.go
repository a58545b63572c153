package shard

import (
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// A draft is the record of the log that the step under way makes: the inputs that it took, and the messages to other shards,
// which get their numbers here. A step that ends with a draft that was not begun makes no record.
//
// A record has three kinds of entries: inputs, outputs, and acknowledgements (row.RecordWriter). These inputs come
// from nodes and clients; the shard and its observers add others, under sources of their own:
//
//	source          seq               body
//	0xffff          0                 event, whole
//	0xfffe          0                 assertion or other message from outside
//	another shard   number            message, or notes of message ids
//	this shard      0                 message from one of its nodes to another
//	sourceSkipped   number            the other shard's id: its message was passed over or set aside
type draft struct {
	shard   *Shard
	record  row.RecordWriter
	buffer  []byte    // of the record
	begun   bool      // the record holds something, or is to be written for what the shard notes beside it
	sending []sending // messages to other shards
}

// start makes room for a record of about a size.
func (d *draft) start(size int, now int64) {
	d.buffer = d.shard.config.Buffers.Take(size)
	d.record.Reset(d.buffer, d.number(), now)
	d.begun, d.sending = false, d.sending[:0]
}

// number is that of the record, now and once it is in the log.
func (d *draft) number() uint64 { return d.shard.log.last() + 1 }

// add adds an input to the record.
func (d *draft) add(source uint16, seq uint64, body []byte) (start, end int) {
	d.begun = true
	return d.record.AddInput(source, seq, body)
}

// post numbers a message to another shard, and adds it to the record.
//
// The number is given here, once, and not when the message leaves: a message that is sent again after a crash must
// have the number that it had, or the receiver would take it twice.
func (d *draft) post(to graph.ShardID, body []byte, epoch uint64) {
	d.begun = true
	seq := d.shard.channels.number(to)
	start, end := d.record.AddOutput(uint16(to), seq, body)
	d.sending = append(d.sending, sending{to, seq, start, end, epoch, row.BringsEvent(body)})
}

// skip notes that a message was passed over.
//
// The position in the channel has to move in the log, too. A recovery that did not know of the message would wait
// for its number, which the sender deleted when it was acknowledged.
func (d *draft) skip(in *Input) {
	c := &d.shard.codec
	c.body = binary.AppendUvarint(c.body[:0], uint64(in.From))
	d.add(sourceSkipped, in.Seq, c.body)
}

// end gives the memory of the record back, which may have outgrown its first buffer.
func (d *draft) end(record []byte) {
	d.shard.config.Buffers.Give(record)
	d.buffer = nil
}
