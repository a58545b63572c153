package row

import "github.com/kindred-id/kindred/storage"

// Every value that is stored, logged or sent to another shard is a version byte and MessagePack values:
//
//	         1 B       rest
//	       +---------+------------------------------------------+
//	event  | version | array: fields in a fixed order, no names |
//	       +---------+------------------------------------------+
//
// Versions are below 128, so the byte is itself a MessagePack number. Each kind has its own versions: a change of a
// kind's bytes is a new version, decoders continue to read the older ones, and an Encoder can still write them
// (generation).
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
	eventVersion           = 5 // 1 lacks offers and interests; 2 lacks context, apart and the roles of an alias; 3 lacks mentions; 4 lacks marks and the group
	messageVersion         = 8 // 1 has events and fragments of version 1; 2 lacks when an event passed a forward; 3 has events and fragments of 2; 4 has identities with evidence; 5 has events of 3; 6 has events and fragments of 4, and tells no group; 7 has evidence without audiences
	nodeVersion            = 5 // 1 has fragments of version 1; 2 has those of 2, with one outcome for all refunds of an order; 3 has no node that was only mentioned; 4 has fragments of 4
	blockVersion           = 1
	recordVersion          = 1
	metaVersion            = 2
	quarantineVersion      = 1
	channelVersion         = 1
	positionVersion        = 1
	accessKeyVersion       = 1
	keptAnswerVersion      = 1
	clusterNodeVersion     = 2 // 1 does not say which program a node runs
	groupVersion           = 1
	memberVersion          = 1
	journalPositionVersion = 1
	deadLetterVersion      = 1
	definitionsVersion     = 3 // 1 has audiences without numbers, 2 no computed traits
	markingVersion         = 1
	toldVersion            = 1
	audienceMemberVersion  = 1
	audienceCountVersion   = 1
	tellingVersion         = 1
	wakeVersion            = 1

	feedBlockVersion    = 1
	feedStateVersion    = 1
	feedTrimVersion     = 1
	feedMarkVersion     = 1
	feedSinkVersion     = 1
	feedFloorsVersion   = 1
	feedSettingsVersion = 2 // 1 has rules of earlier programs
)

// An Encoder appends encodings to buffers. It allocates only to grow a buffer. One goroutine at a time uses it.
//
// Its arguments must satisfy the invariants of their types: an encoder does not check them, and a decoder rejects
// values that break them.
//
// It has a Put method for each kind of row that a shard writes as it commits. Rows that are written seldom have a
// method Put of their own instead, which needs no Encoder.
type Encoder struct {
	out writer
	// The following are buffers of the Put methods.
	key, value, packed []byte
}

// NewEncoder returns an encoder of the newest version.
func NewEncoder() *Encoder { return newEncoderOf(newest) }

// begin begins an encoding after dst.
func (e *Encoder) begin(dst []byte) *writer {
	e.out.b = dst
	return &e.out
}

// finish returns dst of begin with the encoding appended.
func (e *Encoder) finish() []byte {
	b := e.out.b
	e.out.b = nil
	return b
}

// set writes a row with its key in e.key; value becomes the buffer e.value.
func (e *Encoder) set(b *storage.Batch, value []byte) {
	e.value = value
	b.Set(e.key, value)
}

// setPacked packs the value, writes the row with its key in e.key and returns the size of the packed value.
func (e *Encoder) setPacked(b *storage.Batch, value []byte) int {
	e.packed = AppendPacked(e.packed[:0], value)
	b.Set(e.key, e.packed)
	return len(e.packed)
}

// A Decoder reads the encodings of an Encoder or a RecordWriter. Its errors are ErrCorrupt, and name the kind and the
// byte. One goroutine at a time uses it. It keeps the names of namespaces from one value to the next, so that equal ones
// share memory; rows without names are read by functions such as ReadMeta.
type Decoder struct {
	in    reader
	key   []byte // buffers of GetNode
	value []byte
}

// NewDecoder returns a decoder.
func NewDecoder() *Decoder { return &Decoder{in: reader{names: make(map[string]string)}} }

func (d *Decoder) begin(kind string, src []byte) *reader {
	d.in.begin(kind, src)
	return &d.in
}
