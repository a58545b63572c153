package scoring

import (
	"math"

	"github.com/kindred-id/kindred/graph/score"
	"gonum.org/v1/gonum/stat/distuv"
)

// Difference is how much more one group has than another, with the interval in which the truth lies with Confidence.
type Difference struct {
	Value, Low, High float64
}

// Confidence is that of all intervals.
const Confidence = 0.95

// upperTail is the quantile at which an interval ends.
const upperTail = (1 + Confidence) / 2

// newcombe is the difference of two shares, won of all, with the interval of Newcombe, Statistics in Medicine 17, 1998, method 10:
// from Wilson's intervals of both shares, without a correction for continuity. It is nil where a group is empty.
func newcombe(won1, all1, won2, all2 uint64) *Difference {
	if all1 == 0 || all2 == 0 {
		return nil
	}
	p1, low1, high1 := wilson(won1, all1)
	p2, low2, high2 := wilson(won2, all2)
	d := p1 - p2
	return &Difference{Value: d, Low: d - math.Hypot(p1-low1, high2-p2), High: d + math.Hypot(high1-p1, p2-low2)}
}

// wilson is a share with its score interval.
func wilson(won, all uint64) (share, low, high float64) {
	z := distuv.UnitNormal.Quantile(upperTail)
	n := float64(all)
	p := float64(won) / n
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return p, (middle - half) / (1 + z*z/n), (middle + half) / (1 + z*z/n)
}

// welch is the difference of two means, with the interval of Welch, Biometrika 34, 1947, for variances that differ. It is nil where
// they tell nothing of how much outcomes differ: fewer than two people in a group, or all outcomes of each group equal.
func welch(of, against *score.Outcomes) *Difference {
	mean1, variance1 := of.Moments()
	mean2, variance2 := against.Moments()
	variance := variance1 + variance2
	if of.N() < 2 || against.N() < 2 || variance == 0 {
		return nil
	}
	// Shares of the variance, since squares of it could overflow or vanish.
	share1, share2 := variance1/variance, variance2/variance
	freedom := 1 / (share1*share1/float64(of.N()-1) + share2*share2/float64(against.N()-1))
	half := distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile(upperTail) * math.Sqrt(variance)
	d := mean1 - mean2
	return &Difference{Value: d, Low: d - half, High: d + half}
}
