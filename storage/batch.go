package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"math"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
)

// Batch collects rows to write. Later operations win over earlier ones. A batch does not depend on a store, so every
// shard builds its own; Store.Commit takes several and applies them as one.
//
// The zero Batch is empty and ready to use. One goroutine at a time uses a Batch; Reset keeps its memory for reuse.
// It holds Pebble's own representation, so that a commit copies bytes and encodes nothing:
//
//	12 B header   1 B    varint          varint
//	+-----------+------+--------+-----+--------+-------+-----
//	| seq count | kind | length | key | length | value | ...
//	+-----------+------+--------+-----+--------+-------+-----
type Batch struct {
	repr  []byte
	count uint32
	from  *Buffers // where repr comes from
	last  int      // bytes when it was released
}

// batchLeast is the memory that a batch begins with, in bytes.
const batchLeast = 512

const (
	batchHeaderLen   = batchrepr.HeaderLen
	batchCountOffset = 8
)

// Set writes a row. Key and value are copied.
func (b *Batch) Set(key, value []byte) {
	b.op(pebble.InternalKeyKindSet)
	b.bytes(key)
	b.bytes(value)
}

// Delete deletes a row. Deleting an absent row is not an error.
func (b *Batch) Delete(key []byte) {
	b.op(pebble.InternalKeyKindDelete)
	b.bytes(key)
}

// DeleteRange deletes all rows with lower <= key < upper. REQUIRES: lower < upper.
func (b *Batch) DeleteRange(lower, upper []byte) {
	b.op(pebble.InternalKeyKindRangeDelete)
	b.bytes(lower)
	b.bytes(upper)
}

func (b *Batch) op(kind pebble.InternalKeyKind) {
	b.begin()
	b.count++
	b.repr = append(b.repr, byte(kind))
}

func (b *Batch) bytes(s []byte) {
	if need := len(b.repr) + binary.MaxVarintLen32 + len(s); need > cap(b.repr) {
		b.grow(need)
	}
	b.repr = binary.AppendUvarint(b.repr, uint64(len(s)))
	b.repr = append(b.repr, s...)
}

// grow makes room for so many bytes: at first as many as the last time, then twice as many as before. Append grows large
// slices by a quarter, which copies four times the final size in total.
func (b *Batch) grow(need int) {
	larger := append(b.from.Take(max(need, 2*cap(b.repr), b.last, batchLeast)), b.repr...)
	b.from.Give(b.repr)
	b.repr = larger
}

// begin writes the header of a batch that has none.
func (b *Batch) begin() {
	if len(b.repr) > 0 {
		return
	}
	if cap(b.repr) == 0 {
		b.grow(batchHeaderLen)
	}
	b.repr = b.repr[:batchHeaderLen]
	clear(b.repr)
}

// Append adds the operations of other, after those of b.
func (b *Batch) Append(other *Batch) {
	if other.Empty() {
		return
	}
	b.begin()
	b.repr = append(b.repr, other.repr[batchHeaderLen:]...)
	b.count += other.count
}

// Len returns the number of operations.
func (b *Batch) Len() int { return int(b.count) }

// Size returns the approximate number of bytes that a commit of b writes to the write-ahead log.
func (b *Batch) Size() int { return len(b.repr) }

// Empty reports whether b holds no operation.
func (b *Batch) Empty() bool { return b.count == 0 }

// Reset empties b and keeps its memory.
func (b *Batch) Reset() {
	b.repr = b.repr[:0]
	b.count = 0
}

// From makes the batch take its memory from buffers. REQUIRES: b has no memory
func (b *Batch) From(buffers *Buffers) { b.from = buffers }

// Release empties b and gives its memory back. REQUIRES: no commit of b is under way
func (b *Batch) Release() {
	if b.repr == nil {
		return
	}
	b.last = len(b.repr)
	b.from.Give(b.repr)
	b.repr, b.count = nil, 0
}

// maxBatchBytes bounds one commit: Pebble refuses 4 GiB, and memory holds a batch twice.
const maxBatchBytes = 1 << 30

