package score

import (
	"math"
	"math/big"
	"math/bits"
)

// Outcomes sums an outcome y over customers, exactly: 0 or 1 for an order, or revenue in minor units. Outcomes of
// different customers add up exactly, whatever the order.
type Outcomes struct {
	n       uint64
	sumHigh int64
	sumLow  uint64
	squares [3]uint64 // the lowest first: a square needs 126 bits, and 2⁶⁴ of them 190
}

// Add counts one customer's outcome.
func (o *Outcomes) Add(y int64) {
	var carry uint64
	o.n++
	o.sumLow, carry = bits.Add64(o.sumLow, uint64(y), 0)
	o.sumHigh += y>>63 + int64(carry)
	magnitude := uint64(y)
	if y < 0 {
		magnitude = -magnitude
	}
	high, low := bits.Mul64(magnitude, magnitude)
	o.addSquares([3]uint64{low, high})
}

func (o *Outcomes) addSquares(squares [3]uint64) {
	var carry uint64
	for i := range squares {
		o.squares[i], carry = bits.Add64(o.squares[i], squares[i], carry)
	}
}

// AddZeros counts customers whose outcome is 0.
func (o *Outcomes) AddZeros(customers uint64) { o.n += customers }

// Merge adds outcomes of other customers.
func (o *Outcomes) Merge(p *Outcomes) {
	var carry uint64
	o.n += p.n
	o.sumLow, carry = bits.Add64(o.sumLow, p.sumLow, 0)
	o.sumHigh += p.sumHigh + int64(carry)
	o.addSquares(p.squares)
}

// N is how many customers were counted.
func (o *Outcomes) N() uint64 { return o.n }

// Sum is the sum of all outcomes; beyond 64 bits it is the end of their range.
func (o *Outcomes) Sum() int64 {
	switch {
	case o.sumHigh == 0 && o.sumLow <= math.MaxInt64, o.sumHigh == -1 && o.sumLow > math.MaxInt64:
		return int64(o.sumLow)
	case o.sumHigh < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

// Moments are the mean and the variance of that mean, s²/n; 0 where there are too few customers to say.
func (o *Outcomes) Moments() (mean, variance float64) {
	if o.n == 0 {
		return 0, 0
	}
	n := new(big.Int).SetUint64(o.n)
	sum := wide(big.NewInt(o.sumHigh), o.sumLow)
	mean, _ = new(big.Rat).SetFrac(sum, n).Float64()
	if o.n == 1 {
		return mean, 0
	}
	// n Σy² - (Σy)² is exact, where the difference of two floats would keep no digit of it.
	squares := wide(wide(new(big.Int).SetUint64(o.squares[2]), o.squares[1]), o.squares[0])
	spread := new(big.Int).Sub(new(big.Int).Mul(n, squares), new(big.Int).Mul(sum, sum))
	n1 := new(big.Int).SetUint64(o.n - 1)
	variance, _ = new(big.Rat).SetFrac(spread, new(big.Int).Mul(new(big.Int).Mul(n, n), n1)).Float64()
	return mean, variance
}

func wide(high *big.Int, low uint64) *big.Int {
	return new(big.Int).Add(new(big.Int).Lsh(high, 64), new(big.Int).SetUint64(low))
}
