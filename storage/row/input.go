package row

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/msgpack"
	"github.com/kindred-id/kindred/storage"
)

// input is the value being decoded. The first error stays, and from then on every read returns a zero value, so that
// decoders check once and not after each read.
//
// MessagePack has several forms for one number or length. input accepts only the shortest (C1): otherwise two
// encodings could mean the same, and comparing values by their bytes, as verify and the feed do, would be wrong.
type input struct {
	kind string // of the whole value, for errors
	b    []byte
	at   int
	err  error
}

func (in *input) left() int { return len(in.b) - in.at }

// fail records the first error. Its text quotes nothing from the input, which may be personal data.
func (in *input) fail(at int, format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf("%w %s: byte %d of %d: %s", storage.ErrCorrupt, in.kind, at, len(in.b), fmt.Sprintf(format, args...))
	}
}

// malformed records that the wanted value is missing at a byte, or not in its shortest form.
func (in *input) malformed(at int, want string) {
	if at >= len(in.b) {
		in.endsWithin(want)
		return
	}
	in.fail(at, "want %s in its shortest form, not code %#02x", want, in.b[at])
}

func (in *input) endsWithin(want string) { in.fail(len(in.b), "the input ends within %s", want) }

// end rejects bytes after the end.
func (in *input) end() {
	if in.left() > 0 {
		in.fail(in.at, "%d bytes after the end", in.left())
	}
}

// version reads the version byte and accepts 1 to the newest known version.
func (in *input) version(newest byte) uint64 {
	at := in.at
	v := in.uint()
	if in.err == nil && (v < 1 || v > uint64(newest)) {
		in.fail(at, "version %d, this program knows version %d: use the program that wrote it, or a later one", v, newest)
	}
	return v
}

// wideLen is the length of a 64-bit number: its code and eight bytes.
const wideLen = 1 + 8

// usual reads a number in one of the two most frequent forms: one byte, or all eight. It is small enough to be
// inlined.
func (in *input) usual() (uint64, bool) {
	rest := in.b[in.at:]
	switch {
	case len(rest) > 0 && rest[0] <= msgpack.FixUintMax:
		in.at++
		return uint64(rest[0]), true
	case len(rest) >= wideLen && rest[0] == msgpack.Uint64:
		v := binary.BigEndian.Uint64(rest[1:])
		if v <= math.MaxUint32 {
			return 0, false // not its shortest form
		}
		in.at += wideLen
		return v, true
	}
	return 0, false
}

// code returns the next code without consuming it; 0 at the end of the input.
func (in *input) code() byte {
	if in.at == len(in.b) {
		return 0
	}
	return in.b[in.at]
}

// wide reads the number of 1, 2, 4 or 8 bytes that follows the next code.
func (in *input) wide(width int, want string) uint64 {
	if in.left() < 1+width {
		in.endsWithin(want)
		return 0
	}
	b := in.b[in.at+1 : in.at+1+width]
	in.at += 1 + width
	switch width {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	default:
		return binary.BigEndian.Uint64(b)
	}
}

// shortest reports whether a value needs more than half of width. The caller checks values that fit into a code.
func shortest(v uint64, width int) bool { return width == 1 || v>>(4*width) != 0 }

func (in *input) uint() uint64 {
	if in.err != nil {
		return 0
	}
	if v, ok := in.usual(); ok {
		return v
	}
	return in.longUint("an unsigned number")
}

// longUint reads an unsigned number of two or more bytes.
func (in *input) longUint(want string) uint64 {
	at, c := in.at, in.code()
	if c < msgpack.Uint8 || c > msgpack.Uint64 {
		in.malformed(at, want)
		return 0
	}
	width := 1 << (c - msgpack.Uint8)
	v := in.wide(width, want)
	if in.err == nil && (v <= msgpack.FixUintMax || !shortest(v, width)) {
		in.malformed(at, want)
		return 0
	}
	return v
}

func (in *input) int() int64 {
	if in.err != nil {
		return 0
	}
	const want = "a number"
	at := in.at
	c := in.code()
	if c >= msgpack.FixIntMin {
		in.at++
		return int64(int8(c))
	}
	if c < msgpack.Int8 || c > msgpack.Int64 {
		v, ok := in.usual()
		if !ok {
			v = in.longUint(want)
		}
		if v > math.MaxInt64 {
			in.malformed(at, want)
			return 0
		}
		return int64(v)
	}
	width := 1 << (c - msgpack.Int8)
	unused := 64 - 8*width
	v := int64(in.wide(width, want)<<unused) >> unused
	if in.err == nil && (v >= fixIntLeast || !shortest(uint64(^v)<<1, width)) {
		in.malformed(at, want)
		return 0
	}
	return v
}

