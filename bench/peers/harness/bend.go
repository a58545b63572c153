package harness

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// bendAbove is how much more an event must cost than at the point before to be a bend.
const bendAbove = 1.2

// samplesLeast is how many samples each profile must have for a comparison of parts.
const samplesLeast = 50

// plain writes a number without an exponent.
func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// bends says where a curve bends upwards, and which parts of the program took the time.
func (c *Curve) bends() (list []string) {
	for i := 1; i < len(c.Points); i++ {
		from, to := &c.Points[i-1], &c.Points[i]
		if to.CPU.Median < bendAbove*from.CPU.Median {
			continue
		}
		why := "; the profiles have too few samples to say why"
		if n, m := from.samples(), to.samples(); min(n, m) >= samplesLeast {
			why = fmt.Sprintf(": %s (profiles of %d and %d samples)", growth(from.Parts, to.Parts), n, m)
		}
		list = append(list, fmt.Sprintf("From %s to %s %s an event costs %.2f times as much, %.2f µs more, with %.1f allocations instead of %.1f%s.",
			plain(from.X), plain(to.X), c.X, to.CPU.Median/from.CPU.Median, to.CPU.Median-from.CPU.Median, to.Allocs.Median, from.Allocs.Median, why))
	}
	return list
}

// samples is how many samples the profiles of all rounds have: parts with few of them are guesses.
func (c *Comparison) samples() (n int) {
	for i := range c.Rounds {
		if p := c.Rounds[i].Profile; p != nil {
			n += p.Samples
		}
	}
	return n
}

// growth lists what grew, most first, down to a tenth of all that did.
func growth(from, to Parts) string {
	names, total := []string{}, 0.0
	for _, name := range PartNames() {
		if more := to[name] - from[name]; more > 0 {
			names, total = append(names, name), total+more
		}
	}
	slices.SortStableFunc(names, func(a, b string) int {
		if to[a]-from[a] > to[b]-from[b] {
			return -1
		}
		return 1
	})
	var list []string
	for _, name := range names {
		if more := to[name] - from[name]; more >= total/10 {
			list = append(list, fmt.Sprintf("%s %+.2f µs", name, more))
		}
	}
	return strings.Join(list, ", ")
}
