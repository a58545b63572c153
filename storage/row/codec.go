package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Every value that is stored, logged or sent to another shard is a version byte and MessagePack values:
//
//	         1 B       rest
//	       +---------+------------------------------------------+
//	event  | version | array: fields in a fixed order, no names |
//	       +---------+------------------------------------------+
//
// Versions are below 128, so the byte is itself a MessagePack number. Each kind has its own versions: a change of a
// kind's bytes is a new version, decoders continue to read the older ones, and an Encoder can still write them
// (Version).
//
//   - C1: an encoding is canonical. A value has one encoding in a version, and a decoder accepts no other: every
//     number and length is in its shortest form, and nil stands for an absent value. Equal bytes and equal values are
//     therefore the same, which verify and the feed rely on.
//   - C2: a decoder rejects unknown input with ErrCorrupt: versions, kinds and numbers without a meaning, arrays of
//     another length, bytes after the end, lengths that exceed the input, and evidence that breaks an order which the
//     graph relies on.
//   - C3: a decoder allocates at most a small multiple of its input's size, regardless of the input's contents.
//   - C4: values that go into a component share no memory with the input, and their byte slices share none with each
//     other: the graph appends to them in place.
//
// The obvious codec, a library that reflects over the structs, promises neither C1 nor C2:
// docs/decisions/0022-own-primitives-of-messagepack.md.
const (
	eventVersion      = 3 // 1 lacks offers and interests; 2 lacks context, apart and the roles of an alias
	messageVersion    = 5 // 1 has events and fragments of version 1; 2 lacks when an event passed a forward; 3 has events and fragments of 2; 4 has identities with evidence
	nodeVersion       = 3 // 1 has fragments of version 1; 2 has those of 2, with one outcome for all refunds of an order
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
	feedSettingsVersion = 2 // 1 has rules of earlier programs
)

// An Encoder appends encodings to buffers. It allocates only to grow a buffer. One goroutine at a time uses it.
//
// Its arguments must satisfy the invariants of their types: an encoder does not check them, and a decoder rejects
// values that break them.
type Encoder struct {
	out output
	// The following are buffers of the Put methods.
	key, value, packed []byte
}

// set writes a row from its key in e.key and its value in e.value.
func (e *Encoder) set(b *storage.Batch) { b.Set(e.key, e.value) }

// setPacked packs the value, writes the row and returns the size of the packed value.
func (e *Encoder) setPacked(b *storage.Batch, value []byte) int {
	e.packed = AppendPacked(e.packed[:0], value)
	b.Set(e.key, e.packed)
	return len(e.packed)
}

// NewEncoder returns an encoder of the newest version.
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

// A Decoder reads the encodings of an Encoder or a RecordWriter. Its errors are ErrCorrupt, and name the kind and the
// byte. One goroutine at a time uses it.
type Decoder struct {
	key   []byte // buffer of the Get methods
	in    input
	names map[string]string // namespaces, interned

	// The following describe the value being decoded.
	arena     arena
	version   uint64
	fragments uint64 // version of the value's fragments
}

// Bounds of the table of interned namespaces. Namespaces beyond them are decoded, but not interned.
const (
	internedMost   = 256
	internedLength = 64 // bytes
)

// NewDecoder returns a decoder.
func NewDecoder() *Decoder { return &Decoder{names: make(map[string]string)} }

func (d *Decoder) begin(kind string, src []byte, version byte) *input {
	d.in.kind, d.in.b, d.in.at, d.in.err = kind, src, 0, nil
	d.arena = arena{}
	d.version = d.in.version(version)
	return &d.in
}

// finish checks the end of the input, releases it and returns the first error.
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

// text reads a string into memory of its own.
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
