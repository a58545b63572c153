// Package msgpack writes the forms of MessagePack that Kindred stores, and names the codes of the format.
//
// A value has only one form here, the shortest: stored data must be canonical, so that equal values are equal bytes.
// Floating-point numbers, maps and extensions are not stored, so no function writes them. Readers are beside the
// limits that they enforce: package storage/row rejects other forms than the shortest, and package ingest/record
// turns any value into JSON.
//
// See https://github.com/msgpack/msgpack/blob/master/spec.md.
package msgpack

import (
	"encoding/binary"
	"math"
)

// The codes of the format: the first byte of a value. A range of codes, such as FixArray, contains the length or the
// number in its low bits.
const (
	FixUintMax = 0x7f // this and every lower code: the number itself
	FixMap     = 0x80 // to 0x8f
	FixArray   = 0x90 // to 0x9f
	FixString  = 0xa0 // to 0xbf
	Nil        = 0xc0
	False      = 0xc2
	True       = 0xc3
	Bin8       = 0xc4 // then Bin16, Bin32
	Bin16      = 0xc5
	Bin32      = 0xc6
	Ext8       = 0xc7 // then Ext16, Ext32
	Float32    = 0xca
	Float64    = 0xcb
	Uint8      = 0xcc // then Uint16, Uint32, Uint64
	Uint16     = 0xcd
	Uint32     = 0xce
	Uint64     = 0xcf
	Int8       = 0xd0 // then Int16, Int32, Int64
	Int16      = 0xd1
	Int32      = 0xd2
	Int64      = 0xd3
	FixExt1    = 0xd4 // then for 2, 4, 8, 16 bytes
	String8    = 0xd9 // then String16, String32
	String16   = 0xda
	String32   = 0xdb
	Array16    = 0xdc // then Array32
	Array32    = 0xdd
	Map16      = 0xde // then Map32
	Map32      = 0xdf
	FixIntMin  = 0xe0 // this and every higher code: a negative number, as a signed byte
)

// Exclusive bounds of the lengths that fit into a code.
const (
	FixMapLimit    = 16
	FixArrayLimit  = 16
	FixStringLimit = 32
)

// fixIntLeast is the least number whose code is the number itself.
const fixIntLeast = -32

// AppendUint appends a non-negative number.
func AppendUint(b []byte, v uint64) []byte {
	switch {
	case v <= FixUintMax:
		return append(b, byte(v))
	case v > math.MaxUint32: // hashes and times in milliseconds, the most frequent long numbers
		return binary.BigEndian.AppendUint64(append(b, Uint64), v)
	case v <= math.MaxUint8:
		return append(b, Uint8, byte(v))
	case v <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, Uint16), uint16(v))
	default:
		return binary.BigEndian.AppendUint32(append(b, Uint32), uint32(v))
	}
}

// AppendInt appends a number.
func AppendInt(b []byte, v int64) []byte {
	switch {
	case v >= 0:
		return AppendUint(b, uint64(v))
	case v >= fixIntLeast:
		return append(b, byte(v))
	case v >= math.MinInt8:
		return append(b, Int8, byte(v))
	case v >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, Int16), uint16(v))
	case v >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, Int32), uint32(v))
	default:
		return binary.BigEndian.AppendUint64(append(b, Int64), uint64(v))
	}
}

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, True)
	}
	return append(b, False)
}

// AppendString appends a text.
func AppendString(b []byte, v string) []byte {
	switch n := len(v); {
	case n < FixStringLimit:
		b = append(b, FixString|byte(n))
	case n <= math.MaxUint8:
		b = append(b, String8, byte(n))
	case n <= math.MaxUint16:
		b = binary.BigEndian.AppendUint16(append(b, String16), uint16(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, String32), uint32(n))
	}
	return append(b, v...)
}

// AppendBytesLen appends the head of n bytes, which the caller appends next.
func AppendBytesLen(b []byte, n int) []byte {
	switch {
	case n <= math.MaxUint8:
		return append(b, Bin8, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, Bin16), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, Bin32), uint32(n))
	}
}

// AppendArrayLen appends the head of an array of n values, which the caller appends next.
func AppendArrayLen(b []byte, n int) []byte {
	switch {
	case n < FixArrayLimit:
		return append(b, FixArray|byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, Array16), uint16(n))
	default:
		return binary.BigEndian.AppendUint32(append(b, Array32), uint32(n))
	}
}
