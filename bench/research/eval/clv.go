package eval

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// CLVCustomer is a customer as of the cut, and the actual outcome.
type CLVCustomer struct {
	ID      string
	History score.History
	First   float64 // value of the first occasion
	Orders  float64 // occasions after the cut
	Value   float64 // their net revenue, minor units
}

// CutLedger divides each customer's purchases in two: the history up to the cut, and the outcome from then to the end (ms
// since 1970 UTC, both days included). It omits customers without a purchase by the cut.
func CutLedger(l Ledger, cut, end int64) []CLVCustomer {
	var customers []CLVCustomer
	for id, purchases := range l {
		before, after := score.NewHistory(purchases, cut), score.NewHistory(purchases, end)
		if before.N == 0 {
			continue
		}
		customers = append(customers, CLVCustomer{
			ID:      id,
			History: before,
			First:   firstValue(purchases),
			Orders:  after.X - before.X,
			Value:   float64(after.N)*after.Z - float64(before.N)*before.Z,
		})
	}
	slices.SortFunc(customers, func(a, b CLVCustomer) int { return cmp.Compare(a.ID, b.ID) })
	return customers
}

// firstValue returns the net revenue of the first occasion.
func firstValue(purchases []score.Purchase) float64 {
	purchases = slices.Clone(purchases)
	slices.SortFunc(purchases, func(a, b score.Purchase) int { return cmp.Compare(a.At, b.At) })
	for _, p := range purchases {
		if h := score.NewHistory(purchases, p.At); h.N > 0 {
			return h.Z
		}
	}
	return 0
}

// Prediction is the accuracy of one method over all customers.
type Prediction struct {
	Name                      string
	MAE, RMSE, Spearman, Gini float64
	AUC                       float64 // of the prediction, as a score for whether anything followed
}

// CLVReport is the accuracy of predictions of customer lifetime value.
type CLVReport struct {
	Customers int
	Weeks     float64
	Orders    []Prediction // occasions
	Value     []Prediction // revenue, in units of 100 minor units
	Alive     []Prediction // chances to be alive and to buy, as scores for whether anything followed: AUC alone
}

// EvaluateCLV fits every model to the customers as of the cut, and compares its predictions for the weeks until the end with
// the outcomes.
func EvaluateCLV(l Ledger, cut, end int64) (*CLVReport, error) {
	customers := CutLedger(l, cut, end)
	e := clvEvaluation{customers: customers, weeks: float64(end-cut) / (7 * 24 * 60 * 60 * 1000)}
	if err := e.fit(); err != nil {
		return nil, fmt.Errorf("evaluate CLV: %w", err)
	}
	return &CLVReport{
		Customers: len(customers), Weeks: e.weeks,
		Orders: e.orders(), Value: e.value(), Alive: e.alive(),
	}, nil
}

type clvEvaluation struct {
	customers []CLVCustomer
	weeks     float64
	pareto    score.ParetoNBD
	bg        score.BGNBD
	mbg       score.MBGNBD
	spend     score.GammaGamma // all occasions
	textbook  score.GammaGamma // repeat occasions
}

func (e *clvEvaluation) fit() (err error) {
	var timings fit.Timings
	var all, repeats fit.Spends
	for i := range e.customers {
		c := &e.customers[i]
		timings.Add(fit.TimingOf(c.History), 1)
		if s, ok := fit.SpendOf(c.History); ok {
			all.Add(s, 1)
		}
		if n, z := c.repeats(); n > 0 && z > 0 {
			repeats.Add(fit.Spend{N: n, Z: z}, 1)
		}
	}
	if e.pareto, _, err = fit.ParetoNBD(&timings, fit.Options{}); err != nil {
		return err
	}
	if e.bg, _, err = fit.BGNBD(&timings, fit.Options{}); err != nil {
		return err
	}
	if e.mbg, _, err = fit.MBGNBD(&timings, fit.Options{}); err != nil {
		return err
	}
	if e.spend, _, err = fit.GammaGamma(&all, fit.Options{}); err != nil {
		return err
	}
	e.textbook, _, err = fit.GammaGamma(&repeats, fit.Options{})
	return err
}

// repeats returns the occasions after the first and their mean value.
func (c *CLVCustomer) repeats() (n, z float64) {
	h := c.History
	if h.X == 0 {
		return 0, 0
	}
	return h.X, max(float64(h.N)*h.Z-c.First, 0) / h.X
}

func (e *clvEvaluation) orders() []Prediction {
	actual := e.collect(func(c *CLVCustomer) float64 { return c.Orders })
	of := func(name string, m score.Model) Prediction {
		return e.predict(name, actual, func(c *CLVCustomer) float64 { return m.Orders(c.History, e.weeks) })
	}
	return []Prediction{
		e.predict("x/T·t", actual, func(c *CLVCustomer) float64 { return c.History.X / c.History.T * e.weeks }),
		of("BG/NBD", e.bg),
		of("MBG/NBD", e.mbg),
		of("Pareto/NBD", e.pareto),
	}
}

// dollar is the unit in which money is reported, in minor units.
const dollar = 100

func (e *clvEvaluation) value() []Prediction {
	actual := e.collect(func(c *CLVCustomer) float64 { return c.Value / dollar })
	return []Prediction{
		e.predict("past spend / T·t", actual, func(c *CLVCustomer) float64 {
			return float64(c.History.N) * c.History.Z / dollar / c.History.T * e.weeks
		}),
		e.predict("Gamma-Gamma, repeat orders only", actual, func(c *CLVCustomer) float64 {
			return e.pareto.Orders(c.History, e.weeks) * e.textbook.Mean(c.repeats()) / dollar
		}),
		e.predict("Gamma-Gamma, all orders", actual, func(c *CLVCustomer) float64 {
			return e.pareto.Orders(c.History, e.weeks) * e.spend.Mean(float64(c.History.N), c.History.Z) / dollar
		}),
	}
}

func (e *clvEvaluation) alive() []Prediction {
	of := func(name string, f func(*CLVCustomer) float64) Prediction {
		return Prediction{Name: name, AUC: AUC(e.collect(f), e.bought())}
	}
	return []Prediction{
		of("P(alive), BG/NBD", func(c *CLVCustomer) float64 { return e.bg.Alive(c.History) }),
		of("P(alive), MBG/NBD", func(c *CLVCustomer) float64 { return e.mbg.Alive(c.History) }),
		of("P(alive), Pareto/NBD", func(c *CLVCustomer) float64 { return e.pareto.Alive(c.History) }),
		of("P(buys within), Pareto/NBD", func(c *CLVCustomer) float64 { return e.pareto.BuysWithin(c.History, e.weeks) }),
	}
}

func (e *clvEvaluation) predict(name string, actual []float64, f func(*CLVCustomer) float64) Prediction {
	predicted := e.collect(f)
	return Prediction{
		Name: name,
		MAE:  MAE(predicted, actual), RMSE: RMSE(predicted, actual),
		Spearman: Spearman(predicted, actual), Gini: Gini(predicted, actual),
		AUC: AUC(predicted, e.bought()),
	}
}

func (e *clvEvaluation) bought() []bool {
	bought := make([]bool, len(e.customers))
	for i := range e.customers {
		bought[i] = e.customers[i].Orders > 0
	}
	return bought
}

func (e *clvEvaluation) collect(f func(*CLVCustomer) float64) []float64 {
	values := make([]float64, len(e.customers))
	for i := range e.customers {
		values[i] = f(&e.customers[i])
	}
	return values
}
