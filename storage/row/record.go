package row

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/msgpack"
	"github.com/kindred-id/kindred/storage"
)

// Sources of inputs from outside the shards. Shards are numbered from 0.
const (
	ExternalInput   = 0xFFFF // Body is an event, whole
	ExternalMessage = 0xFFFE // Body is a message: an operator's assertion
)

// Record is the log record of one commit of a shard: its inputs, in order, and the messages to other shards that
// follow from them.
type Record struct {
	Seq     uint64 // number of the record in the shard's log
	Now     int64  // ms since 1970 UTC
	Inputs  []Input
	Outputs []Output
	Acks    []Ack
}

// Input is one input that a shard took.
type Input struct {
	Source uint16 // a shard, ExternalInput or ExternalMessage
	Seq    uint64 // its number in that shard's channel
	Body   []byte
}

// Output is a message to another shard.
type Output struct {
	To   uint16
	Seq  uint64 // its number in the channel
	Body []byte
}

// Ack acknowledges the messages up to a number on behalf of another shard.
type Ack struct {
	To  uint16
	Seq uint64
}

// SpaceLog holds the shards' logs.
const SpaceLog Space = storage.ShortLived

var logKind = &kind{
	space: SpaceLog, name: "log",
	key:   []field{shardField, seqField},
	about: "one row a commit, packed; short-lived",
	check: checkRecord,
}

// AppendLogKey appends the key of the shard's log record seq.
func AppendLogKey(b []byte, shard graph.ShardID, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(appendShard(b, SpaceLog, shard), seq)
}

// ParseLogKey reads the format of AppendLogKey. It fails with ErrKeyShape.
func ParseLogKey(key []byte) (graph.ShardID, uint64, error) { return logKind.parseSeq(key) }

func checkRecord(d *Decoder, key, value []byte) error {
	data, err := Unpack(value)
	if err != nil {
		return err
	}
	r, err := d.Record(data)
	if seq := binary.BigEndian.Uint64(key[shardPrefixLen:]); err == nil && r.Seq != seq {
		err = fmt.Errorf("%w: record %d says that it is record %d", storage.ErrCorrupt, seq, r.Seq)
	}
	return err
}

// Tags of the entries of a record, and the number of values in an entry.
const (
	tagEnd    = 0 // tag, number of entries before it
	tagInput  = 1 // tag, source, seq, body
	tagOutput = 2 // tag, to, seq, body
	tagAck    = 3 // tag, to, seq
)

// An entry is an array, so a reader knows its length before its tag; one with a tag of another length is damaged:
//
//	input   | 1 | source | seq | body |      ack   | 3 | to | seq |
//	output  | 2 | to     | seq | body |      end   | 0 | count |
var entryFields = [...]int{tagEnd: 2, tagInput: 4, tagOutput: 4, tagAck: 3}

// The checksum is a MessagePack number of fixed width: its code, and four bytes.
const checksumLen = 1 + 4

// A RecordWriter builds a record in one buffer, entry by entry:
//
//	 1 B
//	+---------+-----+-----+-------+-----+-------+------------+--------------------+
//	| version | seq | now | entry | ... | entry | end, count | crc32c of all that |
//	+---------+-----+-----+-------+-----+-------+------------+--------------------+
//
// Bodies are copied once, into their final place. The zero value is ready for Reset. One goroutine at a time uses a
// RecordWriter, and it must not be copied.
type RecordWriter struct {
	out   writer
	count uint64
}

// Reset begins a record in buf, of which it takes ownership; it overwrites buf from the start.
func (w *RecordWriter) Reset(buf []byte, seq uint64, now int64) {
	w.out.b = append(buf[:0], recordVersion)
	w.count = 0
	w.out.uint(seq)
	w.out.int(now)
}

// AddInput adds an input. Its body is Bytes()[start:end].
func (w *RecordWriter) AddInput(source uint16, seq uint64, body []byte) (start, end int) {
	w.entry(tagInput, source, seq)
	return w.out.blob(body)
}

// AddOutput adds a message to another shard. Its body is Bytes()[start:end].
func (w *RecordWriter) AddOutput(to uint16, seq uint64, body []byte) (start, end int) {
	w.entry(tagOutput, to, seq)
	return w.out.blob(body)
}

