package ceiling

import "github.com/kindred-id/kindred/graph"

// leastSlots is the size of an empty table.
const leastSlots = 1 << 10

// nodeTable maps keys of 128 bits to numbers, by open addressing with linear probing. Keys are keyed hashes already, so their
// low half is the hash. It is at most five eighths full.
type nodeTable struct {
	slots []nodeSlot
	used  int
}

// nodeSlot is free if number is 0.
type nodeSlot struct {
	key    graph.NodeKey
	number int32 // and one
}

// slot returns the slot of a key, or the free slot where it belongs.
func (t *nodeTable) slot(key graph.NodeKey) *nodeSlot {
	mask := uint64(len(t.slots) - 1)
	for i := key.Lo & mask; ; i = (i + 1) & mask {
		if s := &t.slots[i]; s.number == 0 || s.key == key {
			return s
		}
	}
}

// reserve makes room for one more key.
func (t *nodeTable) reserve() {
	if (t.used+1)*8 <= len(t.slots)*5 {
		return
	}
	old := t.slots
	t.slots = make([]nodeSlot, max(leastSlots, 2*len(old)))
	for i := range old {
		if old[i].number != 0 {
			*t.slot(old[i].key) = old[i]
		}
	}
}

// hashSet is a set of hashes, by open addressing. Zero stands for a free slot, so zero is held apart.
type hashSet struct {
	slots []uint64
	used  int
	zero  bool
}

// add adds a hash, and reports whether it was new.
func (s *hashSet) add(hash uint64) bool {
	if hash == 0 {
		known := s.zero
		s.zero = true
		return !known
	}
	if (s.used+1)*8 > len(s.slots)*5 {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case hash:
			return false
		case 0:
			s.slots[i] = hash
			s.used++
			return true
		}
	}
}

func (s *hashSet) grow() {
	old := s.slots
	s.slots, s.used = make([]uint64, max(leastSlots, 2*len(old))), 0
	for _, hash := range old {
		if hash != 0 {
			s.add(hash)
		}
	}
}
