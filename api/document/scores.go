package document

import (
	"fmt"
	"math"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// Scores are estimates about a person as of a moment, computed from their orders, offers and interests and the fitted
// parameters. Without an order, what follows from orders is 0.
type Scores struct {
	AsOf             Time             `json:"as_of"`
	Version          uint64           `json:"version"`             // of the parameters; 0 is the cold start, before the first fit
	Currency         TextOrNull       `json:"currency"`            // ISO 4217 code of all amounts; null without an order
	CLV              Amount           `json:"clv"`                 // customer lifetime value over the horizon: margin of the orders to come, discounted, in the unit of the currency
	ExpectedOrders   float64          `json:"expected_orders"`     // days with an order over the horizon (over an infinite one: a year), undiscounted
	OrderValue       Amount           `json:"order_value"`         // expected revenue of such a day, in the unit of the currency
	ExpectedValue    Amount           `json:"expected_value"`      // expected_orders × order_value, in the unit of the currency
	PAlive           float64          `json:"p_alive"`             // probability that the person is still a customer, 0–1
	ChurnRisk        float64          `json:"churn_risk"`          // 1 − p_alive
	PBuy30d          float64          `json:"p_buy_30d"`           // probability of an order in the next 30 days, 0–1
	OrderDays        int              `json:"order_days"`          // days with an order
	AverageOrderDay  Amount           `json:"average_order_day"`   // average revenue of such a day, in the unit of the currency
	DaysBetween      float64          `json:"days_between_orders"` // average, in days; 0 before the second day with an order
	DiscountAffinity DiscountAffinity `json:"discount_affinity"`
	OfferProbability float64          `json:"offer_probability"` // probability that an offer of an unknown kind, sent now, is accepted, 0–1
	Uplift           Uplift           `json:"uplift"`
	RFM              *RFM             `json:"rfm" jsonschema:"nullable"` // null before the first order
	Interests        []Interest       `json:"interests"`                 // the strongest first
	Reasons          ScoreReasons     `json:"reasons"`
}

// DiscountAffinity says how readily a person answers to discounts. It is a correlation: whether to send an offer is a question of Uplift.
type DiscountAffinity struct {
	Score    float64  `json:"score"` // probability that the next offer is accepted, 0–1; where no offers are known, that the next order is reduced
	Band     string   `json:"band" jsonschema:"enum=unknown,enum=low,enum=medium,enum=high"`
	Evidence float64  `json:"evidence"` // log-odds over the population
	Depth    float64  `json:"depth"`    // average share taken off a reduced order, 0–1
	Reasons  []string `json:"reasons"`  // the trials as text
	Trials   []Trial  `json:"trials"`   // what the evidence consists of; a kind without trials or without weight is left out
}

// Trial is what one kind of trial adds to a discount affinity.
type Trial struct {
	Kind       string  `json:"kind" jsonschema:"enum=offers,enum=coupons,enum=reductions"` // offers accepted, orders with a coupon, orders at a reduced price
	Won        uint64  `json:"won"`
	Of         uint64  `json:"of"`
	Population float64 `json:"population"` // mean rate of all customers, 0–1
	Points     float64 `json:"points"`     // log-odds that it adds to evidence
}

// Uplift compares a person's rate of orders while an offer is open with the rate while no offer is.
type Uplift struct {
	Ratio           float64 `json:"ratio"`            // above 1: the person orders more while an offer is open
	Own             bool    `json:"own"`              // whether the person's own orders moved the ratio; else it is the population's
	OrdersOffered   uint64  `json:"orders_offered"`   // while an offer was open
	DaysOffered     float64 `json:"days_offered"`     // with an open offer
	OrdersUnoffered uint64  `json:"orders_unoffered"` // while no offer was open
	DaysUnoffered   float64 `json:"days_unoffered"`   // without an open offer
}

// RFM places a person among all customers: 5 is the best fifth, 1 the last.
type RFM struct {
	Recency   int `json:"recency" jsonschema:"minimum=1,maximum=5"`
	Frequency int `json:"frequency" jsonschema:"minimum=1,maximum=5"`
	Money     int `json:"money" jsonschema:"minimum=1,maximum=5"`
}

// Interest is a category that a person deals with.
type Interest struct {
	Category string  `json:"category"`
	Share    float64 `json:"share"` // probability that the next dealing is with the category, 0–1
	Lift     float64 `json:"lift"`  // share over the population's share
	Count    uint64  `json:"count"` // dealings with the category
}

// ScoreReasons say as text what scores were computed from.
type ScoreReasons struct {
	Lifetime string `json:"lifetime"` // what clv, p_alive and p_buy_30d were computed from
}

// Scored is a person's scores, computed and not yet encoded. Append makes a Scores document of it.
type Scored struct {
	score.Scores
	Currency graph.Currency // zero without an order
}

// Score computes the scores of a profile as of now, ms since 1970.
func Score(s *score.Scorer, p *graph.Profile, now int64) Scored {
	scoring := p.Scoring()
	return ScoreFrom(s, &scoring, now)
}

// ScoreFrom is Score for callers that have no profile.
func ScoreFrom(s *score.Scorer, scoring *graph.Scoring, now int64) Scored {
	customer := scoring.Customer()
	return Scored{s.Of(&customer, now), scoring.Currency}
}

// AppendScored appends a Profile with its scores, without a line break.
func AppendScored(dst []byte, p *graph.Profile, scores *Scored, control score.Control) []byte {
	return (&Shape{Detail: true, Control: control}).append(dst, p, scores, nil)
}

// Append appends a Scores document.
func (s *Scored) Append(dst []byte) []byte {
	dst = appendTime(append(dst, `{"as_of":`...), s.AsOf)
	dst = strconv.AppendUint(append(dst, `,"version":`...), s.Version, 10)
	dst = append(dst, `,"currency":`...)
	if s.Currency == (graph.Currency{}) {
		dst = append(dst, "null"...)
	} else {
		dst = appendString(dst, s.Currency.String())
	}
	dst = s.money(append(dst, `,"clv":`...), s.CLV)
	dst = appendNumber(append(dst, `,"expected_orders":`...), s.ExpectedOrders)
	dst = s.money(append(dst, `,"order_value":`...), s.OrderValue)
	dst = s.money(append(dst, `,"expected_value":`...), s.ExpectedValue)
	dst = appendNumber(append(dst, `,"p_alive":`...), s.Alive)
	dst = appendNumber(append(dst, `,"churn_risk":`...), s.Churn)
	dst = appendNumber(append(dst, `,"p_buy_30d":`...), s.Buys30Days)
	dst = strconv.AppendInt(append(dst, `,"order_days":`...), int64(s.History.N), 10)
	dst = s.money(append(dst, `,"average_order_day":`...), s.History.Z)
	dst = appendNumber(append(dst, `,"days_between_orders":`...), s.DaysBetween)
	dst = s.appendAffinity(append(dst, `,"discount_affinity":`...))
	dst = appendNumber(append(dst, `,"offer_probability":`...), s.OfferProbability)
	dst = s.appendUplift(append(dst, `,"uplift":`...))
	dst = s.appendRFM(append(dst, `,"rfm":`...))
	dst = s.appendInterests(append(dst, `,"interests":`...))
	dst = appendString(append(dst, `,"reasons":{"lifetime":`...), s.lifetimeReason())
	return append(dst, "}}"...)
}

// lifetimeReason says in words what the models of orders read.
func (s *Scored) lifetimeReason() string {
	h := &s.History
	switch h.N {
	case 0:
		return "no order yet"
	case 1:
		return fmt.Sprintf("1 day with an order, %.1f weeks ago, of %s", h.T, s.money(nil, h.Z))
	}
	return fmt.Sprintf("%d days with an order in %.1f weeks, the last %.1f weeks ago, of %s on average", h.N, h.T, h.T-h.Tx, s.money(nil, h.Z))
}

func (s *Scored) appendAffinity(dst []byte) []byte {
	a := &s.Affinity
	dst = appendNumber(append(dst, `{"score":`...), a.Score)
	dst = appendString(append(dst, `,"band":`...), a.Band.String())
	dst = appendNumber(append(dst, `,"evidence":`...), a.Evidence)
	dst = appendNumber(append(dst, `,"depth":`...), a.Depth)
	dst = append(dst, `,"reasons":[`...)
	first := true
	for i := range a.Trials {
		if reason := a.Trials[i].Reason(); reason != "" {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendString(dst, reason)
		}
	}
	return append(appendTrials(append(dst, `],"trials":[`...), a.Trials[:]), "]}"...)
}

// appendTrials appends the trials that count.
func appendTrials(dst []byte, trials []score.TrialEvidence) []byte {
	first := true
	for i := range trials {
		t := &trials[i]
		if !t.Counts() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, `{"kind":"`...), t.Trial.String()...), `","won":`...)
		dst = append(strconv.AppendUint(dst, uint64(t.Trials.Won), 10), `,"of":`...)
		dst = append(strconv.AppendUint(dst, uint64(t.Trials.Of), 10), `,"population":`...)
		dst = append(appendNumber(dst, t.Population), `,"points":`...)
		dst = append(appendNumber(dst, t.Points), '}')
	}
	return dst
}

