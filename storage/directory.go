package storage

import (
	"math/bits"

	"github.com/kindred-id/kindred/graph"
)

// Fingerprints remembers which nodes of a shard were ever stored, so that a node which is new costs no
// read: a point read of a key that does not exist is among the dearest things that a shard can do.
//
// It keeps 64 bits of each key: Has may be wrong with "stored" (once in 2^64/n) and is never
// wrong with "never stored" (S9). It takes 10 to 15 bytes a node, and while it grows, which it
// does by half, both tables at once. Used by one goroutine at a time.
type Fingerprints struct {
	set      hashSet
	limit    int64
	overflow bool
}

// NewFingerprints makes an empty set that takes at most limit bytes; see Complete.
func NewFingerprints(limit int64) *Fingerprints { return &Fingerprints{limit: limit} }

// fingerprint mixes both halves: the low one alone says which shard the key is in, the high one has
// the class on top. Node keys are keyed hashes, so nothing more is needed.
func fingerprint(key graph.NodeKey) uint64 { return key.Lo ^ bits.RotateLeft64(key.Hi, 32) }

// Add remembers a node.
func (f *Fingerprints) Add(key graph.NodeKey) {
	if f.overflow {
		return
	}
	h := fingerprint(key)
	if f.set.full() && int64(f.set.grownLen())*8 > f.limit && !f.set.has(h) {
		*f = Fingerprints{limit: f.limit, overflow: true}
		return
	}
	f.set.add(h, 0)
}

// Has is false when the node was surely never stored. When it is true, ask the store.
func (f *Fingerprints) Has(key graph.NodeKey) bool {
	return f.overflow || f.set.has(fingerprint(key))
}

// Complete is false once there were more nodes than the limit has room for: Has is then always true,
// the memory is given back, and Bloom filters have to do.
func (f *Fingerprints) Complete() bool { return !f.overflow }

// Len is the number of nodes; 0 once it is not Complete.
func (f *Fingerprints) Len() int { return f.set.len() }

// Bytes is the memory in use.
func (f *Fingerprints) Bytes() int64 { return f.set.bytes() }
