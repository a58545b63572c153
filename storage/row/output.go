package row

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/msgpack"
)

// output is the value being encoded. Writing to memory cannot fail.
type output struct {
	b       []byte
	version formats // the versions that the Encoder writes
	lossy   bool    // see Encoder.Lossy
}

func (o *output) array(n int)   { o.b = msgpack.AppendArrayLen(o.b, n) }
func (o *output) uint(v uint64) { o.b = msgpack.AppendUint(o.b, v) }
func (o *output) int(v int64)   { o.b = msgpack.AppendInt(o.b, v) }
func (o *output) bool(v bool)   { o.b = msgpack.AppendBool(o.b, v) }
func (o *output) null()         { o.b = append(o.b, msgpack.Nil) }
func (o *output) text(v string) { o.b = msgpack.AppendString(o.b, v) }

func (o *output) bytes(v []byte) {
	if v == nil {
		o.null()
		return
	}
	o.blob(v)
}

// blob writes bytes that are never nil, and returns their position.
func (o *output) blob(v []byte) (start, end int) {
	o.b = msgpack.AppendBytesLen(o.b, len(v))
	start = len(o.b)
	o.b = append(o.b, v...)
	return start, len(o.b)
}

const keyLen = 16

func (o *output) key(k graph.NodeKey) {
	o.b = k.AppendBinary(msgpack.AppendBytesLen(o.b, keyLen))
}

// optionalKey writes a key, or nil for the zero key.
func (o *output) optionalKey(k graph.NodeKey) {
	if k.IsZero() {
		o.null()
		return
	}
	o.key(k)
}
