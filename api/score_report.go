package api

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsontext"
	"github.com/kindred-id/kindred/internal/money"
)

// ScoreReportDocument is the body of GET /v1/scores/report: the control group beside the rest, in the days before as_of. Money is in
// the currency's unit.
type ScoreReportDocument struct {
	AsOf         string  `json:"as_of"`
	From         string  `json:"from"`
	WindowDays   int     `json:"window_days"`
	Version      uint64  `json:"version"` // of the parameters that the bands come from
	Settled      bool    `json:"settled"` // no event was under way when it began; else the newest may be missing
	ControlShare float64 `json:"control_share"`
	Confidence   float64 `json:"confidence"` // of all intervals
	ComparisonDocument
	// Bands has every band of discount affinity, as of from.
	Bands []BandDocument `json:"bands"`
}

// BandDocument is the people of one band of discount affinity.
type BandDocument struct {
	Band string `json:"band"`
	ComparisonDocument
}

// ComparisonDocument is the control group beside the rest. Differences are the rest less the control group.
type ComparisonDocument struct {
	Control GroupDocument       `json:"control"`
	Rest    GroupDocument       `json:"rest"`
	Bought  *DifferenceDocument `json:"bought_difference"` // of bought_share; null where a group is empty
	Revenue []RevenueDocument   `json:"revenue"`           // by currency, never added up
}

// GroupDocument is what people did in the window. Shares of nothing are null.
type GroupDocument struct {
	People         uint64   `json:"people"`
	Buyers         uint64   `json:"buyers"`
	BoughtShare    *float64 `json:"bought_share"`
	Orders         uint64   `json:"orders"`
	CouponOrders   uint64   `json:"coupon_orders"`
	CouponShare    *float64 `json:"coupon_share"` // of orders
	OffersSent     uint64   `json:"offers_sent"`
	OffersAccepted uint64   `json:"offers_accepted"` // of those sent in the window
}

// RevenueDocument is net revenue in one currency, less refunds.
type RevenueDocument struct {
	Currency         string              `json:"currency"`
	ControlTotal     json.Number         `json:"control_total"`
	RestTotal        json.Number         `json:"rest_total"`
	ControlPerPerson float64             `json:"control_per_person"`
	RestPerPerson    float64             `json:"rest_per_person"`
	Incremental      *DifferenceDocument `json:"incremental_per_person"` // null where it can't be told
}

// DifferenceDocument is a difference with its interval.
type DifferenceDocument struct {
	Difference float64 `json:"difference"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
}

// getScoreReport answers GET /v1/scores/report?window_days=30. It reads every profile, so it is one of the exports at one time.
func (s *Server) getScoreReport(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "window_days"); p != nil {
		return p
	}
	if s.Scores == nil {
		return &problem{code: CodeUnknownRoute}
	}
	days := scoring.DaysDefault
	if text := r.URL.Query().Get("window_days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > scoring.DaysMax {
			return newProblem(CodeBadParameter, "window_days: want a whole number from 1 to %d", scoring.DaysMax)
		}
	}
	if !s.exports.TryAcquire(1) {
		return exportsBusy()
	}
	defer s.exports.Release(1)
	patient(w)
	question := scoring.Question{Engine: s.Engine, Scorer: s.Scores.Scorer(), Control: s.Control, Days: days, SettleFor: DefaultSettleFor}
	report, err := question.Answer(r.Context())
	if err != nil {
		return s.exportProblem(err)
	}
	return sendDocument(w, newScoreReportDocument(report, days))
}

func newScoreReportDocument(r *scoring.Report, days int) ScoreReportDocument {
	d := ScoreReportDocument{
		AsOf: timeText(r.AsOf), From: timeText(r.From), WindowDays: days, Version: r.Version, Settled: r.Settled,
		ControlShare: r.ControlShare, Confidence: scoring.Confidence, ComparisonDocument: newComparisonDocument(&r.All),
	}
	for band := range r.Bands {
		d.Bands = append(d.Bands, BandDocument{score.Band(band).String(), newComparisonDocument(&r.Bands[band])}) //nolint:gosec // below score.Bands
	}
	return d
}

// timeText is a moment as documents show it.
func timeText(ms int64) string {
	quoted := jsontext.AppendTime(nil, ms)
	return string(quoted[1 : len(quoted)-1])
}

func newComparisonDocument(c *scoring.Comparison) ComparisonDocument {
	d := ComparisonDocument{
		Control: newGroupDocument(&c.Control), Rest: newGroupDocument(&c.Rest),
		Bought: newDifferenceDocument(c.Bought, 1), Revenue: []RevenueDocument{},
	}
	for i := range c.Revenue {
		r := &c.Revenue[i]
		unit := math.Pow10(money.Exponent(r.Currency))
		d.Revenue = append(d.Revenue, RevenueDocument{
			Currency: r.Currency.String(), ControlTotal: amount(r.ControlTotal, r.Currency), RestTotal: amount(r.RestTotal, r.Currency),
			ControlPerPerson: r.ControlMean / unit, RestPerPerson: r.RestMean / unit, Incremental: newDifferenceDocument(r.Incremental, unit),
		})
	}
	return d
}

func amount(minor int64, c graph.Currency) json.Number {
	return json.Number(money.Append(nil, minor, c))
}

func newGroupDocument(g *scoring.Group) GroupDocument {
	return GroupDocument{
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

func newDifferenceDocument(d *scoring.Difference, unit float64) *DifferenceDocument {
	if d == nil {
		return nil
	}
	return &DifferenceDocument{d.Value / unit, d.Low / unit, d.High / unit}
}
