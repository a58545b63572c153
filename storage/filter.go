package storage

// A filter is a blocked Bloom filter over hashes that are already uniform: "surely not there" for all
// but 1 % of what is not there, with one access to memory. It takes 10 bits an entry.
//
//	64 B block, chosen by the hash scaled to the number of blocks; within it, 6 of 512 bits
type filter []uint64

const (
	filterBits   = 10
	filterProbes = 6
	filterWords  = 8 // of a block: one cache line
)

func newFilter(entries int) filter {
	blocks := max(1, (entries*filterBits+filterWords*64-1)/(filterWords*64))
	return make(filter, blocks*filterWords)
}

func (f filter) block(h uint64) (words filter, probes uint64) {
	i := home(h, len(f)/filterWords) * filterWords
	// The block took the high bits of h; a multiplication brings the low ones up for the probes.
	return f[i : i+filterWords], h * 0x9e3779b97f4a7c15
}

func (f filter) add(h uint64) {
	words, probes := f.block(h)
	for range filterProbes {
		words[probes>>61] |= 1 << (probes >> 55 & 63)
		probes <<= 9
	}
}

func (f filter) mayHave(h uint64) bool {
	words, probes := f.block(h)
	for range filterProbes {
		if words[probes>>61]&(1<<(probes>>55&63)) == 0 {
			return false
		}
		probes <<= 9
	}
	return true
}