// AddAck adds an acknowledgement by another shard.
func (w *RecordWriter) AddAck(to uint16, seq uint64) { w.entry(tagAck, to, seq) }

func (w *RecordWriter) entry(tag int, shard uint16, seq uint64) {
	w.count++
	w.out.array(entryFields[tag])
	w.out.uint(uint64(tag))
	w.out.uint(uint64(shard))
	w.out.uint(seq)
}

// Bytes returns the whole record. Slices of it stay valid when the writer is Reset to another buffer; adding to this
// record requires a new call of Bytes.
func (w *RecordWriter) Bytes() []byte {
	entries := len(w.out.b)
	w.out.array(entryFields[tagEnd])
	w.out.uint(tagEnd)
	w.out.uint(w.count)
	whole := appendChecksum(w.out.b)
	w.out.b = whole[:entries]
	return whole
}

func appendChecksum(b []byte) []byte {
	sum := crc32.Checksum(b, castagnoli)
	return binary.BigEndian.AppendUint32(append(b, msgpack.Uint32), sum)
}

// Record reads a record. Bodies share src's memory.
func (d *Decoder) Record(src []byte) (Record, error) {
	in := recordReader{d.begin("log record", src)}
	in.version(recordVersion)
	in.checksum()
	r := Record{Seq: in.uint(), Now: in.int()}
	for count := uint64(0); in.err == nil; count++ {
		if !in.entry(&r, count) {
			break
		}
	}
	if err := in.finish(); err != nil {
		return Record{}, err
	}
	return r, nil
}

// PutRecord writes a log record, packed.
func (e *Encoder) PutRecord(b *storage.Batch, shard graph.ShardID, seq uint64, record []byte) {
	e.key = AppendLogKey(e.key[:0], shard, seq)
	e.setPacked(b, record)
}

// DeleteRecords deletes the log records of a shard with from <= seq < to. REQUIRES: from < to
func DeleteRecords(b *storage.Batch, shard graph.ShardID, from, to uint64) {
	b.DeleteRange(AppendLogKey(nil, shard, from), AppendLogKey(nil, shard, to))
}

// ScanRecords calls fn with the log records of a shard with seq >= from, each unpacked in memory of its own, not decoded.
func ScanRecords(s storage.Store, shard graph.ShardID, from uint64, fn func(seq uint64, record []byte) error) error {
	return s.Iterate(AppendLogKey(nil, shard, from), AppendShardUpper(nil, SpaceLog, shard), func(key, value []byte) error {
		_, seq, err := ParseLogKey(key)
		if err != nil {
			return err
		}
		record, err := Unpack(value)
		if err != nil {
			return fmt.Errorf("log of shard %d, record %d: %w", shard, seq, err)
		}
		return fn(seq, record)
	})
}

// A recordReader reads records.
type recordReader struct{ *reader }

// checksum verifies the checksum at the end and cuts it off.
func (in recordReader) checksum() {
	if in.err != nil {
		return
	}
	end := len(in.b) - checksumLen
	if end < in.at || in.b[end] != msgpack.Uint32 ||
		binary.BigEndian.Uint32(in.b[end+1:]) != crc32.Checksum(in.b[:end], castagnoli) {
		in.fail(max(end, in.at), "the checksum does not match: the record is damaged or cut short")
		return
	}
	in.b = in.b[:end]
}

// entry reads an entry into the record; it returns false at the end.
func (in recordReader) entry(r *Record, count uint64) bool {
	at := in.at
	n := in.arrayLen()
	tag := in.enum("entry", tagEnd, tagAck)
	if in.err == nil && n != entryFields[tag] {
		in.fail(at, "entry %d of %d values, want %d", tag, n, entryFields[tag])
	}
	if in.err == nil && tag == tagEnd {
		if total := in.uint(); in.err == nil && total != count {
			in.fail(at, "%d entries, and the end says %d", count, total)
		}
		return false
	}
	shard, seq := in.uint16(), in.uint()
	switch tag {
	case tagInput:
		r.Inputs = append(r.Inputs, Input{shard, seq, in.blob()})
	case tagOutput:
		r.Outputs = append(r.Outputs, Output{shard, seq, in.blob()})
	case tagAck:
		r.Acks = append(r.Acks, Ack{shard, seq})
	}
	return true
}
