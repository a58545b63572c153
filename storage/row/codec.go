package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Everything that is stored, logged or sent to another shard is a version byte and MessagePack values:
//
//	         1 B       rest
//	       +---------+------------------------------------------+
//	event  | version | array: fields in a fixed order, no names |
//	       +---------+------------------------------------------+
//
// Versions are below 128, so the byte is a MessagePack number itself. Each kind counts its own: a
// change of a kind's bytes is a new version of it, decoders go on reading the older ones, and an
// Encoder can go on writing them (Version).
//
//   - C1: an encoding is canonical. A value has one encoding in a version, and a decoder accepts no other: every
//     number and length is in its shortest form, nil stands for what is absent.
//   - C2: a decoder refuses what it does not know with ErrCorrupt: versions, kinds and numbers of no
//     meaning, arrays of another length, bytes after the end, lengths above what the input holds, and
//     evidence that breaks an order which the graph relies on.
//   - C3: a decoder allocates no more than a small multiple of its input, whatever the input says.
//   - C4: what goes into a component shares no memory with the input, and no two of its byte slices
//     share memory with each other: the graph appends to them in place.
const (
	eventVersion      = 3 // 1 had no offers and interests, 2 no context, apart and roles of an alias
	messageVersion    = 5 // 1 had events and fragments of version 1, 2 did not say when an event passed, 3 had events and fragments of 2, 4 brought identities with evidence
	nodeVersion       = 3 // 1 had fragments of version 1, 2 those of 2: one outcome for all refunds of an order
	blockVersion      = 1
	recordVersion     = 1
	metaVersion       = 2
	quarantineVersion = 1
	channelVersion    = 1
	positionVersion   = 1

	feedBlockVersion    = 1
	feedStateVersion    = 1
	feedTrimVersion     = 1
	feedMarkVersion     = 1
	feedSinkVersion     = 1
	feedSettingsVersion = 2 // 1 had rules of former programs
)

// An Encoder appends encodings to buffers. It allocates only where a buffer has no room. It belongs
// to one goroutine.
//
// What it is given holds the invariants of its type: an encoder does not check them, and a decoder
// refuses what breaks them.
type Encoder struct {
	out output
	// The following are for the Put methods.
	key, value, packed []byte
}

// set writes a row: its key was appended to e.key, its value to e.value.
func (e *Encoder) set(b *storage.Batch) { b.Set(e.key, e.value) }

// setPacked writes a row whose value is packed, and returns how many bytes that takes.
func (e *Encoder) setPacked(b *storage.Batch, value []byte) int {
	e.packed = AppendPacked(e.packed[:0], value)
	b.Set(e.key, e.packed)
	return len(e.packed)
}

// NewEncoder makes an encoder of the newest version.
func NewEncoder() *Encoder { return NewEncoderOf(Newest) }

func (e *Encoder) begin(dst []byte, version byte) *output {
	e.out.b = append(dst, version)
	return &e.out
}

func (e *Encoder) finish() []byte {
	b := e.out.b
	e.out.b = nil
	return b
}

// A Decoder reads what an Encoder or a RecordWriter wrote. Its errors are ErrCorrupt, and name the
// kind and the byte. It belongs to one goroutine.
type Decoder struct {
	key   []byte // for the Get methods
	in    input
	names map[string]string // namespaces, interned

	// The following are of what is decoded now.
	arena     arena
	version   uint64
	fragments uint64 // version of its fragments
}

// Bounds of the table of interned namespaces; what is beyond them is decoded all the same.
const (
	internedMost   = 256
	internedLength = 64 // bytes
)

// NewDecoder makes a decoder.
func NewDecoder() *Decoder { return &Decoder{names: make(map[string]string)} }

func (d *Decoder) begin(kind string, src []byte, version byte) *input {
	d.in.kind, d.in.b, d.in.at, d.in.err = kind, src, 0, nil
	d.arena = arena{}
	d.version = d.in.version(version)
	return &d.in
}

// finish is the error of what was decoded, and lets go of it.
func (d *Decoder) finish() error {
	d.in.end()
	err := d.in.err
	d.in.b, d.in.err = nil, nil
	d.arena = arena{}
	return err
}

// namespace reads a namespace; equal ones share one string.
func (d *Decoder) namespace() string {
	b := d.in.textBytes()
	if name, ok := d.names[string(b)]; ok {
		return name
	}
	name := string(b)
	if len(name) <= internedLength && len(d.names) < internedMost {
		d.names[name] = name
	}
	return name
}

// text reads a string of its own memory.
func (d *Decoder) text() string {
	b := d.in.textBytes()
	return d.arena.text(b, len(b)+d.in.left())
}

// ownBytes reads bytes into memory of their own; nil stays nil.
func (d *Decoder) ownBytes() []byte {
	b := d.in.bytes()
	return d.arena.bytes(b, len(b)+d.in.left())
}

func (o *output) stamp(s graph.Stamp) {
	o.int(s.Time)
	o.uint(uint64(s.Rank))
	o.uint(s.Tie)
}

func (in *input) stamp() graph.Stamp {
	return graph.Stamp{Time: in.int(), Rank: in.uint8(), Tie: in.uint()}
}

func (o *output) nodeName(n *graph.NodeName) {
	o.key(n.Key)
	o.text(n.Namespace)
	o.text(n.Value)
}

func (d *Decoder) nodeName() graph.NodeName {
	return graph.NodeName{Key: d.in.key(), Namespace: d.namespace(), Value: d.text()}
}
