package storage

import (
	"github.com/vmihailenco/msgpack/v5"

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

func (o *output) array(n int)    { _ = o.mp.EncodeArrayLen(n) }
func (o *output) uint(v uint64)  { _ = o.mp.EncodeUint(v) }
func (o *output) int(v int64)    { _ = o.mp.EncodeInt(v) }
func (o *output) bool(v bool)    { _ = o.mp.EncodeBool(v) }
func (o *output) null()          { _ = o.mp.EncodeNil() }
func (o *output) text(v string)  { _ = o.mp.EncodeString(v) }
func (o *output) bytes(v []byte) { _ = o.mp.EncodeBytes(v) }

// blob writes bytes that are never nil, and returns where they stand.
func (o *output) blob(v []byte) (start, end int) {
	_ = o.mp.EncodeBytesLen(len(v))
	start = len(o.b)
	o.b = append(o.b, v...)
	return start, len(o.b)
}

const keyLen = 16

func (o *output) key(k graph.NodeKey) {
	_ = o.mp.EncodeBytesLen(keyLen)
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
