package row

import (
	"encoding/binary"
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/kindred-id/kindred/graph"
)

// output is what is being encoded: the MessagePack encoder mp writes to it. Writing to memory can't
// fail, so errors of mp are none.
type output struct {
	b  []byte
	mp *msgpack.Encoder
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), nil
}

// WriteByte implements io.ByteWriter.
func (o *output) WriteByte(c byte) error {
	o.b = append(o.b, c)
	return nil
}

// The forms that nearly all values have are written here, all others by mp: an event has forty values,
// and a call through an interface for each was a twentieth of ingest.

func (o *output) array(n int) {
	if n < 16 {
		o.b = append(o.b, msgpcode.FixedArrayLow|byte(n))
		return
	}
	_ = o.mp.EncodeArrayLen(n)
}

func (o *output) uint(v uint64) {
	switch {
	case v <= math.MaxInt8:
		o.b = append(o.b, byte(v))
	case v > math.MaxUint32:
		o.b = binary.BigEndian.AppendUint64(append(o.b, msgpcode.Uint64), v)
	default:
		_ = o.mp.EncodeUint(v)
	}
}

func (o *output) int(v int64) {
	if v >= 0 {
		o.uint(uint64(v))
		return
	}
	_ = o.mp.EncodeInt(v)
}

func (o *output) bool(v bool) { _ = o.mp.EncodeBool(v) }
func (o *output) null()       { o.b = append(o.b, msgpcode.Nil) }

func (o *output) text(v string) {
	if len(v) < 32 {
		o.b = append(append(o.b, msgpcode.FixedStrLow|byte(len(v))), v...)
		return
	}
	_ = o.mp.EncodeString(v)
}

func (o *output) bytes(v []byte) {
	if v == nil {
		o.null()
		return
	}
	o.blob(v)
}

// blob writes bytes that are never nil, and returns where they stand.
func (o *output) blob(v []byte) (start, end int) {
	o.blobLen(len(v))
	start = len(o.b)
	o.b = append(o.b, v...)
	return start, len(o.b)
}

func (o *output) blobLen(n int) {
	if n <= math.MaxUint8 {
		o.b = append(o.b, msgpcode.Bin8, byte(n))
		return
	}
	_ = o.mp.EncodeBytesLen(n)
}

const keyLen = 16

func (o *output) key(k graph.NodeKey) {
	o.blobLen(keyLen)
	o.b = k.AppendBinary(o.b)
}

// optionalKey writes a key, nil for the zero key.
func (o *output) optionalKey(k graph.NodeKey) {
	if k.IsZero() {
		o.null()
		return
	}
	o.key(k)
}
