package row

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/kindred-id/kindred/internal/msgpack"
	"github.com/kindred-id/kindred/storage"
)

// A cursor reads the MessagePack values of one encoding, in order. The first error stays, and from then on every read
// returns a zero value, so that decoders check once and not after each read.
//
// MessagePack has several forms for one number or length. A cursor accepts only the shortest (C1): otherwise two
// encodings could mean the same, and comparing values by their bytes, as verify and the feed do, would be wrong.
//
//	number    | 00-7f |  cc 1 B  cd 2 B  ce 4 B  cf 8 B           at least 0
//	          | e0-ff |  d0 1 B  d1 2 B  d2 4 B  d3 8 B           below 0: -1 is ff, -32 is e0
//	string    | a0-bf, up to 31 bytes |  d9 1 B  da 2 B  db 4 B   then the bytes
//	bytes     | c4 1 B  c5 2 B  c6 4 B |                          then the bytes
//	array     | 90-9f, up to 15 values |  dc 2 B  dd 4 B          then the values
//	other     | c0 nil |  c2 false  c3 true |
//
// at never exceeds len(b), and no read looks past it: lengths are checked before they are used.
type cursor struct {
	kind string // of the whole value, for errors
	b    []byte
	at   int
	err  error
}

func (in *cursor) left() int { return len(in.b) - in.at }

// fail records the first error. Its text quotes nothing from the input, which may be personal data.
func (in *cursor) fail(at int, format string, args ...any) {
	if in.err == nil {
		in.err = fmt.Errorf("%w %s: byte %d of %d: %s", storage.ErrCorrupt, in.kind, at, len(in.b), fmt.Sprintf(format, args...))
	}
}

// malformed records that the wanted value is missing at a byte, or not in its shortest form.
func (in *cursor) malformed(at int, want string) {
	if at >= len(in.b) {
		in.endsWithin(want)
		return
	}
	in.fail(at, "want %s in its shortest form, not code %#02x", want, in.b[at])
}

func (in *cursor) endsWithin(want string) { in.fail(len(in.b), "the input ends within %s", want) }

// wideLen is the length of a 64-bit number: its code and eight bytes.
const wideLen = 1 + 8

// usual reads a number in one of the two most frequent forms: one byte, or all eight. It is small enough to be
// inlined.
func (in *cursor) usual() (uint64, bool) {
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
func (in *cursor) code() byte {
	if in.at == len(in.b) {
		return 0
	}
	return in.b[in.at]
}

// wide reads the number of 1, 2, 4 or 8 bytes that follows the next code. The caller checks that it needs the width.
func (in *cursor) wide(width int, want string) uint64 {
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

// uint reads a number of at least 0; 0 after an error.
func (in *cursor) uint() uint64 {
	if in.err != nil {
		return 0
	}
	if v, ok := in.usual(); ok {
		return v
	}
	return in.longUint("an unsigned number")
}

// longUint reads an unsigned number of two or more bytes.
func (in *cursor) longUint(want string) uint64 {
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

// int reads a number of either sign. One of at least 0 has the form of an unsigned one.
func (in *cursor) int() int64 {
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

func (in *cursor) bool() bool {
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
func (in *cursor) null() bool {
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
func (in *cursor) longLen(form *lengthForm) int {
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
func (in *cursor) arrayLen() int {
	if in.err != nil {
		return 0
	}
	if c := in.code(); c&^(msgpack.FixArrayLimit-1) == msgpack.FixArray {
		in.at++
		return int(c & (msgpack.FixArrayLimit - 1))
	}
	return in.longLen(&arrayForm)
}

// take returns the next n bytes, which share the input's memory.
func (in *cursor) take(at, n int) []byte {
	if n > in.left() {
		in.fail(at, "%d bytes announced, %d are left", n, in.left())
		return nil
	}
	b := in.b[in.at : in.at+n : in.at+n]
	in.at += n
	return b
}

// blobLen reads the head of bytes that can't be nil.
func (in *cursor) blobLen() int {
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
func (in *cursor) blob() []byte {
	at := in.at
	n := in.blobLen()
	if in.err != nil {
		return nil
	}
	return in.take(at, n)
}

// bytes reads bytes or nil. They share the input's memory.
func (in *cursor) bytes() []byte {
	if in.null() {
		return nil
	}
	return in.blob()
}

// stringLen reads the head of a string.
func (in *cursor) stringLen() int {
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
func (in *cursor) textBytes() []byte {
	at := in.at
	n := in.stringLen()
	if in.err != nil {
		return nil
	}
	return in.take(at, n)
}
