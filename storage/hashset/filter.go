package hashset

// A Filter is a blocked Bloom filter over hashes that are already uniform: "surely not there" for all
// but 1 % of what is not there, with one access to memory. It takes 10 bits an entry.
//
//	64 B block, chosen by the hash scaled to the number of blocks; within it, 6 of 512 bits
type Filter []uint64

const (
	filterBits   = 10
	filterProbes = 6
	filterWords  = 8 // of a block: one cache line
)

// NewFilter makes an empty filter for so many entries.
func NewFilter(entries int) Filter {
	blocks := max(1, (entries*filterBits+filterWords*64-1)/(filterWords*64))
	return make(Filter, blocks*filterWords)
}

func (f Filter) block(h uint64) (words Filter, probes uint64) {
	i := home(h, len(f)/filterWords) * filterWords
	// The block took the high bits of h; a multiplication brings the low ones up for the probes.
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

// MayHave is false for a hash that was surely never added.
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
