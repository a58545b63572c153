package row

import (
	"math"

	"github.com/kindred-id/kindred/graph"
)

// A reader reads the values that many rows and messages share: bounded numbers, tuples, lists, keys and names.
//
//	cursor          MessagePack values
//	  reader        bounded numbers, tuples, lists, keys, names
//	    ...Reader   a family of values: events, orders, dealings, evidence, messages, records, entries of the feed
//
// A family has a type of its own, which embeds a *reader and knows the version that it reads. A value that this
// package itself defines has a method decode instead; see value.
//
// text, namespace and ownBytes copy what they return; bytes, blob and textBytes share the memory of what is read. A
// bound is checked before memory is taken for what it bounds (C3): so a damaged length costs an error, and not a
// gigabyte.
type reader struct {
	cursor
	arena arena             // of the strings and bytes that outlive the input
	names map[string]string // namespaces, interned; nil if they aren't
}

// Bounds of the table of interned namespaces. Namespaces beyond them are decoded, but not interned.
const (
	internedMost   = 256
	internedLength = 64 // bytes
)

// begin makes src the value to read. kind is its name in errors. The arena is a new one for each value: with that of
// the value before it, one that lives for long would keep the memory of others.
func (in *reader) begin(kind string, src []byte) {
	in.kind, in.b, in.at, in.err = kind, src, 0, nil
	in.arena = arena{}
}

// finish checks the end of the value, releases it and returns the first error.
func (in *reader) finish() error {
	if in.left() > 0 {
		in.fail(in.at, "%d bytes after the end", in.left())
	}
	err := in.err
	in.b, in.err = nil, nil
	in.arena = arena{}
	return err
}

// version reads the version byte and accepts 1 to the newest known version.
func (in *reader) version(newest byte) uint64 {
	at := in.at
	v := in.uint()
	if in.err == nil && (v < 1 || v > uint64(newest)) {
		in.fail(at, "version %d, this program knows version %d: use the program that wrote it, or a later one", v, newest)
	}
	return v
}

// enum reads a number between two bounds, inclusive.
func (in *reader) enum(what string, low, high uint8) uint8 {
	at := in.at
	v := in.uint()
	if in.err == nil && (v < uint64(low) || v > uint64(high)) {
		in.fail(at, "unknown %s %d", what, v)
		return 0
	}
	return uint8(v)
}

func (in *reader) uint8() uint8   { return uint8(in.upTo(math.MaxUint8)) }
func (in *reader) uint16() uint16 { return uint16(in.upTo(math.MaxUint16)) }
func (in *reader) uint32() uint32 { return uint32(in.upTo(math.MaxUint32)) }

// int32 reads a number of either sign that fits into 32 bits, and rejects any other.
func (in *reader) int32() int32 {
	at := in.at
	v := in.int()
	if in.err == nil && v != int64(int32(v)) {
		in.fail(at, "%d is beyond 32 bits", v)
		return 0
	}
	return int32(v)
}

// upTo reads a number from 0 to most; 0 after an error.
func (in *reader) upTo(most uint64) uint64 {
	at := in.at
	v := in.uint()
	if v > most {
		in.fail(at, "%d is above %d", v, most)
		return 0
	}
	return v
}

// tuple reads the head of an array of n values.
func (in *reader) tuple(n int) {
	at := in.at
	if got := in.arrayLen(); in.err == nil && got != n {
		in.fail(at, "array of %d values, want %d", got, n)
	}
}

// list reads the head of an array with any number of items. An item takes the given number of array values and at
// least size bytes, which bounds the number of items before anything is allocated (C3).
func (in *reader) list(values, size int) int {
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

// uints reads numbers; nil for none.
func (in *reader) uints() []uint64 {
	n := in.list(1, 1)
	if n == 0 {
		return nil
	}
	list := make([]uint64, n)
	for i := range list {
		list[i] = in.uint()
	}
	return list
}

// fixed reads exactly n bytes into into.
func (in *reader) fixed(what string, into []byte) {
	at := in.at
	b := in.blob()
	if in.err == nil && len(b) != len(into) {
		in.fail(at, "%s of %d bytes, want %d", what, len(b), len(into))
		return
	}
	copy(into, b)
}

// key reads the key of a node. The zero key names none, and has one form: nil (optionalKey).
func (in *reader) key() graph.NodeKey {
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
func (in *reader) optionalKey() graph.NodeKey {
	if in.null() {
		return graph.NodeKey{}
	}
	return in.key()
}

func (in *reader) stamp() graph.Stamp {
	return graph.Stamp{Time: in.int(), Rank: in.uint8(), Tie: in.uint()}
}

func (in *reader) nodeName() graph.NodeName {
	return graph.NodeName{Key: in.key(), Namespace: in.namespace(), Value: in.text()}
}

// namespace reads a namespace; equal ones share one string. A deployment has few, and every identifier names one.
func (in *reader) namespace() string {
	b := in.textBytes()
	if name, ok := in.names[string(b)]; ok {
		return name
	}
	name := string(b)
	if in.names != nil && len(name) <= internedLength && len(in.names) < internedMost {
		in.names[name] = name
	}
	return name
}

// text reads a string into memory of its own.
func (in *reader) text() string {
	b := in.textBytes()
	return in.arena.text(b, len(b)+in.left())
}

// ownBytes reads bytes into memory of their own; nil stays nil.
func (in *reader) ownBytes() []byte {
	b := in.bytes()
	return in.arena.bytes(b, len(b)+in.left())
}
