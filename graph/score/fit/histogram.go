package fit

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/kindred-id/kindred/graph/score"
)

// Histogram counts customers by cell. The zero value is empty and ready. It is not safe for concurrent
// use: give each shard its own, and merge them.
//
// A likelihood is then computed for each cell and not for each customer, and its weight is the number of customers in
// the cell. Counts are whole numbers, so that merging in any order gives the same histogram.
type Histogram[C cellType[C]] struct {
	counts map[C]uint64
}

// A cellType is what one model knows of a customer: customers with equal cells are alike to it.
type cellType[C any] interface {
	comparable
	// compare orders cells totally.
	compare(C) int
	// check says why there can be no such customer.
	check() error
}

// Add counts n customers.
func (h *Histogram[C]) Add(cell C, n uint64) {
	if n == 0 {
		return
	}
	if h.counts == nil {
		h.counts = make(map[C]uint64)
	}
	h.counts[cell] += n
}

// Merge adds the customers of another histogram.
func (h *Histogram[C]) Merge(o *Histogram[C]) {
	for cell, n := range o.counts {
		h.Add(cell, n)
	}
}

// Len is the number of cells.
func (h *Histogram[C]) Len() int { return len(h.counts) }

// Customers is the number of customers.
func (h *Histogram[C]) Customers() uint64 {
	var n uint64
	for _, c := range h.counts {
		n += c
	}
	return n
}

// All gives the cells and how many customers are in each, in no order.
func (h *Histogram[C]) All() iter.Seq2[C, uint64] { return maps.All(h.counts) }

// weighted is a cell and how many customers are in it.
type weighted[C any] struct {
	cell   C
	weight float64
}

// sorted gives the cells in order, checked.
func (h *Histogram[C]) sorted() ([]weighted[C], error) {
	cells := make([]weighted[C], 0, len(h.counts))
	for cell, n := range h.counts {
		if err := cell.check(); err != nil {
			return nil, err
		}
		cells = append(cells, weighted[C]{cell, float64(n)})
	}
	slices.SortFunc(cells, func(a, b weighted[C]) int { return a.cell.compare(b.cell) })
	return cells, nil
}

// Timing is when a customer bought: X repeat occasions, the last at Tx of T weeks (BG/BB: opportunities).
type Timing struct{ X, Tx, T float64 }

// Timings counts customers by timing.
type Timings = Histogram[Timing]

// TimingOf is the timing of a history.
func TimingOf(h score.History) Timing { return Timing{X: h.X, Tx: h.Tx, T: h.T} }

func (t Timing) compare(o Timing) int {
	return cmp.Or(cmp.Compare(t.X, o.X), cmp.Compare(t.Tx, o.Tx), cmp.Compare(t.T, o.T))
}

func (t Timing) check() error {
	if !(t.X >= 0 && t.Tx >= 0 && t.Tx <= t.T) || math.IsInf(t.X+t.T, 1) {
		return fmt.Errorf("%w: x %v, tx %v, T %v; want x >= 0 and 0 <= tx <= T", ErrCell, t.X, t.Tx, t.T)
	}
	return nil
}

// Spend is what a customer spent: N occasions with the mean value Z, in minor units.
type Spend struct{ N, Z float64 }

// Spends counts customers by spend.
type Spends = Histogram[Spend]

// SpendOf is the spend of a history. ok is false for a customer who spent nothing: the Gamma-Gamma model has no
// likelihood for amounts of 0, so leave those customers out.
func SpendOf(h score.History) (s Spend, ok bool) {
	return Spend{N: float64(h.N), Z: h.Z}, h.N > 0 && h.Z > 0
}

func (s Spend) compare(o Spend) int { return cmp.Or(cmp.Compare(s.N, o.N), cmp.Compare(s.Z, o.Z)) }

func (s Spend) check() error {
	if !(s.N > 0 && s.Z > 0) || math.IsInf(s.N*s.Z, 1) {
		return fmt.Errorf("%w: %v occasions of mean value %v; want both above 0", ErrCell, s.N, s.Z)
	}
	return nil
}

// trialCell is how often a customer said yes: D of N times.
type trialCell struct{ N, D float64 }

// trialCells counts customers by trial.
type trialCells = Histogram[trialCell]

func (t trialCell) compare(o trialCell) int {
	return cmp.Or(cmp.Compare(t.N, o.N), cmp.Compare(t.D, o.D))
}

func (t trialCell) check() error {
	if !(t.D >= 0 && t.D <= t.N) || math.IsInf(t.N, 1) {
		return fmt.Errorf("%w: %v of %v; want 0 <= D <= N", ErrCell, t.D, t.N)
	}
	return nil
}
