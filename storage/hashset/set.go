// Package hashset holds many 64-bit hashes in little memory: an exact set, an approximate filter, and the
// fingerprints of a shard's nodes, which change from a set to a filter. None of them contains a pointer.
//
//   - S9: a fingerprint that was added is always found, so the answer "never stored" is always right.
package hashset

import "math/bits"

// A Set is a set of 64-bit hashes without pointers, so that the garbage collector never scans it. It uses open
// addressing with linear probing. A hash's home is its value scaled to the number of slots, so that the table may
// have any size and grows by half; the hashes must be uniform in their high bits.
//
//	slots  | 0 | h | h | 0 | ...      0 is a free slot; zeroTag stands for the hash 0
//	tags   | - | t | t | - | ...      only with tags: one byte for each hash
//
// Invariants:
//   - len(slots)*setLoad/100 >= count: a probe always ends.
type Set struct {
	slots   []uint64
	tags    []uint8
	count   int // slots in use
	tagged  bool
	hasZero bool
	zeroTag uint8
}

const (
	setMin  = 64
	setLoad = 80 // percent of slots in use at which the table grows
)

// NewTagged returns an empty set with tags. The zero Set is an empty set without tags.
func NewTagged() Set { return Set{tagged: true} }

// home is where a probe for h begins, in a table of n slots.
func home(h uint64, n int) int {
	hi, _ := bits.Mul64(h, uint64(n))
	return int(hi)
}

// Has reports whether h was added.
func (s *Set) Has(h uint64) bool {
	if h == 0 {
		return s.hasZero
	}
	slots := s.slots
	if len(slots) == 0 {
		return false
	}
	for i := home(h, len(slots)); ; {
		switch slots[i] {
		case h:
			return true
		case 0:
			return false
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
}

// Add adds a hash with a tag, and reports whether h is new. A hash already in the set keeps its tag.
func (s *Set) Add(h uint64, tag uint8) bool {
	if h == 0 {
		if s.hasZero {
			return false
		}
		s.hasZero, s.zeroTag = true, tag
		return true
	}
	if s.full() {
		// Search before growing: a hash already in the set needs no room.
		if s.Has(h) {
			return false
		}
		s.resize(s.grownLen())
	}
	return s.insert(h, tag)
}

func (s *Set) insert(h uint64, tag uint8) bool {
	slots := s.slots
	for i := home(h, len(slots)); ; {
		switch slots[i] {
		case h:
			return false
		case 0:
			slots[i] = h
			if s.tagged {
				s.tags[i] = tag
			}
			s.count++
			return true
		}
		if i++; i == len(slots) {
			i = 0
		}
	}
}

// full reports whether the next new hash makes the table grow.
func (s *Set) full() bool { return s.count >= len(s.slots)*setLoad/100 }

func (s *Set) grownLen() int { return max(setMin, len(s.slots)+len(s.slots)/2) }

func (s *Set) resize(slots int) {
	old := *s
	s.slots = make([]uint64, slots)
	if s.tagged {
		s.tags = make([]uint8, slots)
	}
	s.count = 0
	for i, h := range old.slots {
		if h != 0 {
			s.insert(h, old.tag(i))
		}
	}
}

func (s *Set) tag(i int) uint8 {
	if s.tagged {
		return s.tags[i]
	}
	return 0
}

// Remove drops the hashes whose tag is in drop and passes each of them to out, in no particular order. It rebuilds
// the table at its smallest size.
func (s *Set) Remove(drop func(tag uint8) bool, out func(h uint64)) {
	old := *s
	keep := 0
	for i, h := range old.slots {
		if h != 0 && !drop(old.tag(i)) {
			keep++
		}
	}
	if s.hasZero && drop(s.zeroTag) {
		s.hasZero = false
		out(0)
	}
	s.slots, s.tags, s.count = nil, nil, 0
	if keep > 0 {
		*s = Set{tagged: old.tagged, hasZero: s.hasZero, zeroTag: s.zeroTag}
		s.resize(max(setMin, keep*100/setLoad+keep/4+1))
	}
	for i, h := range old.slots {
		switch {
		case h == 0:
		case drop(old.tag(i)):
			out(h)
		default:
			s.insert(h, old.tag(i))
		}
	}
}

// Bytes is the memory in use.
func (s *Set) Bytes() int64 { return int64(len(s.slots))*8 + int64(len(s.tags)) }

// Len is the number of hashes.
func (s *Set) Len() int {
	if s.hasZero {
		return s.count + 1
	}
	return s.count
}
