package row

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// input is what is being decoded: the MessagePack decoder mp reads from it. The first error stays,
// and from then on every read is a zero value.
//
// mp accepts several encodings of one number or length. input compares the code in front with the
// one that the value has in its shortest form, which leaves one (C1).
type input struct {
	kind string // of the whole, for errors
	b    []byte
	at   int
	err  error
	mp   *msgpack.Decoder
}

// Read implements io.Reader.
func (in *input) Read(p []byte) (int, error) {
	if in.at == len(in.b) {
		return 0, io.EOF
	}
	n := copy(p, in.b[in.at:])
	in.at += n
	return n, nil
}

// ReadByte implements io.ByteReader.
func (in *input) ReadByte() (byte, error) {
	if in.at == len(in.b) {
		return 0, io.EOF
	}
	c := in.b[in.at]
	in.at++
	return c, nil
}

// UnreadByte implements io.ByteScanner.
func (in *input) UnreadByte() error {
	if in.at == 0 {
		return io.ErrNoProgress
	}
	in.at--
	return nil
}

func (in *input) left() int { return len(in.b) - in.at }

// fail notes the first error. Its text has no content of the input: that may be of a person.
func (in *input) fail(at int, format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf("%w %s: byte %d of %d: %s", storage.ErrCorrupt, in.kind, at, len(in.b), fmt.Sprintf(format, args...))
	}
}

// malformed notes that there is no such value at a byte, or not in its shortest form.
func (in *input) malformed(at int, want string, err error) {
	if at == len(in.b) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		in.fail(at, "the input ends within %s", want)
		return
	}
	in.fail(at, "want %s in its shortest form, not code %#02x", want, in.b[at])
}

// end refuses bytes after the end.
func (in *input) end() {
	if in.left() > 0 {
		in.fail(in.at, "%d bytes after the end", in.left())
	}
}

// version reads the version byte: any from the first one to the newest that is known.
func (in *input) version(newest byte) uint64 {
	at := in.at
	v := in.uint()
	if in.err == nil && (v < 1 || v > uint64(newest)) {
		in.fail(at, "version %d, this program knows version %d: use the program that wrote it, or a later one", v, newest)
	}
	return v
}

func uintCode(v uint64) byte {
	switch {
	case v <= math.MaxInt8:
		return byte(v)
	case v <= math.MaxUint8:
		return msgpcode.Uint8
	case v <= math.MaxUint16:
		return msgpcode.Uint16
	case v <= math.MaxUint32:
		return msgpcode.Uint32
	default:
		return msgpcode.Uint64
	}
}

func intCode(v int64) byte {
	switch {
	case v >= 0:
		return uintCode(uint64(v))
	case v >= -32:
		return byte(v)
	case v >= math.MinInt8:
		return msgpcode.Int8
	case v >= math.MinInt16:
		return msgpcode.Int16
	case v >= math.MinInt32:
		return msgpcode.Int32
	default:
		return msgpcode.Int64
	}
}

// lengthCode picks the code of a length: fixed below limit, and by width above it. A width of 0 is
// one that the kind of value does not have.
func lengthCode(n, limit int, fixed, by8, by16, by32 byte) byte {
	switch {
	case n < limit:
		return fixed | byte(n)
	case n <= math.MaxUint8 && by8 != 0:
		return by8
	case n <= math.MaxUint16:
		return by16
	default:
		return by32
	}
}

// wideLen is how long a number of 64 bits is: its code, and eight bytes.
const wideLen = 1 + 8

// usual reads a number in one of the two forms that nearly all have: one byte, or all eight of them.
// Those need no call through mp.
func (in *input) usual() (uint64, bool) {
	rest := in.b[in.at:]
	switch {
	case len(rest) > 0 && rest[0] <= math.MaxInt8:
		in.at++
		return uint64(rest[0]), true
	case len(rest) >= wideLen && rest[0] == msgpcode.Uint64:
		v := binary.BigEndian.Uint64(rest[1:])
		if v <= math.MaxUint32 {
			return 0, false // not its shortest form
		}
		in.at += wideLen
		return v, true
	}
	return 0, false
}

func (in *input) uint() uint64 {
	if in.err != nil {
		return 0
	}
	if v, ok := in.usual(); ok {
		return v
	}
	at := in.at
	v, err := in.mp.DecodeUint64()
	if err != nil || in.b[at] != uintCode(v) {
		in.malformed(at, "an unsigned number", err)
		return 0
	}
	return v
}

func (in *input) int() int64 {
	if in.err != nil {
		return 0
	}
	if v, ok := in.usual(); ok && v <= math.MaxInt64 {
		return int64(v)
	} else if ok {
		in.at -= wideLen
	}
	at := in.at
	v, err := in.mp.DecodeInt64()
	if err != nil || in.b[at] != intCode(v) {
		in.malformed(at, "a number", err)
		return 0
	}
	return v
}

// enum reads a number between two known values, inclusive.
func (in *input) enum(what string, low, high uint8) uint8 {
	at := in.at
	v := in.uint()
	if in.err == nil && (v < uint64(low) || v > uint64(high)) {
		in.fail(at, "unknown %s %d", what, v)
		return 0
	}
	return uint8(v)
}

