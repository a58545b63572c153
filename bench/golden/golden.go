// Package golden compares package score with tables of values from other programs, computed to many digits.
package golden

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/kindred-id/kindred/graph/score"
)

// GoldenRow is one row of a table of values of the CLV models.
type GoldenRow struct {
	Line  int    // in the file, counted from 1
	Model string // bgnbd, mbgnbd, pnbd, gg
	Fn    string // ll, palive, cond, dert
	Value float64
	input map[string]float64 // by column, without empty cells
	cells []string
}

// The columns of a golden table. The parameters p1 to p4 are r, alpha, a, b for bgnbd and mbgnbd; r, alpha, s, beta for
// pnbd; and p, q, gamma for gg, whose tx_or_zbar is the mean value of x occasions.
var goldenColumns = []string{"model", "fn", "p1", "p2", "p3", "p4", "x", "tx_or_zbar", "T", "t", "delta"}

// GoldenTable is a table of values of the CLV models, at given parameters and histories.
type GoldenTable struct {
	Header []string
	Rows   []GoldenRow
}

// ReadGolden reads a table as CSV with a header. Columns are found by name; other columns are kept unchanged. The column
// value may be missing.
func ReadGolden(r io.Reader) (*GoldenTable, error) {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if err != nil {
		return nil, fmt.Errorf("golden table: read the header: %w", err)
	}
	column := make(map[string]int, len(header))
	for i, name := range header {
		column[name] = i
	}
	for _, name := range goldenColumns {
		if _, ok := column[name]; !ok {
			return nil, fmt.Errorf("golden table: no column %s in the header; want %v", name, goldenColumns)
		}
	}
	table := &GoldenTable{Header: header}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return table, nil
		}
		if err != nil {
			return nil, fmt.Errorf("golden table: %w", err)
		}
		line, _ := reader.FieldPos(0)
		row := GoldenRow{Line: line, Model: cells[column["model"]], Fn: cells[column["fn"]], Value: math.NaN(), cells: cells, input: map[string]float64{}}
		for name, i := range column {
			if name == "model" || name == "fn" || cells[i] == "" || name != "value" && !slices.Contains(goldenColumns, name) {
				continue
			}
			v, err := strconv.ParseFloat(cells[i], 64)
			if err != nil {
				return nil, fmt.Errorf("golden table, line %d: %s is %q, which is not a number", line, name, cells[i])
			}
			row.input[name] = v
		}
		if v, ok := row.input["value"]; ok {
			row.Value = v
		}
		table.Rows = append(table.Rows, row)
	}
}

// WriteGot writes the table with one more column, got: the value that package score computes for each row. For an unknown
// model or function, and for a row without a value, it writes nothing and returns an error that names the line.
func (t *GoldenTable) WriteGot(w io.Writer) error {
	records := make([][]string, 0, len(t.Rows)+1)
	records = append(records, append(slices.Clone(t.Header), "got"))
	for i := range t.Rows {
		got, err := t.Rows[i].Got()
		if err != nil {
			return err
		}
		records = append(records, append(slices.Clone(t.Rows[i].cells), strconv.FormatFloat(got, 'g', 17, 64)))
	}
	return csv.NewWriter(w).WriteAll(records)
}

// Got computes the value of the row with package score.
func (r *GoldenRow) Got() (float64, error) {
	got, err := r.compute()
	if err == nil && (math.IsNaN(got) || math.IsInf(got, 0)) {
		err = fmt.Errorf("%s of %s is %v", r.Fn, r.Model, got)
	}
	if err != nil {
		return 0, fmt.Errorf("golden table, line %d: %w", r.Line, err)
	}
	return got, nil
}

// compute finds the model that the row names, with the parameters of its columns, and asks it. A row with parameters
// that the model refuses is an error, rather than a value to compare with.
func (r *GoldenRow) compute() (float64, error) {
	if r.Model == "gg" {
		return r.spend()
	}
	p, err := r.take("p1", "p2", "p3", "p4")
	if err != nil {
		return 0, err
	}
	var model score.Model
	switch r.Model {
	case "pnbd":
		model = score.ParetoNBD{R: p[0], Alpha: p[1], S: p[2], Beta: p[3]}
	case "bgnbd":
		model = score.BGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]}
	case "mbgnbd":
		model = score.MBGNBD{R: p[0], Alpha: p[1], A: p[2], B: p[3]}
	default:
		return 0, fmt.Errorf("unknown model %q; models are bgnbd, mbgnbd, pnbd and gg", r.Model)
	}
	if err := model.Validate(); err != nil {
		return 0, err
	}
	return r.count(model)
}

// count computes a value of a model of when customers buy, for one history in weeks. dert without t is over all the
// future.
func (r *GoldenRow) count(model score.Model) (float64, error) {
	p, err := r.take("x", "tx_or_zbar", "T")
	if err != nil {
		return 0, err
	}
	h := score.History{X: p[0], Tx: p[1], T: p[2]}
	if !(h.X >= 0 && h.Tx >= 0 && h.Tx <= h.T) {
		return 0, fmt.Errorf("x %v, tx %v, T %v: want x >= 0 and 0 <= tx <= T", h.X, h.Tx, h.T)
	}
	switch r.Fn {
	case "ll":
		return model.LogLikelihood(h), nil
	case "palive":
		return model.Alive(h), nil
	case "cond":
		t, err := r.take("t")
		if err != nil {
			return 0, err
		}
		return model.Orders(h, t[0]), nil
	case "dert":
		rate, err := r.take("delta")
		if err != nil {
			return 0, err
		}
		horizon, limited := r.input["t"]
		if !limited {
			horizon = math.Inf(1)
		}
		d, err := score.NewDiscount(rate[0], horizon)
		if err != nil {
			return 0, err
		}
		return model.Discounted(h, d), nil
	}
	return 0, fmt.Errorf("unknown function %q of %s; functions are ll, palive, cond and dert", r.Fn, r.Model)
}

// spend computes a value of the Gamma-Gamma model: of x occasions with the mean value tx_or_zbar.
func (r *GoldenRow) spend() (float64, error) {
	p, err := r.take("p1", "p2", "p3", "x", "tx_or_zbar")
	if err != nil {
		return 0, err
	}
	// Validate would be too strict: a population without a mean (q <= 1) still has one for customers who bought.
	m, n, z := score.GammaGamma{P: p[0], Q: p[1], Gamma: p[2]}, p[3], p[4]
	if !(m.P > 0 && m.Q > 0 && m.Gamma > 0) {
		return 0, fmt.Errorf("p %v, q %v, gamma %v: want all above 0", m.P, m.Q, m.Gamma)
	}
	switch {
	case r.Fn == "ll" && n > 0 && z > 0:
		return m.LogLikelihood(n, z), nil
	case r.Fn == "cond" && n >= 0 && z >= 0 && m.P*n+m.Q > 1:
		return m.Mean(n, z), nil
	case r.Fn != "ll" && r.Fn != "cond":
		return 0, fmt.Errorf("unknown function %q of gg; functions are ll and cond", r.Fn)
	}
	return 0, fmt.Errorf("%s of gg is not defined for x %v and z %v", r.Fn, n, z)
}

// take returns the named inputs.
func (r *GoldenRow) take(names ...string) ([]float64, error) {
	values := make([]float64, 0, len(names))
	for _, name := range names {
		v, ok := r.input[name]
		if !ok || math.IsNaN(v) {
			return nil, fmt.Errorf("%s of %s: no number in column %s", r.Fn, r.Model, name)
		}
		values = append(values, v)
	}
	return values, nil
}
