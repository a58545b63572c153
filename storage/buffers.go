package storage

import (
	"math/bits"
	"sync"
)

// Buffers keeps the memory of log records, of batches, and of events that wait for a block of a timeline, to be used again.
// If Go's allocator supplied it, each event would cost the clearing of its memory and a share of a garbage collection.
//
//	Take ──► record, batch, chunk of events ──► Give ──► free, by size ──► Take
//	                                       └─ above most: to the garbage collector
//
// Invariants:
//   - A buffer has one owner: the caller that took it, or Buffers from Give on. Nobody reads it after Give.
//   - Free buffers have at most the given number of bytes together, so what is kept doesn't grow with the load. Events that
//     wait have a share of their own, and free buffers may also have what those leave of it: the blocks of a commit give
//     back the memory of many events at once, and the events after them take it again.
//   - Sizes are four to a doubling, so a new buffer is at most a quarter larger than was asked for. One that is used again
//     is less than twice as large.
//
// A sync.Pool would be the obvious way. It has no bound, no sizes, and every garbage collection empties it, which is
// when buffers are needed most.
//
// A nil Buffers keeps nothing. Any number of goroutines may call its methods.
type Buffers struct {
	most   int
	share  int // of what is held
	poison bool

	mu   sync.Mutex // guards the following
	free [bufferClasses][][]byte
	kept int // bytes of free
	held int // bytes that Hold has counted
	hand int // the class that makes room next
}

// Sizes of buffers: from bufferLeast on, four to a doubling, up to bufferMost. Larger ones are not kept.
const (
	bufferLeast    = 1 << bufferLeastLog
	bufferLeastLog = 10
	bufferDoubled  = 12
	bufferMost     = bufferLeast << bufferDoubled
	bufferClasses  = 1 + 4*bufferDoubled
	bufferLarger   = 4 // classes that Take looks into, its own the first
)

// NewBuffers returns buffers that keep at most so many bytes, and what is not held of a share.
func NewBuffers(most, share int64) *Buffers { return &Buffers{most: int(most), share: int(share)} }

// Poison makes Give overwrite what is given back, so that a test notices an owner that still reads it.
func (b *Buffers) Poison() { b.poison = true }

// bufferClass returns the smallest class for buffers of at least size bytes, and the size of its buffers.
//
// The sizes are 4, 5, 6 and 7 times a power of two; class 48 has the largest:
//
//	class    0     1       2      3       4     5       6     7       8     …    48
//	bytes    1 KiB 1¼ KiB  1½ KiB 1¾ KiB  2 KiB 2½ KiB  3 KiB 3½ KiB  4 KiB …    4 MiB
func bufferClass(size int) (class, bytes int) {
	if size <= bufferLeast {
		return 0, bufferLeast
	}
	shift := bits.Len(uint(size-1)) - 3
	quarters := (size-1)>>shift + 1 // 5 to 8
	return 4*(shift-(bufferLeastLog-2)) + quarters - 4, quarters << shift
}

// Take returns an empty buffer with room for at least size bytes. It is not cleared.
func (b *Buffers) Take(size int) []byte {
	if b == nil || size > bufferMost {
		return make([]byte, 0, size)
	}
	class, bytes := bufferClass(size)
	b.mu.Lock()
	for next := class; next < min(class+bufferLarger, bufferClasses); next++ {
		if len(b.free[next]) > 0 {
			buf := b.removeLocked(next)
			b.mu.Unlock()
			return buf
		}
	}
	b.mu.Unlock()
	return make([]byte, 0, bytes)
}

// removeLocked takes the last free buffer of a class. REQUIRES: b.mu held; there is one
func (b *Buffers) removeLocked(class int) []byte {
	free := b.free[class]
	last := len(free) - 1
	buf := free[last]
	free[last] = nil
	b.free[class] = free[:last]
	b.kept -= cap(buf)
	return buf
}

// Hold counts bytes of buffers as held for long: a number below 0 when they are about to be given back, or forgotten.
func (b *Buffers) Hold(bytes int) {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.held += bytes
	for b.kept > b.mostLocked() {
		b.makeRoomLocked()
	}
	b.mu.Unlock()
}

// mostLocked is how many bytes free buffers may have. REQUIRES: b.mu held
func (b *Buffers) mostLocked() int { return b.most + max(0, b.share-b.held) }

// makeRoomLocked drops a buffer, of each class in turn: what nobody asks for must not stay. REQUIRES: b.mu held; one is free
func (b *Buffers) makeRoomLocked() {
	for {
		b.hand = (b.hand + 1) % bufferClasses
		if len(b.free[b.hand]) > 0 {
			b.removeLocked(b.hand)
			return
		}
	}
}

// Give takes back a buffer, of Take or not. REQUIRES: nobody reads or writes it any more
func (b *Buffers) Give(buf []byte) {
	size := cap(buf)
	if b == nil {
		return
	}
	if b.poison {
		poison(buf[:size])
	}
	if size < bufferLeast || size > min(bufferMost, b.most) {
		return
	}
	class, bytes := bufferClass(size)
	if bytes > size { // append has grown it to a size between two classes
		class--
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.kept+size > b.mostLocked() {
		b.makeRoomLocked()
	}
	b.free[class] = append(b.free[class], buf[:0])
	b.kept += size
}

// poison overwrites a buffer with bytes that no encoding begins with.
func poison(buf []byte) {
	for i := range buf {
		buf[i] = 0xc1
	}
}