func (in *input) uint8() uint8   { return uint8(in.upTo(math.MaxUint8)) }
func (in *input) uint16() uint16 { return uint16(in.upTo(math.MaxUint16)) }

func (in *input) uint32() uint32 { return uint32(in.upTo(math.MaxUint32)) }

func (in *input) int32() int32 {
	at := in.at
	v := in.int()
	if in.err == nil && v != int64(int32(v)) {
		in.fail(at, "%d is beyond 32 bits", v)
		return 0
	}
	return int32(v)
}

func (in *input) upTo(most uint64) uint64 {
	at := in.at
	v := in.uint()
	if v > most {
		in.fail(at, "%d is above %d", v, most)
		return 0
	}
	return v
}

func (in *input) bool() bool {
	if in.err != nil {
		return false
	}
	at := in.at
	v, err := in.mp.DecodeBool()
	if err != nil || in.b[at] == msgpcode.Nil {
		in.malformed(at, "true or false", err)
		return false
	}
	return v
}

// null reads a nil, if there is one.
func (in *input) null() bool {
	if in.err != nil || in.left() == 0 || in.b[in.at] != msgpcode.Nil {
		return false
	}
	in.at++
	return true
}

// arrayLen reads the head of an array.
func (in *input) arrayLen() int {
	if in.err != nil {
		return 0
	}
	at := in.at
	if at < len(in.b) && msgpcode.IsFixedArray(in.b[at]) {
		in.at++
		return int(in.b[at] & msgpcode.FixedArrayMask)
	}
	n, err := in.mp.DecodeArrayLen()
	if err != nil || n < 0 || in.b[at] != lengthCode(n, 16, msgpcode.FixedArrayLow, 0, msgpcode.Array16, msgpcode.Array32) {
		in.malformed(at, "an array", err)
		return 0
	}
	return n
}

// tuple reads the head of an array of n values.
func (in *input) tuple(n int) {
	at := in.at
	if got := in.arrayLen(); in.err == nil && got != n {
		in.fail(at, "array of %d values, want %d", got, n)
	}
}

// list reads the head of an array that holds any number of items. An item takes values of the array,
// and size bytes or more: so the number is bounded before anything is allocated (C3).
func (in *input) list(values, size int) int {
	at := in.at
	n := in.arrayLen()
	switch {
	case n%values != 0:
		in.fail(at, "array of %d values, want a multiple of %d", n, values)
	case n/values > in.left()/size:
		in.fail(at, "array of %d values in %d bytes", n, in.left())
	default:
		return n / values
	}
	return 0
}

// take is the next n bytes of the input, and shares its memory.
func (in *input) take(at, n int) []byte {
	if n > in.left() {
		in.fail(at, "%d bytes announced, %d are left", n, in.left())
		return nil
	}
	b := in.b[in.at : in.at+n : in.at+n]
	in.at += n
	return b
}

// blob reads bytes that can't be nil. They share the input's memory.
func (in *input) blob() []byte {
	if in.err != nil {
		return nil
	}
	at := in.at
	if at+1 < len(in.b) && in.b[at] == msgpcode.Bin8 {
		in.at += 2
		return in.take(at, int(in.b[at+1]))
	}
	n, err := in.mp.DecodeBytesLen()
	if err != nil || n < 0 || in.b[at] != lengthCode(n, 0, 0, msgpcode.Bin8, msgpcode.Bin16, msgpcode.Bin32) {
		in.malformed(at, "bytes", err)
		return nil
	}
	return in.take(at, n)
}

// bytes reads bytes or nil. They share the input's memory.
func (in *input) bytes() []byte {
	if in.null() {
		return nil
	}
	return in.blob()
}

// textBytes reads a string. It shares the input's memory.
func (in *input) textBytes() []byte {
	if in.err != nil {
		return nil
	}
	at := in.at
	if at < len(in.b) && msgpcode.IsFixedString(in.b[at]) {
		in.at++
		return in.take(at, int(in.b[at]&msgpcode.FixedStrMask))
	}
	n, err := in.mp.DecodeBytesLen()
	if err != nil || n < 0 || in.b[at] != lengthCode(n, 32, msgpcode.FixedStrLow, msgpcode.Str8, msgpcode.Str16, msgpcode.Str32) {
		in.malformed(at, "a string", err)
		return nil
	}
	return in.take(at, n)
}

// fixed reads exactly n bytes into into.
func (in *input) fixed(what string, into []byte) {
	at := in.at
	b := in.blob()
	if in.err == nil && len(b) != len(into) {
		in.fail(at, "%s of %d bytes, want %d", what, len(b), len(into))
		return
	}
	copy(into, b)
}

// key reads the key of a node.
func (in *input) key() graph.NodeKey {
	at := in.at
	b := in.blob()
	if in.err != nil {
		return graph.NodeKey{}
	}
	if len(b) != keyLen {
		in.fail(at, "node key of %d bytes, want %d", len(b), keyLen)
		return graph.NodeKey{}
	}
	k := readNodeKey(b)
	if k.IsZero() {
		in.fail(at, "node key of zeroes")
	}
	return k
}

// optionalKey reads a key or nil, which is the zero key.
func (in *input) optionalKey() graph.NodeKey {
	if in.null() {
		return graph.NodeKey{}
	}
	return in.key()
}
