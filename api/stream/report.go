package stream

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// getScoreReport answers GET /v1/scores/report?window_days=30. It reads every profile, so it is one of the exports at one time.
func (s *Streams) getScoreReport(w http.ResponseWriter, r *http.Request) *route.Problem {
	if s.Scores == nil {
		return &route.Problem{Code: document.CodeUnknownRoute}
	}
	days := scoring.DaysDefault
	if text := r.URL.Query().Get("window_days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > scoring.DaysMax {
			return route.NewProblem(document.CodeBadParameter, "window_days: want a whole number from 1 to %d", scoring.DaysMax)
		}
	}
	if !s.exports.TryAcquire(1) {
		return exportsBusy()
	}
	defer s.exports.Release(1)
	route.Patient(w)
	question := scoring.Question{Engine: s.Engine, Scorer: s.Scores.Scorer(), Control: s.Control, Days: days, SettleFor: defaultSettleFor}
	report, err := question.Answer(r.Context())
	if err != nil {
		return s.exportProblem(err)
	}
	return route.Send(w, newScoreReport(report, days))
}

// newScoreReport is the document of a report, with one comparison for all and one for each band of discount affinity,
// the lowest first.
func newScoreReport(r *scoring.Report, days int) document.ScoreReport {
	d := document.ScoreReport{
		AsOf: document.NewTime(r.AsOf), From: document.NewTime(r.From), WindowDays: days, Version: r.Version, Settled: r.Settled,
		ControlShare: r.ControlShare, Confidence: scoring.Confidence, Comparison: newComparison(&r.All),
	}
	for band := range r.Bands {
		d.Bands = append(d.Bands, document.Band{Band: score.Band(band).String(), Comparison: newComparison(&r.Bands[band])}) //nolint:gosec // below score.Bands
	}
	return d
}

// newComparison turns minor units into the unit of each currency: sums exactly, as decimal text, and means as floats,
// which are estimates anyway.
func newComparison(c *scoring.Comparison) document.Comparison {
	d := document.Comparison{
		Control: newGroup(&c.Control), Rest: newGroup(&c.Rest),
		Bought: newDifference(c.Bought, 1), Revenue: []document.Revenue{},
	}
	for i := range c.Revenue {
		r := &c.Revenue[i]
		unit := math.Pow10(money.Exponent(r.Currency))
		d.Revenue = append(d.Revenue, document.Revenue{
			Currency: r.Currency.String(), ControlTotal: amount(r.ControlTotal, r.Currency), RestTotal: amount(r.RestTotal, r.Currency),
			ControlPerPerson: r.ControlMean / unit, RestPerPerson: r.RestMean / unit, Incremental: newDifference(r.Incremental, unit),
		})
	}
	return d
}

// amount writes minor units as decimal text in the unit of the currency, exactly.
func amount(minor int64, c graph.Currency) json.Number {
	return json.Number(money.Append(nil, minor, c))
}

// newGroup is the document of one group. Shares are null where a group has no people, or no orders.
func newGroup(g *scoring.Group) document.Group {
	return document.Group{
		People: g.People, Buyers: g.Buyers, BoughtShare: share(g.Buyers, g.People),
		Orders: g.Orders, CouponOrders: g.CouponOrders, CouponShare: share(g.CouponOrders, g.Orders),
		OffersSent: g.OffersSent, OffersAccepted: g.OffersAccepted,
	}
}

// share is some of all; nil of nothing.
func share(some, all uint64) *float64 {
	if all == 0 {
		return nil
	}
	s := float64(some) / float64(all)
	return &s
}

// newDifference divides a difference and its interval by the unit; nil where the groups can't be compared.
func newDifference(d *scoring.Difference, unit float64) *document.Difference {
	if d == nil {
		return nil
	}
	return &document.Difference{Difference: d.Value / unit, Low: d.Low / unit, High: d.High / unit}
}
