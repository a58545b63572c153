package score

import "math"

// Decay weights what was seen by its age: half after one half-life, a quarter after two.
//
// Weights are integers and ages are whole days, so a weighted sum is a sum of integers: it is the same to
// the last bit in any order, however the evidence was split and merged.
type Decay struct {
	weights []uint64 // of the ages 0 … half-life-1; older ones are halved by a shift
}

const (
	decayUnit    = 1 << 32 // the weight of what was seen today
	halfLifeDays = 365     // default: see docs/scores.md
	halfLifeMax  = 36500
)

// NewDecay makes a decay with a half-life in days, from 1 to 36,500; 0 is the default of 365.
func NewDecay(halfLife int) Decay {
	if halfLife == 0 {
		halfLife = halfLifeDays
	}
	halfLife = min(max(halfLife, 1), halfLifeMax)
	weights := make([]uint64, halfLife)
	for age := range weights {
		weights[age] = uint64(math.Round(decayUnit * math.Exp2(-float64(age)/float64(halfLife))))
	}
	return Decay{weights: weights}
}

// weight of what was seen age days ago, in units of 1/decayUnit. A future day weighs as today.
func (d *Decay) weight(age int64) uint64 {
	if age <= 0 {
		return decayUnit
	}
	halfLife := int64(len(d.weights))
	if age < halfLife { // nearly always, and without a division
		return d.weights[age]
	}
	halvings := age / halfLife
	if halvings > 63 {
		return 0
	}
	return d.weights[age%halfLife] >> uint(halvings)
}

// days is how many days are left of so many that have just passed, once each has faded by its age.
func (d *Decay) days(passed float64) float64 {
	lifetime := float64(len(d.weights)) / math.Ln2
	return -lifetime * math.Expm1(-passed/lifetime)
}
