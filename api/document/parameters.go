package document

import (
	"math"
	"time"

	"github.com/kindred-id/kindred/graph/score"
)

// Parameters are the parameters that scores are computed with.
type Parameters struct {
	Settings   ScoreSettings   `json:"settings"`
	Parameters ScoreParameters `json:"parameters"`
	Result     string          `json:"result,omitempty" jsonschema:"enum=ok,enum=partial,enum=failed"` // of the fit that was asked for
	Kept       string          `json:"kept,omitempty"`                                                 // what could not be fitted, and keeps its values
}

// ScoreSettings are what a deployment has chosen.
type ScoreSettings struct {
	HorizonDays    *float64 `json:"horizon_days" jsonschema:"nullable"` // days ahead that clv covers; null: all the future
	AnnualDiscount float64  `json:"annual_discount"`                    // rate at which a later order is worth less, a year
	Margin         float64  `json:"margin"`                             // share of net revenue that is earned, 0–1
}

// ScoreParameters are a fitted snapshot. A part that was not measured has the values of the cold start.
type ScoreParameters struct {
	Version   uint64             `json:"version"`                         // 0: the cold start
	FittedAt  *time.Time         `json:"fitted_at" jsonschema:"nullable"` // null for the cold start
	Sample    ParameterSample    `json:"sample"`
	Orders    OrderModel         `json:"orders"`
	Spend     SpendModel         `json:"spend"`
	Affinity  AffinityParameters `json:"affinity"`
	RFM       FifthEdges         `json:"rfm"`
	Interests InterestParameters `json:"interests"`
}

// ParameterSample is what the snapshot was fitted to.
type ParameterSample struct {
	Identities uint64 `json:"identities"` // with an event, when the sample was drawn
	Sampled    uint64 `json:"sampled"`    // identities in the sample
	Customers  uint64 `json:"customers"`  // identities in the sample with an order
}

// OrderModel is Pareto/NBD, which foretells when a person orders.
type OrderModel struct {
	R             float64  `json:"r"`
	Alpha         float64  `json:"alpha"` // weeks
	S             float64  `json:"s"`
	Beta          float64  `json:"beta"`                                 // weeks
	LogLikelihood *float64 `json:"log_likelihood" jsonschema:"nullable"` // of the sample; null until fitted
}

// SpendModel is Gamma-Gamma over all orders, which foretells what a person spends.
type SpendModel struct {
	P             float64  `json:"p"`
	Q             float64  `json:"q"`
	Gamma         float64  `json:"gamma"`                                // minor units of the currency
	LogLikelihood *float64 `json:"log_likelihood" jsonschema:"nullable"` // of the sample; null until fitted
}

// FifthEdges are the greatest values of the first four fifths of customers, in ascending order.
type FifthEdges struct {
	Days   []int64 `json:"days"`   // since the last order
	Orders []int64 `json:"orders"` // in about a year
	Money  []int64 `json:"money"`  // in about a year, in minor units of the currency
}

// InterestParameters are the population's interests.
type InterestParameters struct {
	Concentration float64           `json:"concentration"` // weight of the population in a person's shares, in dealings
	Dealings      map[string]uint64 `json:"dealings"`      // in the sample, by category
}

// AffinityParameters are how the population answers to discounts.
type AffinityParameters struct {
	HalfLifeDays      int                `json:"half_life_days"` // after so many days an observation counts half
	OffersKnown       bool               `json:"offers_known"`   // else affinity is about reductions alone
	Offers            Beta               `json:"offers"`         // accepted of the closed offers
	Coupons           Beta               `json:"coupons"`        // orders with a coupon
	Reductions        Beta               `json:"reductions"`     // reduced orders
	Classes           map[string]float64 `json:"classes"`        // rate of acceptance by class of offer, 0–1
	ClosedOffers      uint64             `json:"closed_offers"`  // offers that the intercept is an average over
	Intercept         float64            `json:"intercept"`      // log-odds
	MeanLogRate       float64            `json:"mean_log_rate"`
	Depth             float64            `json:"depth"`        // average share taken off a reduced order, 0–1
	DepthWeight       float64            `json:"depth_weight"` // minor units of the currency
	Lift              float64            `json:"lift"`
	LiftConcentration float64            `json:"lift_concentration"`
}

// Beta says how a rate differs between customers.
type Beta struct {
	A        float64 `json:"a"`
	B        float64 `json:"b"`
	Mean     float64 `json:"mean"`     // 0–1
	Measured bool    `json:"measured"` // false: the values are those of the cold start
}

// NewParameters shows a snapshot and the terms that it is used with, which have their defaults.
func NewParameters(measured score.Parameters, terms score.Terms) Parameters {
	return Parameters{Settings: newScoreSettings(terms), Parameters: newScoreParameters(measured)}
}

func newScoreSettings(t score.Terms) ScoreSettings {
	s := ScoreSettings{AnnualDiscount: t.AnnualDiscount, Margin: t.Margin}
	if !math.IsInf(t.HorizonDays, 1) {
		s.HorizonDays = &t.HorizonDays
	}
	return s
}

func newScoreParameters(measured score.Parameters) ScoreParameters {
	p := measured.WithDefaults()
	d := ScoreParameters{Version: p.Version, Affinity: newAffinityParameters(&measured, &p)}
	if p.Version > 0 {
		at := time.UnixMilli(p.FittedAt).UTC()
		d.FittedAt = &at
	}
	d.Sample.Identities, d.Sample.Sampled, d.Sample.Customers = p.Identities, p.Sampled, p.Customers
	d.Orders.R, d.Orders.Alpha, d.Orders.S, d.Orders.Beta = p.Orders.R, p.Orders.Alpha, p.Orders.S, p.Orders.Beta
	d.Orders.LogLikelihood = unlessZero(p.OrdersLogLikelihood)
	d.Spend.P, d.Spend.Q, d.Spend.Gamma = p.Spend.P, p.Spend.Q, p.Spend.Gamma
	d.Spend.LogLikelihood = unlessZero(p.SpendLogLikelihood)
	d.RFM.Days, d.RFM.Orders, d.RFM.Money = p.RFM.Days[:], p.RFM.Count[:], p.RFM.Money[:]
	d.Interests.Concentration, d.Interests.Dealings = p.InterestConcentration, orEmpty(p.Dealings)
	return d
}

func newAffinityParameters(measured, p *score.Parameters) AffinityParameters {
	m, a := &measured.Affinity, &p.Affinity
	beta := func(measured, b score.Beta) Beta {
		return Beta{A: b.A, B: b.B, Mean: b.Mean(), Measured: measured != score.Beta{}}
	}
	return AffinityParameters{
		HalfLifeDays: a.HalfLife, OffersKnown: a.OffersKnown,
		Offers: beta(m.Offers, a.Offers), Coupons: beta(m.Coupons, a.Coupons), Reductions: beta(m.Reductions, a.Reductions),
		Classes: orEmpty(a.Classes), ClosedOffers: p.ClosedOffers, Intercept: a.Intercept, MeanLogRate: a.MeanLogRate,
		Depth: a.Depth, DepthWeight: a.DepthWeight, Lift: a.Lift, LiftConcentration: a.LiftConcentration,
	}
}

func unlessZero(v float64) *float64 {
	if v == 0 {
		return nil
	}
	return &v
}

// orEmpty makes a nil map one that encodes as {}.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
