package generate

import "math/rand/v2"

// A dice makes the numbers of a stream, in order.
type dice struct{ *rand.PCG }

// newDice begins a stream of numbers. It is PCG, whose numbers Go keeps the same in every release: files of one seed
// are equal for ever.
func newDice(seed uint64) dice { return dice{rand.NewPCG(seed, 0x6b696e64726564)} }

// below gives a number from 0 to n-1. The bias is n in 2^32, which no shopper notices.
func (d dice) below(n uint32) uint32 { return scale(d.Uint64(), n) }

// between gives a number from lo to hi.
func (d dice) between(lo, hi uint32) uint32 { return lo + d.below(hi-lo+1) }

func (d dice) chance(t threshold) bool { return t.holds(d.Uint64()) }

// scale brings a random number below n, by its upper half.
func scale(random uint64, n uint32) uint32 { return uint32(random >> 32 * uint64(n) >> 32) }

// A salt names one of the things that a person's number decides, so that they are independent.
type salt uint64

// hash gives the lasting random number of (seed, n, salt): SplitMix64's mixing, twice.
func hash(seed, n uint64, s salt) uint64 {
	return mix(mix(seed+uint64(s)*0x9e3779b97f4a7c15) + n*0xd1342543de82ef95)
}

// mix is the last step of SplitMix64: every bit of x changes about half of the result's bits.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