// combine copies the batches into buf as one batch in Pebble's representation. It returns nil when the batches are
// empty.
//
// A batch without its header is a plain list of operations, so batches are joined by copying, and nothing is
// parsed. The header has the sequence number, which the store sets, and the count, which is the sum of theirs. The
// error names the bound before memory is taken.
func combine(buf []byte, batches []*Batch) ([]byte, error) {
	size, count := batchHeaderLen, uint64(0)
	for _, b := range batches {
		if !b.Empty() {
			size += len(b.repr) - batchHeaderLen
			count += uint64(b.count)
		}
	}
	switch {
	case count == 0:
		return nil, nil
	case size > maxBatchBytes || count >= math.MaxUint32:
		return nil, fmt.Errorf("commit of %d bytes in %d rows: at most %d bytes fit; commit in parts", size, count, maxBatchBytes)
	}
	if cap(buf) < size {
		buf = make([]byte, 0, size+size/4)
	}
	buf = append(buf[:0], make([]byte, batchHeaderLen)...)
	binary.LittleEndian.PutUint32(buf[batchCountOffset:], uint32(count))
	for _, b := range batches {
		if !b.Empty() {
			buf = append(buf, b.repr[batchHeaderLen:]...)
		}
	}
	return buf, nil
}

// Keys returns the keys of the operations of b, in order. upper is nil but for a deleted range, whose lower bound is key.
func (b *Batch) Keys() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, upper []byte) bool) {
		more := true
		b.each(
			func(key, _ []byte) { more = more && yield(key, nil) },
			func(key []byte) { more = more && yield(key, nil) },
			func(lower, upper []byte) { more = more && yield(lower, upper) },
		)
	}
}

// Rows returns the rows that b sets, in order, and those that it deletes one by one, with a nil value.
func (b *Batch) Rows() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		more := true
		b.each(
			func(key, value []byte) { more = more && yield(key, append([]byte{}, value...)) },
			func(key []byte) { more = more && yield(key, nil) },
			func(_, _ []byte) {},
		)
	}
}

// Ops returns the operations of b as bytes, and their number, from which BatchOf makes the batch again. The bytes are
// b's own, until it is changed.
func (b *Batch) Ops() (ops []byte, n uint32) {
	if b.Empty() {
		return nil, 0
	}
	return b.repr[batchHeaderLen:], b.count
}

// BatchOf returns a batch of operations that Ops returned, perhaps in another process. It copies them. It fails with
// ErrCorrupt for bytes that no batch of this package has: another kind of operation, another number of them, a range
// without keys, bytes that are missing or too many.
func BatchOf(ops []byte, n uint32) (*Batch, error) {
	if n == 0 {
		if len(ops) > 0 {
			return nil, fmt.Errorf("%w: batch of no operations has %d bytes", ErrCorrupt, len(ops))
		}
		return &Batch{}, nil
	}
	b := &Batch{repr: make([]byte, batchHeaderLen, batchHeaderLen+len(ops)), count: n}
	b.repr = append(b.repr, ops...)
	found := uint32(0)
	for rest := ops; len(rest) > 0; found++ {
		op := pebble.InternalKeyKind(rest[0])
		key, after, ok := cutString(rest[1:])
		var upper []byte
		if ok && op != pebble.InternalKeyKindDelete {
			upper, after, ok = cutString(after)
		}
		switch {
		case op != pebble.InternalKeyKindSet && op != pebble.InternalKeyKindDelete && op != pebble.InternalKeyKindRangeDelete:
			return nil, fmt.Errorf("%w: batch: operation %d is of kind %d", ErrCorrupt, found, op)
		case !ok:
			return nil, fmt.Errorf("%w: batch: operation %d is cut off", ErrCorrupt, found)
		case op == pebble.InternalKeyKindRangeDelete && bytes.Compare(key, upper) >= 0:
			return nil, fmt.Errorf("%w: batch: operation %d deletes a range without keys", ErrCorrupt, found)
		}
		rest = after
	}
	if found != n {
		return nil, fmt.Errorf("%w: batch of %d operations has %d", ErrCorrupt, n, found)
	}
	return b, nil
}

// cutString cuts a length and so many bytes off b. It accepts what Batch.bytes writes alone.
//
// Pebble's reader of batches would do, but it panics on a batch that ends before a length.
func cutString(b []byte) (s, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) || n > 1 && b[n-1] == 0 {
		return nil, nil, false
	}
	end := n + int(length)
	return b[n:end], b[end:], true
}

// each calls set, del or delRange for each operation of b, in order.
func (b *Batch) each(set func(key, value []byte), del func(key []byte), delRange func(lower, upper []byte)) {
	if b.Empty() {
		return
	}
	for r := batchrepr.Read(b.repr); ; {
		kind, key, value, ok, err := r.Next()
		if err != nil {
			panic(fmt.Sprintf("storage: batch that this package built can't be read: %v", err))
		}
		if !ok {
			return
		}
		switch kind {
		case pebble.InternalKeyKindSet:
			set(key, value)
		case pebble.InternalKeyKindDelete:
			del(key)
		case pebble.InternalKeyKindRangeDelete:
			delRange(key, value)
		default:
			panic(fmt.Sprintf("storage: batch that this package built holds kind %d", kind))
		}
	}
}
