package rulesfile

import (
	"math"
	"strconv"

	"github.com/kindred-id/kindred/internal/yamlfile"

	"github.com/kindred-id/kindred/graph/score"
)

// The keys under scores.
const (
	annualDiscount = "annual_discount"
	margin         = "margin"
	horizonDays    = "horizon_days"
)

// scores reads the settings of scores. The discount is read before the horizon, because an infinite horizon requires a
// discount, and without one the error should name the line of the horizon.
func (d decoder) scores(f *File, n *yamlfile.Node, key string) {
	fields := d.Fields(n, key, horizonDays, annualDiscount, margin)
	for _, part := range []struct {
		key string
		of  func(*score.Terms) *float64
	}{
		{annualDiscount, func(t *score.Terms) *float64 { return &t.AnnualDiscount }},
		{margin, func(t *score.Terms) *float64 { return &t.Margin }},
		{horizonDays, func(t *score.Terms) *float64 { return &t.HorizonDays }},
	} {
		value := fields[part.key]
		if value == nil {
			continue
		}
		at, terms := yamlfile.Join(key, part.key), f.Scores
		var ok bool
		if *part.of(&terms), ok = d.real(value, at); !ok {
			continue
		}
		if err := terms.Check(); err != nil {
			d.Fail(value, at, "%w", err)
			continue
		}
		f.Scores = terms
	}
}

// real reads a number that need not be whole, or inf.
func (d decoder) real(n *yamlfile.Node, key string) (v float64, ok bool) {
	tag := n.ShortTag()
	switch {
	case yamlfile.IsScalar(n) && n.Value == infinite:
		return math.Inf(1), true
	case yamlfile.IsScalar(n) && (tag == "!!int" || tag == "!!float") && n.Decode(&v) == nil:
		return v, true
	}
	d.Fail(n, key, "want a number, such as 0.15, got %s", yamlfile.Describe(n))
	return 0, false
}

const infinite = "inf"

// realText writes a number in the form that real reads.
func realText(v float64) string {
	if math.IsInf(v, 1) {
		return infinite
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
