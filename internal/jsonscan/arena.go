package jsonscan

// Arena is memory that is released all at once: bytes created while a batch is read, which live as long as the batch.
// Bytes that it returned never move. The zero Arena is ready to use.
//
//   - It grows by chunks of chunkBytes, or of the requested length if that is more.
//   - After Reset it keeps at most chunksKept ordinary chunks and no larger one.
type Arena struct {
	chunks [][]byte // of chunkBytes each; those below next are in use
	next   int
	free   []byte // length 0: the rest of the chunk in use
}

const (
	chunkBytes = 64 << 10
	chunksKept = 16
)

// Reset releases all memory. Bytes returned earlier must not be used any more.
func (a *Arena) Reset() {
	if len(a.chunks) > chunksKept {
		clear(a.chunks[chunksKept:])
		a.chunks = a.chunks[:chunksKept]
	}
	a.next, a.free = 0, nil
}

// Reserve returns an empty slice with room for n bytes. Append to it and pass it to Keep; without Keep, the next
// Reserve returns the same room.
func (a *Arena) Reserve(n int) []byte {
	if cap(a.free) < n {
		a.grow(n)
	}
	return a.free
}

func (a *Arena) grow(n int) {
	if n > chunkBytes {
		a.free = make([]byte, 0, n)
		return
	}
	if a.next == len(a.chunks) {
		a.chunks = append(a.chunks, make([]byte, 0, chunkBytes))
	}
	a.free = a.chunks[a.next]
	a.next++
}

// Keep marks the bytes appended to the slice of the last Reserve as used, and returns them. If append outgrew the
// room, b has memory of its own and the room stays unused.
func (a *Arena) Keep(b []byte) []byte {
	if len(b) <= cap(a.free) {
		a.free = a.free[len(b):len(b):cap(a.free)]
	}
	return b[:len(b):len(b)]
}

// Unescape returns the text of the inside of a string, in the arena.
func (a *Arena) Unescape(inside []byte) []byte {
	return a.Keep(Unescape(a.Reserve(len(inside)), inside))
}
