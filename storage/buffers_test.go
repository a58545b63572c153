package storage

import (
	"bytes"
	"testing"
)

func TestBufferClasses(t *testing.T) {
	last := -1
	for size := 1; size <= 70_000; size++ {
		class, room := bufferClass(size)
		if room < size || size > bufferLeast && room > size+size/4+1 {
			t.Fatalf("%d bytes get %d", size, room)
		}
		if class != last && class != last+1 {
			t.Fatalf("%d bytes are of class %d, after %d", size, class, last)
		}
		last = class
		if again, same := bufferClass(room); again != class || same != room {
			t.Fatalf("%d bytes are of class %d and get %d, and those are of class %d and get %d", size, class, room, again, same)
		}
	}
	if class, room := bufferClass(bufferMost); class != bufferClasses-1 || room != bufferMost {
		t.Fatalf("the largest is of class %d of %d, and has %d bytes", class, bufferClasses, room)
	}
}

func TestBuffersAreUsedAgain(t *testing.T) {
	b := NewBuffers(100<<10, 0)
	first := append(b.Take(5000), 7)
	b.Give(first)
	if again := b.Take(4900); len(again) != 0 || &again[:1][0] != &first[0] {
		t.Error("a buffer of the same class is not the one that was given back")
	}
	b.Give(append(make([]byte, 0, 5500), 1)) // of no class: 5120 is the one below
	if got := b.Take(6000); cap(got) < 6000 {
		t.Errorf("a buffer of %d bytes, want 6000", cap(got))
	}
	if got := b.Take(5000); cap(got) != 5500 {
		t.Errorf("a buffer of %d bytes, want the one of 5500", cap(got))
	}
	var none *Buffers
	none.Give(none.Take(10))
}

func TestBuffersAreBounded(t *testing.T) {
	b := NewBuffers(100<<10, 0)
	for range 30 {
		b.Give(make([]byte, 10<<10))
	}
	b.Give(make([]byte, 200<<10))
	b.Give(make([]byte, 512))
	for range 3 {
		b.Give(make([]byte, 40<<10)) // those of 10 KiB make room
	}
	kept := 0
	for class := range b.free {
		for _, buf := range b.free[class] {
			kept += cap(buf)
		}
	}
	if kept != b.kept || kept > 100<<10 || kept < 60<<10 {
		t.Errorf("%d bytes are kept and %d are counted, of at most %d", kept, b.kept, 100<<10)
	}
	if got := b.Take(40 << 10); b.kept != kept-cap(got) {
		t.Errorf("nothing is kept of what came last")
	}
}

func TestBuffersPoison(t *testing.T) {
	b := NewBuffers(1<<20, 0)
	b.Poison()
	buf := append(b.Take(1000), "text"...)
	b.Give(buf)
	if !bytes.Equal(buf, []byte{0xc1, 0xc1, 0xc1, 0xc1}) {
		t.Errorf("a buffer that was given back holds %x", buf)
	}
}

// Free buffers may have what is not held of the share: they grow as what was held is given back, and shrink when more is held.
func TestBuffersHeldAndFree(t *testing.T) {
	const size, share, most = 10 << 10, 100 << 10, 20 << 10
	b := NewBuffers(most, share)
	held := make([][]byte, share/size)
	for i := range held {
		held[i] = b.Take(size)
		b.Hold(cap(held[i]))
	}
	check := func(when string, least, limit int) {
		t.Helper()
		if b.kept < least || b.kept > limit {
			t.Errorf("%s: %d bytes are kept, want %d to %d", when, b.kept, least, limit)
		}
	}
	for range 10 {
		b.Give(make([]byte, size))
	}
	check("all of the share is held", most-size, most)
	for _, buf := range held {
		b.Hold(-cap(buf))
		b.Give(buf)
	}
	check("nothing is held", share, share+most)
	b.Hold(share)
	check("all of it is held again", most-size, most)
	b.Hold(share) // more than the share: nothing below zero
	check("twice as much is held", most-size, most)
}
