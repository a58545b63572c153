package score

import (
	"cmp"
	"math"
	"slices"
)

// TrialCell is how many customers had some number of successes in some number of trials.
type TrialCell struct {
	Of, Won   uint32
	Customers uint64
}

// TrialCells is a histogram of customers by trials and successes: all that a beta-binomial likelihood needs to know
// of a sample. Customers without a trial are left out: they say nothing.
type TrialCells struct{ cells map[trialKey]uint64 }

type trialKey struct{ of, won uint32 }

// Add counts one customer.
func (c *TrialCells) Add(of, won uint32) {
	if of > 0 {
		c.add(trialKey{of, min(won, of)}, 1)
	}
}

func (c *TrialCells) add(k trialKey, customers uint64) {
	if c.cells == nil {
		c.cells = make(map[trialKey]uint64)
	}
	c.cells[k] += customers
}

// Merge adds the customers of another histogram.
func (c *TrialCells) Merge(o *TrialCells) {
	for k, customers := range o.cells {
		c.add(k, customers)
	}
}

// Customers is how many customers had a trial.
func (c *TrialCells) Customers() uint64 {
	var sum uint64
	for _, customers := range c.cells {
		sum += customers
	}
	return sum
}

// Cells lists the histogram, by trials and successes.
func (c *TrialCells) Cells() []TrialCell {
	list := make([]TrialCell, 0, len(c.cells))
	for k, customers := range c.cells {
		list = append(list, TrialCell{Of: k.of, Won: k.won, Customers: customers})
	}
	slices.SortFunc(list, func(a, b TrialCell) int { return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Won, b.Won)) })
	return list
}

// maximise finds where a function with one peak in [low, high] has it, by golden section. Where there is no one peak it
// finds a local one; it always ends, and always inside.
//
// low < left < right < high, and each step drops the part beyond the worse of left and right. In the golden ratio
// the other one is where the next step needs it, so a step costs one call of f.
func maximise(f func(x float64) float64, low, high float64) float64 {
	const (
		steps = 60 // the golden ratio to the 60th is 3e-13
		ratio = 1 / math.Phi
	)
	left, right := high-(high-low)*ratio, low+(high-low)*ratio
	fl, fr := f(left), f(right)
	for range steps {
		if fl < fr {
			low, left, fl = left, right, fr
			right = low + (high-low)*ratio
			fr = f(right)
		} else {
			high, right, fr = right, left, fl
			left = high - (high-low)*ratio
			fl = f(left)
		}
	}
	return (low + high) / 2
}
