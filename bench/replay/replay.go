package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
)

// Options configure the answers to queries.
type Options struct {
	Model        string  // of when customers buy; see Models
	HorizonWeeks float64 // of expected orders and value, above 0
	// Note, if not nil, is called when some of the parameters could not be fitted and keep their values.
	Note func(error)
}

// orderModel is a model of when customers buy: its cold start, and how it is fitted.
type orderModel struct {
	cold score.Model
	fit  func(*fit.Timings) (score.Model, error)
}

var models = map[string]orderModel{
	"pareto-nbd": {score.ColdStart().Orders, fitter(fit.ParetoNBD)},
	"bg-nbd":     {score.BGNBD{R: 1, Alpha: 10, A: 1, B: 2.5}, fitter(fit.BGNBD)},
	"mbg-nbd":    {score.MBGNBD{R: 1, Alpha: 10, A: 1, B: 2.5}, fitter(fit.MBGNBD)},
	"nbd":        {score.NBD{R: 1, Alpha: 10}, fitter(fit.NBD)},
}

// DefaultModel is the model that the product uses.
const DefaultModel = "pareto-nbd"

// Models returns the names of the models.
func Models() []string { return slices.Sorted(maps.Keys(models)) }

// fitter makes one function type of the fits of all models, whose results have types of their own.
func fitter[M score.Model](f func(*fit.Timings, fit.Options) (M, fit.Quality, error)) func(*fit.Timings) (score.Model, error) {
	return func(t *fit.Timings) (score.Model, error) {
		m, _, err := fit.WithRidges(f, t)
		return m, err
	}
}

// Run reads a stream and writes one line for each query in it, in order. It ends at the first malformed row, with an error
// that names its line.
func Run(in io.Reader, out io.Writer, o Options) error {
	model, ok := models[o.Model]
	if !ok {
		return fmt.Errorf("unknown model %q; models are %v", o.Model, Models())
	}
	if !(o.HorizonWeeks > 0) {
		return fmt.Errorf("horizon of %v weeks; want more than 0", o.HorizonWeeks)
	}
	s, err := newStream(in)
	if err != nil {
		return err
	}
	r, err := newReplay(model, o)
	if err != nil {
		return err
	}
	w := csv.NewWriter(out)
	if err := w.Write(answerColumns); err != nil {
		return err
	}
	for {
		row, err := s.next()
		if errors.Is(err, io.EOF) {
			w.Flush()
			return w.Error()
		}
		if err != nil {
			return err
		}
		if err := r.take(&row, w); err != nil {
			return fmt.Errorf("line %d: %w", row.line, err)
		}
	}
}

// replay is the state of one stream: the people of the rows so far, and the parameters of the last fit that a query
// needed. A fit row alone only sets due. So several fits between two queries cost one, and R1 holds: a row before the
// query that comes after the fit row counts in it.
type replay struct {
	people  *people
	options Options
	model   orderModel
	due     *row // the fit that the next query waits for

	orders     score.Model
	parameters score.Parameters
	population *score.Population
	cells      []string // of an answer
}

// newReplay begins with the cold start of the model and of the affinity scores.
func newReplay(model orderModel, o Options) (*replay, error) {
	r := &replay{people: newPeople(), options: o, model: model, orders: model.cold, parameters: score.ColdStart()}
	var err error
	r.population, err = score.NewPopulation(r.parameters.Affinity)
	return r, err
}

// take processes one row. Of several fits that are due, the latest in time counts, whatever the order of their rows.
func (r *replay) take(next *row, w *csv.Writer) error {
	switch next.kind {
	case kindMerge:
		return r.people.merge(next)
	case kindFit:
		if r.due == nil || next.at > r.due.at {
			due := *next
			r.due = &due
		}
		return nil
	case kindQuery:
		if err := r.fit(); err != nil {
			return err
		}
		return r.answer(next, w)
	}
	return r.people.observe(next)
}

// fit computes the parameters that are due. Parameters that cannot be fitted keep their values.
func (r *replay) fit() error {
	if r.due == nil {
		return nil
	}
	at, line := r.due.at, r.due.line
	r.due = nil
	sample := fit.NewSample(r.parameters.Affinity.HalfLife)
	r.people.each(func(c *score.Customer) { sample.Add(c, at) })
	note := func(err error) {
		if err != nil && r.options.Note != nil {
			r.options.Note(fmt.Errorf("the fit of line %d, parameters keep their values: %w", line, err))
		}
	}
	// Orders and discounts are fitted apart: too few customers for the one do not keep the other from being fitted.
	if err := sample.Enough(); err != nil {
		note(err)
	} else {
		note(r.fitOrders(sample))
	}
	affinity, err := sample.Discounts()
	if err != nil {
		note(err)
		return nil
	}
	if affinity.Intercept, err = r.intercept(affinity, at); err != nil {
		return err
	}
	r.parameters.Affinity = affinity
	r.population, err = score.NewPopulation(affinity)
	return err
}

// fitOrders fits the models of when customers buy and of what they spend.
func (r *replay) fitOrders(sample *fit.Sample) error {
	orders, timingErr := r.model.fit(&sample.Timings)
	if timingErr == nil {
		r.orders = orders
	}
	spend, _, spendErr := fit.WithRidges(fit.GammaGamma, &sample.Spends)
	if spendErr == nil {
		r.parameters.Spend = spend
	}
	return errors.Join(timingErr, spendErr)
}

// intercept calibrates the parameters of offers. It is the last step of a fit.
func (r *replay) intercept(p score.AffinityParameters, at int64) (float64, error) {
	population, err := score.NewPopulation(p)
	if err != nil {
		return 0, err
	}
	var calibration score.Calibration
	r.people.each(func(c *score.Customer) { calibration.Add(population, &c.Prices, at) })
	return calibration.Intercept(), nil
}

// answerColumns is the header of the answer; kindred score replay --help explains each column.
var answerColumns = []string{
	"query", "x", "t_x", "T", "p_alive", "exp_orders", "exp_value", "discount_affinity", "offer_prob", "uplift_ratio",
	"n_orders", "n_disc", "n_coupon", "n_offers", "n_accepted",
}

// minorUnits is the number of minor units in one unit of money.
const minorUnits = 100

// answer writes the scores of the person with a profile.
func (r *replay) answer(query *row, w *csv.Writer) error {
	customer := r.people.customer(query.profile)
	history := score.NewHistory(customer.Purchases, query.at)
	counts := customer.Prices.Counts(query.at, r.population.Decay())
	affinity := r.population.Affinity(&counts)
	var alive, orders, value float64 // zero for a customer without an order
	if history.N > 0 {
		alive = r.orders.Alive(history)
		orders = r.orders.Orders(history, r.options.HorizonWeeks)
		value = orders * r.parameters.Spend.Mean(float64(history.N), history.Z) / minorUnits
	}
	cells := append(r.cells[:0], query.ref)
	for _, v := range []float64{
		history.X, history.Tx, history.T, alive, orders, value,
		affinity.Score, r.population.OfferProbability(&counts, query.class), r.population.Uplift(&counts).Ratio,
	} {
		cells = append(cells, strconv.FormatFloat(v, 'g', -1, 64))
	}
	for _, n := range []uint32{counts.Reductions.Of, counts.Reductions.Won, counts.Coupons.Won, counts.Offers.Of, counts.Offers.Won} {
		cells = append(cells, strconv.FormatUint(uint64(n), 10))
	}
	r.cells = cells
	return w.Write(cells)
}