const dayMillis = 24 * 60 * 60 * 1000

func (s *Scored) appendUplift(dst []byte) []byte {
	u := &s.Uplift
	dst = appendNumber(append(dst, `{"ratio":`...), u.Ratio)
	dst = strconv.AppendBool(append(dst, `,"own":`...), u.Own)
	dst = strconv.AppendUint(append(dst, `,"orders_offered":`...), uint64(u.Offered.Orders), 10)
	dst = appendNumber(append(dst, `,"days_offered":`...), float64(u.Offered.Millis)/dayMillis)
	dst = strconv.AppendUint(append(dst, `,"orders_unoffered":`...), uint64(u.Unoffered.Orders), 10)
	dst = appendNumber(append(dst, `,"days_unoffered":`...), float64(u.Unoffered.Millis)/dayMillis)
	return append(dst, '}')
}

func (s *Scored) appendRFM(dst []byte) []byte {
	if s.RFM == (score.RFM{}) {
		return append(dst, "null"...)
	}
	return fmt.Appendf(dst, `{"recency":%d,"frequency":%d,"money":%d}`, s.RFM.Recency, s.RFM.Frequency, s.RFM.Money)
}

func (s *Scored) appendInterests(dst []byte) []byte {
	dst = append(dst, '[')
	for i, interest := range s.Interests() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"category":`...), interest.Category)
		dst = appendNumber(append(dst, `,"share":`...), interest.Share)
		dst = appendNumber(append(dst, `,"lift":`...), interest.Lift)
		dst = strconv.AppendUint(append(dst, `,"count":`...), interest.Count, 10)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// money appends an amount of minor units, rounded.
func (s *Scored) money(dst []byte, minor float64) []byte {
	const most = 1 << 62
	return money.Append(dst, int64(math.Round(min(minor, most))), s.Currency)
}

// appendNumber appends a score in its shortest form. Scores are never infinite or not a number.
func appendNumber(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', -1, 64) }
