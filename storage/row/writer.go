package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/msgpack"
)

// A writer appends the values that many rows and messages share. Each family of values has a type that embeds a
// *writer, as for a reader; a value that this package itself defines has a method encode. Writing to memory cannot fail.
type writer struct {
	b       []byte
	formats formats // the versions to write
	lossy   bool    // see Encoder.Lossy
}

// start writes the version byte.
func (out *writer) start(version byte) { out.b = append(out.b, version) }

func (out *writer) array(n int)   { out.b = msgpack.AppendArrayLen(out.b, n) }
func (out *writer) uint(v uint64) { out.b = msgpack.AppendUint(out.b, v) }
func (out *writer) int(v int64)   { out.b = msgpack.AppendInt(out.b, v) }
func (out *writer) bool(v bool)   { out.b = msgpack.AppendBool(out.b, v) }
func (out *writer) null()         { out.b = append(out.b, msgpack.Nil) }
func (out *writer) text(v string) { out.b = msgpack.AppendString(out.b, v) }

func (out *writer) uints(list []uint64) {
	out.array(len(list))
	for _, v := range list {
		out.uint(v)
	}
}

func (out *writer) bytes(v []byte) {
	if v == nil {
		out.null()
		return
	}
	out.blob(v)
}

// blob writes bytes that are never nil, and returns their position.
func (out *writer) blob(v []byte) (start, end int) {
	out.b = msgpack.AppendBytesLen(out.b, len(v))
	start = len(out.b)
	out.b = append(out.b, v...)
	return start, len(out.b)
}

const keyLen = 16

func (out *writer) key(k graph.NodeKey) {
	out.b = k.AppendBinary(msgpack.AppendBytesLen(out.b, keyLen))
}

// optionalKey writes a key, or nil for the zero key.
func (out *writer) optionalKey(k graph.NodeKey) {
	if k.IsZero() {
		out.null()
		return
	}
	out.key(k)
}

func (out *writer) keys(keys []graph.NodeKey) {
	out.array(len(keys))
	for _, k := range keys {
		out.key(k)
	}
}

func (out *writer) stamp(s graph.Stamp) {
	out.int(s.Time)
	out.uint(uint64(s.Rank))
	out.uint(s.Tie)
}

func (out *writer) nodeName(n *graph.NodeName) {
	out.key(n.Key)
	out.text(n.Namespace)
	out.text(n.Value)
}

// leave records whether a value was omitted.
func (out *writer) leave(omitted bool) { out.lossy = out.lossy || omitted }
