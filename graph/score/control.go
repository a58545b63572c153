package score

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
)

// Control is the permanent group of customers who get no offers, so that what offers do can be told from
// what would have happened anyway. A customer's arm is a function of the identity's id: nobody draws lots,
// and it is the same on every node and after every restart.
type Control struct {
	Experiment string // another name draws another group
	Permille   int    // share of the control group, 0 to 100 ‰
}

// ControlMax is the largest share of the control group, in ‰.
const ControlMax = 100

// ErrControl is returned for a control group that would be none, or would cost too much.
var ErrControl = errors.New("no such control group")

// Validate checks the share.
func (c Control) Validate() error {
	if c.Permille < 0 || c.Permille > ControlMax {
		return fmt.Errorf("%w: a share of %d per mille; give one from 0 to %d", ErrControl, c.Permille, ControlMax)
	}
	return nil
}

// Arm is a side of an experiment.
type Arm uint8

// The arms.
const (
	Treated Arm = iota
	Held        // in the control group
	arms
)

var armNames = [...]string{"treated", "control"}

func (a Arm) String() string {
	if int(a) < len(armNames) {
		return armNames[a]
	}
	return ""
}

// Arm is the arm of an identity, by its canonical id. After a merge the survivor's id decides.
func (c Control) Arm(id []byte) Arm {
	if int(hash64([]byte(c.Experiment), id)%1000) < c.Permille {
		return Held
	}
	return Treated
}

// Mixed tells whether an identity was in both arms: whether any of the canonical ids under which it was
// dealt with before it was merged gave another arm than its own. Reports leave it out.
func (c Control) Mixed(id []byte, former ...[]byte) bool {
	arm := c.Arm(id)
	for _, f := range former {
		if c.Arm(f) != arm {
			return true
		}
	}
	return false
}

// hash64 spreads a text over 64 bits: FNV-1a with the finaliser of MurmurHash3, without which neighbouring
// texts would fall together. It is no secret and needs none: ids are keyed hashes already.
func hash64[T ~string | ~[]byte](salt []byte, text T) uint64 {
	const (
		offset = 14695981039346656037
		prime  = 1099511628211
	)
	h := uint64(offset)
	for _, b := range salt {
		h = (h ^ uint64(b)) * prime
	}
	if salt != nil {
		h *= prime // a zero byte, so that salt and text cannot be shifted into one another
	}
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * prime
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// ControlReport compares the arms, band by band. Reports of parts of the customers add up exactly.
type ControlReport struct {
	cells [bands][arms]outcomes
}

// outcomes sums y over customers; sums of squares need 128 bits.
type outcomes struct {
	n                       uint64
	sumHigh                 int64
	sumLow                  uint64
	squaresHigh, squaresLow uint64
}

func (o *outcomes) add(y int64) {
	var carry uint64
	o.n++
	o.sumLow, carry = bits.Add64(o.sumLow, uint64(y), 0)
	o.sumHigh += y>>63 + int64(carry)
	magnitude := uint64(y)
	if y < 0 {
		magnitude = -magnitude
	}
	high, low := bits.Mul64(magnitude, magnitude)
	o.squaresLow, carry = bits.Add64(o.squaresLow, low, 0)
	o.squaresHigh += high + carry
}

func (o *outcomes) merge(p *outcomes) {
	var carry uint64
	o.n += p.n
	o.sumLow, carry = bits.Add64(o.sumLow, p.sumLow, 0)
	o.sumHigh += p.sumHigh + int64(carry)
	o.squaresLow, carry = bits.Add64(o.squaresLow, p.squaresLow, 0)
	o.squaresHigh += p.squaresHigh + carry
}

// moments are the mean and the variance of that mean; 0 where there are too few customers to say.
func (o *outcomes) moments() (mean, variance float64) {
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
	squares := wide(new(big.Int).SetUint64(o.squaresHigh), o.squaresLow)
	spread := new(big.Int).Sub(new(big.Int).Mul(n, squares), new(big.Int).Mul(sum, sum))
	n1 := new(big.Int).SetUint64(o.n - 1)
	variance, _ = new(big.Rat).SetFrac(spread, new(big.Int).Mul(new(big.Int).Mul(n, n), n1)).Float64()
	return mean, variance
}

func wide(high *big.Int, low uint64) *big.Int {
	return new(big.Int).Add(new(big.Int).Lsh(high, 64), new(big.Int).SetUint64(low))
}

// Add counts one customer's outcome: 0 or 1 for an order, or revenue in minor units. Identities that were
// in both arms (Control.Mixed) are to be left out.
func (r *ControlReport) Add(band Band, arm Arm, outcome int64) {
	if band < bands && arm < arms {
		r.cells[band][arm].add(outcome)
	}
}

// Merge adds a report of other customers.
func (r *ControlReport) Merge(o *ControlReport) {
	for band := range r.cells {
		for arm := range r.cells[band] {
			r.cells[band][arm].merge(&o.cells[band][arm])
		}
	}
}

// ControlLine is what one band of a report says.
type ControlLine struct {
	Band          Band
	Treated, Held uint64  // customers
	TreatedMean   float64 // of the outcome
	HeldMean      float64
	Uplift        float64 // treated less held
	Error         float64 // standard error of Uplift; 0 where an arm has fewer than two customers
	Ratio         float64 // TreatedMean / HeldMean; 0 where that says nothing
	Judged        bool    // both arms have at least two customers
}

// Line reads a band.
func (r *ControlReport) Line(band Band) ControlLine {
	if band >= bands {
		return ControlLine{Band: band}
	}
	treated, held := &r.cells[band][Treated], &r.cells[band][Held]
	line := ControlLine{Band: band, Treated: treated.n, Held: held.n}
	var treatedVariance, heldVariance float64
	line.TreatedMean, treatedVariance = treated.moments()
	line.HeldMean, heldVariance = held.moments()
	if treated.n < 2 || held.n < 2 {
		return line
	}
	line.Judged = true
	line.Uplift = line.TreatedMean - line.HeldMean
	line.Error = math.Sqrt(treatedVariance + heldVariance)
	if line.HeldMean > 0 && line.TreatedMean >= 0 {
		line.Ratio = line.TreatedMean / line.HeldMean
	}
	return line
}
