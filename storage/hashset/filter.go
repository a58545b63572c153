package hashset

// A Filter is a blocked Bloom filter over hashes that are already uniform. It rejects all but 1 % of absent hashes,
// with one access to memory. It takes 10 bits an entry.
//
//	64 B block, chosen by the hash scaled to the number of blocks; within it, 6 of 512 bits
type Filter []uint64

const (
	filterBits   = 10
	filterProbes = 6
	filterWords  = 8 // of a block: one cache line
)

// NewFilter returns an empty filter for the given number of entries.
func NewFilter(entries int) Filter {
	blocks := max(1, (entries*filterBits+filterWords*64-1)/(filterWords*64))
	return make(Filter, blocks*filterWords)
}

func (f Filter) block(h uint64) (words Filter, probes uint64) {
	i := home(h, len(f)/filterWords) * filterWords
	// The block consumed the high bits of h; the multiplication brings the low bits up for the probes.
	return f[i : i+filterWords], h * 0x9e3779b97f4a7c15
}

// Add adds a hash.
func (f Filter) Add(h uint64) {
	words, probes := f.block(h)
	for range filterProbes {
		words[probes>>61] |= 1 << (probes >> 55 & 63)
		probes <<= 9
	}
}

// MayHave returns false for a hash that was never added, and rarely true for one.
func (f Filter) MayHave(h uint64) bool {
	words, probes := f.block(h)
	for range filterProbes {
		if words[probes>>61]&(1<<(probes>>55&63)) == 0 {
			return false
		}
		probes <<= 9
	}
	return true
}
