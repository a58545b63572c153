package actors

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A process begins what it says to another one with a version and a kind. Numbers are varints, and bytes have their length before
// them. Events, messages and nodes are encoded as in rows, in the version that all processes read.
//
//	           1 B       1 B
//	         +---------+--------+-------+-------+------+
//	question | version | kind   | shard | clock | body |   clock: the asker's, for the order of the change feed
//	         +---------+--------+-------+-------+------+
//	answer   | version | status | clock | body |
//	         +---------+--------+-------+------+---------------------------------------------------+
//	envelope | version | to | from | ack + 1, or 0 | clock | edition | n | n × (seq, epoch, body)  |
//	         +---------+----+------+---------------+-------+---------+---+-------------------------+
const networkVersion = 2

type questionKind uint8

const (
	askView       questionKind = 1 + iota // the row of a root, or where a forward leads
	askDeliver                            // to take inputs
	askTimeline                           // events of a node
	askPosition                           // in an external channel
	askStatus                             // what a shard holds and has done
	askLanded                             // how many messages were sent, and have landed
	askRest                               // whether all is at rest
	askPasses                             // how far passes over shards are
	askDeparted                           // how many messages of processes that are no more were sent, and have landed
	askHere                               // whether a shard is there
	askFeedEnds                           // how far the change feed is in the shards that are there
	askFeedBlocks                         // for blocks of the change feed
	askShut                               // to let deliveries wait, for a hold
	askHeld                               // what is under way while they do
	askOpen                               // to let them go on
	lastQuestion
)

// strongly is a bit of the kind of a question whose read is strong.
const strongly questionKind = 1 << 7

// of is the kind for the reads of a context.
func (k questionKind) of(ctx context.Context) questionKind {
	if isStrong(ctx) {
		return k | strongly
	}
	return k
}

// The statuses of answers.
const (
	statusAnswered  uint8 = 1 + iota
	statusElsewhere       // the shard is not here
	statusFailed          // body is the error's text
	statusBacklog         // events are not taken in
	lastStatus
)

func appendQuestion(b []byte, kind questionKind, to graph.ShardID, clock uint64, body []byte) []byte {
	b = append(b, networkVersion, byte(kind))
	b = binary.AppendUvarint(b, uint64(to))
	b = binary.AppendUvarint(b, clock)
	return append(b, body...)
}

func readQuestion(src []byte) (kind questionKind, to graph.ShardID, clock uint64, body *wireReader, err error) {
	r := &wireReader{b: src}
	r.version()
	kind = questionKind(r.byte())
	to = graph.ShardID(r.below(row.MaxShards))
	clock = r.uint()
	if of := kind &^ strongly; r.err == nil && (of == 0 || of >= lastQuestion) {
		r.fail("question of unknown kind")
	}
	return kind, to, clock, r, r.err
}

func appendAnswer(b []byte, status uint8, clock uint64, body []byte) []byte {
	b = append(b, networkVersion, status)
	b = binary.AppendUvarint(b, clock)
	return append(b, body...)
}

func readAnswer(src []byte) (status uint8, clock uint64, body *wireReader, err error) {
	r := &wireReader{b: src}
	r.version()
	status = r.byte()
	clock = r.uint()
	if r.err == nil && (status == 0 || status >= lastStatus) {
		r.fail("answer of unknown status")
	}
	return status, clock, r, r.err
}

// AppendPost appends an envelope and where it goes.
func AppendPost(b []byte, p *shard.Post) []byte {
	b = append(b, networkVersion)
	b = binary.AppendUvarint(b, uint64(p.To))
	b = binary.AppendUvarint(b, uint64(p.From))
	ack := uint64(0)
	if p.HasAck {
		ack = p.Acked + 1
	}
	b = binary.AppendUvarint(b, ack)
	b = binary.AppendUvarint(b, p.Clock)
	b = binary.AppendUvarint(b, p.Edition)
	b = binary.AppendUvarint(b, uint64(len(p.Messages)))
	for i := range p.Messages {
		b = binary.AppendUvarint(b, p.Messages[i].Seq)
		b = binary.AppendUvarint(b, p.Messages[i].Epoch)
		b = appendBytes(b, p.Messages[i].Body)
	}
	return b
}

// ParsePost reads what AppendPost has written. The bodies of messages share its memory. It fails with storage.ErrCorrupt.
func ParsePost(src []byte) (shard.Post, error) {
	r := &wireReader{b: src}
	r.version()
	p := shard.Post{To: graph.ShardID(r.below(row.MaxShards)), Envelope: shard.Envelope{From: graph.ShardID(r.below(row.MaxShards))}}
	if ack := r.uint(); ack > 0 {
		p.Acked, p.HasAck = ack-1, true
	}
	p.Clock, p.Edition = r.uint(), r.uint()
	n := r.count(3)
	if n > 0 {
		p.Messages = make([]shard.Wire, n)
	}
	for i := range p.Messages {
		p.Messages[i] = shard.Wire{Seq: r.uint(), Epoch: r.uint(), Body: r.bytes()}
	}
	return p, r.end()
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A wireReader reads what another process has sent. After the first error it returns zeros. Bytes share the memory of what is read.
type wireReader struct {
	b   []byte
	err error
}

func (r *wireReader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: from another process: %s", storage.ErrCorrupt, what)
	}
	r.b = nil
}

