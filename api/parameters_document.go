package api

import (
	"math"
	"time"

	"github.com/kindred-id/kindred/graph/score"
)

// ParametersDocument is the body of GET /v1/scores/parameters and of POST /v1/scores/fit.
type ParametersDocument struct {
	Settings   ScoreSettings   `json:"settings"`
	Parameters ScoreParameters `json:"parameters"`
	// Result of the fit that was asked for: ok, partial or failed. Kept tells what could not be fitted, and keeps its values.
	Result string `json:"result,omitempty"`
	Kept   string `json:"kept,omitempty"`
}

// ScoreSettings are score.Terms: what a deployment has chosen.
type ScoreSettings struct {
	HorizonDays    *float64 `json:"horizon_days"` // null: all the future
	AnnualDiscount float64  `json:"annual_discount"`
	Margin         float64  `json:"margin"`
}

// ScoreParameters are score.Parameters: what was fitted. Values are those that scores are computed with, so where a
// part was not measured they are those of the cold start.
type ScoreParameters struct {
	Version  uint64     `json:"version"`   // 0: the cold start
	FittedAt *time.Time `json:"fitted_at"` // null for the cold start

	Sample struct {
		Identities uint64 `json:"identities"` // with an event, when the sample was drawn
		Sampled    uint64 `json:"sampled"`    // of them in the sample
		Customers  uint64 `json:"customers"`  // of the sampled with an order
	} `json:"sample"`

	// Orders is Pareto/NBD: alpha and beta in weeks.
	Orders struct {
		R             float64  `json:"r"`
		Alpha         float64  `json:"alpha"`
		S             float64  `json:"s"`
		Beta          float64  `json:"beta"`
		LogLikelihood *float64 `json:"log_likelihood"` // of the sample; null until fitted
	} `json:"orders"`

	// Spend is Gamma-Gamma over all orders: gamma in minor units.
	Spend struct {
		P             float64  `json:"p"`
		Q             float64  `json:"q"`
		Gamma         float64  `json:"gamma"`
		LogLikelihood *float64 `json:"log_likelihood"`
	} `json:"spend"`

	Affinity AffinityParameters `json:"affinity"`

	// RFM has the greatest values of the first four fifths of customers, in ascending order; money in minor units.
	RFM struct {
		Days   []int64 `json:"days"`
		Orders []int64 `json:"orders"`
		Money  []int64 `json:"money"`
	} `json:"rfm"`

	Interests struct {
		Concentration float64           `json:"concentration"`
		Dealings      map[string]uint64 `json:"dealings"` // in the sample, by category
	} `json:"interests"`
}

// AffinityParameters are score.AffinityParameters.
type AffinityParameters struct {
	HalfLifeDays      int                `json:"half_life_days"`
	OffersKnown       bool               `json:"offers_known"` // else affinity is about reductions alone
	Offers            BetaDocument       `json:"offers"`
	Coupons           BetaDocument       `json:"coupons"`
	Reductions        BetaDocument       `json:"reductions"`
	Classes           map[string]float64 `json:"classes"`       // rate of acceptance, by class of offer
	ClosedOffers      uint64             `json:"closed_offers"` // over how many of them the intercept is an average
	Intercept         float64            `json:"intercept"`     // log-odds
	MeanLogRate       float64            `json:"mean_log_rate"`
	Depth             float64            `json:"depth"`        // mean share taken off a reduced order
	DepthWeight       float64            `json:"depth_weight"` // minor units
	Lift              float64            `json:"lift"`
	LiftConcentration float64            `json:"lift_concentration"`
}

// BetaDocument is how a rate differs between customers. Measured is false where it is that of the cold start.
type BetaDocument struct {
	A        float64 `json:"a"`
	B        float64 `json:"b"`
	Mean     float64 `json:"mean"`
	Measured bool    `json:"measured"`
}

// newParametersDocument shows a snapshot and the terms that it is used with, which have their defaults.
func newParametersDocument(measured score.Parameters, terms score.Terms) ParametersDocument {
	return ParametersDocument{Settings: newScoreSettings(terms), Parameters: newScoreParameters(measured)}
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
	beta := func(measured, b score.Beta) BetaDocument {
		return BetaDocument{A: b.A, B: b.B, Mean: b.Mean(), Measured: measured != score.Beta{}}
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

// orEmpty lets a map that is nil show as {}.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}
