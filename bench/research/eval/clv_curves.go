package eval

import (
	"fmt"
	"math"

	"github.com/kindred-id/kindred/graph/score"
)

// Curve holds the predictions of one model, point by point.
type Curve struct {
	Name   string
	Values []float64
}

// Tracking is the number of repeat occasions of all customers, week by week over the whole data: the actual number, and the
// predictions of models fitted at the cut that know only the day of each customer's first order.
type Tracking struct {
	Weeks    []float64 // since the first order of any customer
	Cut      float64   // the point in Weeks at which the models were fitted; later points are predictions
	Actual   []float64 // repeat occasions up to then
	Expected []Curve
}

// ByFrequency is the number of occasions after the cut, by the number of repeat occasions before it.
type ByFrequency struct {
	Customers []int     // by number of repeat occasions before; the last group includes all larger numbers
	Actual    []float64 // mean occasions after the cut
	Expected  []Curve
}

const weekMillis = 7 * 24 * 60 * 60 * 1000

// CLVCurves fits Pareto/NBD and BG/NBD as of the cut and compares their predictions with the outcomes until the end. Times
// are ms since 1970 UTC; frequencies of most and above form one group.
func CLVCurves(l Ledger, cut, end int64, most int) (*Tracking, *ByFrequency, error) {
	e := clvEvaluation{customers: CutLedger(l, cut, end), weeks: float64(end-cut) / weekMillis}
	if err := e.fit(); err != nil {
		return nil, nil, fmt.Errorf("curves of CLV: %w", err)
	}
	return e.track(l, cut, end), e.byFrequency(most), nil
}

// compared holds the model of the product, and the most widely used one.
func (e *clvEvaluation) compared() []namedModel {
	return []namedModel{{"Pareto/NBD", e.pareto}, {"BG/NBD", e.bg}}
}

type namedModel struct {
	name string
	score.Model
}

// track walks the data in steps of a week, one of which ends at the cut.
func (e *clvEvaluation) track(l Ledger, cut, end int64) *Tracking {
	start := int64(math.MaxInt64)
	for i := range e.customers {
		start = min(start, cut-e.customers[i].age())
	}
	t := &Tracking{Cut: float64(cut-start) / weekMillis}
	for _, m := range e.compared() {
		t.Expected = append(t.Expected, Curve{Name: m.name})
	}
	for at := cut - (cut-start)/weekMillis*weekMillis; at <= end; at += weekMillis {
		t.Weeks = append(t.Weeks, float64(at-start)/weekMillis)
		actual := 0.0
		for i := range e.customers {
			actual += score.NewHistory(l[e.customers[i].ID], at).X
		}
		t.Actual = append(t.Actual, actual)
		for k, m := range e.compared() {
			expected := 0.0
			for i := range e.customers {
				if weeks := float64(at-cut+e.customers[i].age()) / weekMillis; weeks > 0 {
					expected += m.Orders(score.History{}, weeks)
				}
			}
			t.Expected[k].Values = append(t.Expected[k].Values, expected)
		}
	}
	return t
}

// age returns the time from the customer's first occasion to the cut, in ms.
func (c *CLVCustomer) age() int64 { return int64(math.Round(c.History.T * weekMillis)) }

func (e *clvEvaluation) byFrequency(most int) *ByFrequency {
	f := &ByFrequency{Customers: make([]int, most+1)}
	group := func(c *CLVCustomer) int { return min(int(c.History.X), most) }
	for i := range e.customers {
		f.Customers[group(&e.customers[i])]++
	}
	mean := func(of func(*CLVCustomer) float64) []float64 {
		means := make([]float64, most+1)
		for i := range e.customers {
			g := group(&e.customers[i])
			means[g] += of(&e.customers[i]) / float64(f.Customers[g])
		}
		return means
	}
	f.Actual = mean(func(c *CLVCustomer) float64 { return c.Orders })
	for _, m := range e.compared() {
		f.Expected = append(f.Expected, Curve{m.name, mean(func(c *CLVCustomer) float64 { return m.Orders(c.History, e.weeks) })})
	}
	return f
}