func (r *wireReader) version() {
	if v := r.byte(); r.err == nil && v != networkVersion {
		r.fail(fmt.Sprintf("version %d, this program knows version %d", v, networkVersion))
	}
}

func (r *wireReader) byte() byte {
	if len(r.b) == 0 {
		r.fail("it is cut off")
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *wireReader) bool() bool { return r.byte() != 0 }

func (r *wireReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *wireReader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("a number is cut off")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *wireReader) below(most uint64) uint64 {
	v := r.uint()
	if v >= most {
		r.fail("a number is too large")
		return 0
	}
	return v
}

// count reads how many follow, each of which takes at least so many bytes.
func (r *wireReader) count(size int) int {
	v := r.uint()
	if v > uint64(len(r.b)/size) {
		r.fail("a list is cut off")
		return 0
	}
	return int(v)
}

func (r *wireReader) bytes() []byte {
	n := r.count(1)
	s := r.b[:n:n]
	r.b = r.b[n:]
	return s
}

func (r *wireReader) nodeKey() (key graph.NodeKey) {
	if len(r.b) < 16 {
		r.fail("a key is cut off")
		return key
	}
	key = graph.NodeKey{Hi: binary.BigEndian.Uint64(r.b), Lo: binary.BigEndian.Uint64(r.b[8:])}
	r.b = r.b[16:]
	return key
}

func (r *wireReader) end() error {
	if r.err == nil && len(r.b) > 0 {
		r.fail("bytes after the end")
	}
	return r.err
}

// Inputs from outside travel in the form
//
//	kind | prev | seq | channel | from | body
//
// Each takes at least inputLeast bytes.
const (
	inputEvent uint8 = 1 + iota
	inputMessage
	inputTell
	inputTidy
	inputSeek
	inputFill
	inputWake

	inputLeast = 6
)

func appendInputs(b []byte, epoch uint64, inputs []shard.Input) []byte {
	b = binary.AppendUvarint(b, epoch)
	b = binary.AppendUvarint(b, uint64(len(inputs)))
	for i := range inputs {
		in := &inputs[i]
		kind := inputSeek
		switch {
		case in.Event != nil:
			kind = inputEvent
		case in.Message != nil:
			kind = inputMessage
		case in.Tell:
			kind = inputTell
		case in.Tidy:
			kind = inputTidy
		case in.Fill:
			kind = inputFill
		case in.Wake:
			kind = inputWake
		}
		b = append(b, kind)
		b = binary.AppendVarint(b, in.Prev)
		b = binary.AppendUvarint(b, in.Seq)
		b = binary.AppendUvarint(b, uint64(in.Channel))
		b = binary.AppendUvarint(b, uint64(in.From))
		b = appendBytes(b, in.Body)
	}
	return b
}

// readInputs reads inputs for a shard. They share the memory of what is read.
func (r *wireReader) readInputs(to graph.ShardID, shards int) ([]shard.Input, error) {
	epoch := r.uint()
	inputs := make([]shard.Input, r.count(inputLeast))
	dec := row.NewDecoder()
	for i := range inputs {
		in := &inputs[i]
		kind := r.byte()
		*in = shard.Input{Epoch: epoch, Prev: r.int(), Seq: r.uint(), Channel: row.ChannelID(r.below(1 << 16)), From: graph.ShardID(r.below(row.MaxShards)), Body: r.bytes()}
		var err error
		switch kind {
		case inputEvent:
			in.Event, err = dec.Event(in.Body)
		case inputMessage:
			in.Message, err = dec.Message(in.Body)
		case inputTell:
			in.Tell = true
		case inputTidy:
			in.Tidy = true
		case inputFill:
			in.Fill = true
		case inputWake:
			in.Wake = true
		case inputSeek:
		default:
			r.fail("input of unknown kind")
		}
		if r.err != nil {
			return nil, r.err
		}
		if err != nil {
			return nil, err
		}
		if in.Event != nil && len(in.Event.Identifiers) == 0 {
			r.fail("event without identifiers")
			return nil, r.err
		}
		if of := in.Shard(shards); of != to {
			r.fail("input of another shard")
			return nil, r.err
		}
	}
	return inputs, r.end()
}

func appendStats(b []byte, s *shard.Stats) []byte {
	for _, n := range []uint64{s.Accepted, s.Duplicates, s.Conflicting, s.Splits, s.Generic, s.Quarantined, s.Record} {
		b = binary.AppendUvarint(b, n)
	}
	for _, n := range []int64{s.Identities, s.Active, int64(s.Residents), s.ActorBytes, s.LogBytes, int64(s.Waiting)} {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func readStats(r *wireReader) (s shard.Stats, err error) {
	for _, n := range []*uint64{&s.Accepted, &s.Duplicates, &s.Conflicting, &s.Splits, &s.Generic, &s.Quarantined, &s.Record} {
		*n = r.uint()
	}
	s.Identities, s.Active, s.Residents = r.int(), r.int(), int(r.int())
	s.ActorBytes, s.LogBytes, s.Waiting = r.int(), r.int(), int(r.int())
	return s, r.end()
}
