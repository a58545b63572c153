package hashset

import (
	"math/bits"

	"github.com/kindred-id/kindred/graph"
)

// Fingerprints remembers which nodes of a shard were ever stored, so that a node which is new costs no
// read: a point read of a key that does not exist is among the dearest things that a shard can do.
//
// It keeps 64 bits of each key, so Has may be wrong with "stored" (once in 2^64/n), and is never
// wrong with "never stored" (S9). It takes 10 to 15 bytes a node, and while it grows, which it
// does by half, both tables at once. Where the limit has no room for that, a filter takes its place, which has all of the limit:
// with 10 bits a node Has is wrong with "stored" once in 80 times, with fewer more often. Used by one goroutine at a time.
type Fingerprints struct {
	set    Set
	limit  int64
	filter Filter // nil as long as there is room for the set
}

// NewFingerprints makes an empty set that takes at most limit bytes; see Complete.
func NewFingerprints(limit int64) *Fingerprints { return &Fingerprints{limit: limit} }

// fingerprint mixes both halves: the low one alone says which shard the key is in, the high one has
// the class on top. Node keys are keyed hashes, so nothing more is needed.
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

// Has is false when the node was surely never stored. When it is true, ask the store.
func (f *Fingerprints) Has(key graph.NodeKey) bool {
	if f.filter != nil {
		return f.filter.MayHave(fingerprint(key))
	}
	return f.set.Has(fingerprint(key))
}

// Complete is false once there were more nodes than the limit has room for the fingerprints of.
func (f *Fingerprints) Complete() bool { return f.filter == nil }

// Len is the number of nodes; 0 once it is not Complete.
func (f *Fingerprints) Len() int { return f.set.Len() }

// Bytes is the memory in use.
func (f *Fingerprints) Bytes() int64 { return f.set.Bytes() + int64(len(f.filter))*8 }