// fixIntLeast is the least number whose code is the number itself.
const fixIntLeast = -32

// enum reads a number between two bounds, inclusive.
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
	c := in.code()
	if c != msgpack.False && c != msgpack.True {
		in.malformed(in.at, "true or false")
		return false
	}
	in.at++
	return c == msgpack.True
}

// null consumes a nil, if it is next, and reports whether it was.
func (in *input) null() bool {
	if in.err != nil || in.left() == 0 || in.b[in.at] != msgpack.Nil {
		return false
	}
	in.at++
	return true
}

// lengthForm describes how a type of value stores its length: in the code, if below limit, or in 1, 2 or 4 bytes
// after one of three codes. A type with limit 0 stores no length in its code; a type without by8 has no one-byte
// length.
type lengthForm struct {
	want       string
	fixed      byte
	limit      int
	by8        byte
	by16, by32 byte
}

var (
	arrayForm  = lengthForm{"an array", msgpack.FixArray, msgpack.FixArrayLimit, 0, msgpack.Array16, msgpack.Array32}
	stringForm = lengthForm{"a string", msgpack.FixString, msgpack.FixStringLimit, msgpack.String8, msgpack.String16, msgpack.String32}
	bytesForm  = lengthForm{"bytes", 0, 0, msgpack.Bin8, msgpack.Bin16, msgpack.Bin32}
)

// longLen reads a length of one byte or more.
func (in *input) longLen(form *lengthForm) int {
	at, width := in.at, 0
	switch in.code() {
	case 0: // not the code of any type: the input ends, or has a number
	case form.by8:
		width = 1
	case form.by16:
		width = 2
	case form.by32:
		width = 4
	}
	if width == 0 {
		in.malformed(at, form.want)
		return 0
	}
	v := in.wide(width, form.want)
	least := width == 2 && form.by8 == 0 // 2 bytes are then the shortest form after the code itself
	if in.err == nil && (v < uint64(form.limit) || v > math.MaxInt32 || !least && !shortest(v, width)) {
		in.malformed(at, form.want)
		return 0
	}
	return int(v)
}

// arrayLen reads the head of an array.
func (in *input) arrayLen() int {
	if in.err != nil {
		return 0
	}
	if c := in.code(); c&^(msgpack.FixArrayLimit-1) == msgpack.FixArray {
		in.at++
		return int(c & (msgpack.FixArrayLimit - 1))
	}
	return in.longLen(&arrayForm)
}

// tuple reads the head of an array of n values.
func (in *input) tuple(n int) {
	at := in.at
	if got := in.arrayLen(); in.err == nil && got != n {
		in.fail(at, "array of %d values, want %d", got, n)
	}
}

// list reads the head of an array with any number of items. An item takes the given number of array values and at
// least size bytes, which bounds the number of items before anything is allocated (C3).
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

// take returns the next n bytes, which share the input's memory.
func (in *input) take(at, n int) []byte {
	if n > in.left() {
		in.fail(at, "%d bytes announced, %d are left", n, in.left())
		return nil
	}
	b := in.b[in.at : in.at+n : in.at+n]
	in.at += n
	return b
}

// blobLen reads the head of bytes that can't be nil.
func (in *input) blobLen() int {
	if in.err != nil {
		return 0
	}
	if in.left() > 1 && in.b[in.at] == msgpack.Bin8 {
		in.at += 2
		return int(in.b[in.at-1])
	}
	return in.longLen(&bytesForm)
}

// blob reads bytes that can't be nil. They share the input's memory.
func (in *input) blob() []byte {
	at := in.at
	n := in.blobLen()
	if in.err != nil {
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

// stringLen reads the head of a string.
func (in *input) stringLen() int {
	if in.err != nil {
		return 0
	}
	if c := in.code(); c&^(msgpack.FixStringLimit-1) == msgpack.FixString {
		in.at++
		return int(c & (msgpack.FixStringLimit - 1))
	}
	return in.longLen(&stringForm)
}

// textBytes reads a string. It shares the input's memory.
func (in *input) textBytes() []byte {
	at := in.at
	n := in.stringLen()
	if in.err != nil {
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
