package hashset

import (
	"math/bits"

	"github.com/kindred-id/kindred/graph"
)

// Fingerprints remembers the nodes of a shard that were ever stored, so that a new node costs no read: a point read
// of an absent key is among the most expensive operations of a shard.
//
// It keeps 64 bits of each key. Has may be wrong with "stored" (once in 2^64/n), and is never wrong with "never
// stored" (S9). It takes 10 to 15 bytes a node; growth, by half, needs both tables at once. When the limit has no
// room for growth, a filter that takes the whole limit replaces the set: with 10 bits a node Has is wrong with
// "stored" once in 80 times, and more often with fewer bits. One goroutine at a time uses it.
type Fingerprints struct {
	set    Set
	limit  int64
	filter Filter // nil while the set fits
}

// NewFingerprints returns an empty set that takes at most limit bytes; see Complete.
func NewFingerprints(limit int64) *Fingerprints { return &Fingerprints{limit: limit} }

// fingerprint mixes both halves: the low half alone selects the shard of the key, and the high half starts with the
// class. Node keys are keyed hashes, so no further mixing is needed.
func fingerprint(key graph.NodeKey) uint64 { return key.Lo ^ bits.RotateLeft64(key.Hi, 32) }

// Add remembers a node.
func (f *Fingerprints) Add(key graph.NodeKey) {
	h := fingerprint(key)
	if f.filter == nil && f.set.full() && int64(f.set.grownLen())*8 > f.limit && !f.set.Has(h) {
		f.filter = NewFilter(int(f.limit * 8 / filterBits))
		f.set.Remove(func(uint8) bool { return true }, f.filter.Add)
	}
	if f.filter != nil {
		f.filter.Add(h)
		return
	}
	f.set.Add(h, 0)
}

// Has returns false if the node was never stored. If it returns true, ask the store.
func (f *Fingerprints) Has(key graph.NodeKey) bool {
	if f.filter != nil {
		return f.filter.MayHave(fingerprint(key))
	}
	return f.set.Has(fingerprint(key))
}

// Complete returns false once the limit has no room for the fingerprints of all nodes.
func (f *Fingerprints) Complete() bool { return f.filter == nil }

// Len is the number of nodes; 0 once Complete returns false.
func (f *Fingerprints) Len() int { return f.set.Len() }

// Bytes is the memory in use.
func (f *Fingerprints) Bytes() int64 { return f.set.Bytes() + int64(len(f.filter))*8 }
