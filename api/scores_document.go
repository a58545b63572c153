package api

import (
	"fmt"
	"math"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// scored is the scores of an identity with what its document needs besides.
type scored struct {
	score.Scores
	Currency graph.Currency // zero where there is no order
}

// scoresOf computes the scores of a profile as of now, ms since 1970.
func scoresOf(s *score.Scorer, p *graph.Profile, now int64) scored {
	scoring := p.Scoring()
	return scoresFrom(s, &scoring, now)
}

// scoresFrom is scoresOf where no profile is needed.
func scoresFrom(s *score.Scorer, scoring *graph.Scoring, now int64) scored {
	customer := scoring.Customer()
	return scored{s.Of(&customer, now), scoring.Currency}
}

// append appends the scores as one JSON object:
//
//	{"as_of":"…","version":3,"currency":"USD","clv":84.10,"expected_orders":2.31,"order_value":36.40,"expected_value":84.10,
//	 "p_alive":0.93,"churn_risk":0.07,"p_buy_30d":0.21,"order_days":4,"average_order_day":35.00,"days_between_orders":41.5,
//	 "discount_affinity":{"score":0.31,"band":"high","evidence":1.1,"depth":0.12,"reasons":["…"]},
//	 "offer_probability":0.18,"uplift":{"ratio":1.2,"own":true,"orders_offered":2,"days_offered":40.0,
//	 "orders_unoffered":3,"days_unoffered":300.0},"rfm":{"recency":5,"frequency":4,"money":3},
//	 "interests":[{"category":"wine","share":0.4,"lift":3.1,"count":7}],"reasons":{"lifetime":"…"}}
//
// Money is in the currency's unit; version 0 says that the parameters are those of the cold start. Without an order, currency
// and rfm are null, and what follows from orders is 0.
func (s *scored) append(dst []byte) []byte {
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

// lifetimeReason is what the models of orders read, in words.
func (s *scored) lifetimeReason() string {
	h := &s.History
	switch h.N {
	case 0:
		return "no order yet"
	case 1:
		return fmt.Sprintf("1 day with an order, %.1f weeks ago, of %s", h.T, s.money(nil, h.Z))
	}
	return fmt.Sprintf("%d days with an order in %.1f weeks, the last %.1f weeks ago, of %s on average", h.N, h.T, h.T-h.Tx, s.money(nil, h.Z))
}

func (s *scored) appendAffinity(dst []byte) []byte {
	a := &s.Affinity
	dst = appendNumber(append(dst, `{"score":`...), a.Score)
	dst = appendString(append(dst, `,"band":`...), a.Band.String())
	dst = appendNumber(append(dst, `,"evidence":`...), a.Evidence)
	dst = appendNumber(append(dst, `,"depth":`...), a.Depth)
	dst = append(dst, `,"reasons":[`...)
	first := true
	for _, c := range a.Channels {
		if reason := c.Reason(); reason != "" {
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = appendString(dst, reason)
		}
	}
	return append(dst, "]}"...)
}

const dayMillis = 24 * 60 * 60 * 1000

func (s *scored) appendUplift(dst []byte) []byte {
	u := &s.Uplift
	dst = appendNumber(append(dst, `{"ratio":`...), u.Ratio)
	dst = strconv.AppendBool(append(dst, `,"own":`...), u.Own)
	dst = strconv.AppendUint(append(dst, `,"orders_offered":`...), uint64(u.Offered.Orders), 10)
	dst = appendNumber(append(dst, `,"days_offered":`...), float64(u.Offered.Millis)/dayMillis)
	dst = strconv.AppendUint(append(dst, `,"orders_unoffered":`...), uint64(u.Unoffered.Orders), 10)
	dst = appendNumber(append(dst, `,"days_unoffered":`...), float64(u.Unoffered.Millis)/dayMillis)
	return append(dst, '}')
}

func (s *scored) appendRFM(dst []byte) []byte {
	if s.RFM == (score.RFM{}) {
		return append(dst, "null"...)
	}
	return fmt.Appendf(dst, `{"recency":%d,"frequency":%d,"money":%d}`, s.RFM.Recency, s.RFM.Frequency, s.RFM.Money)
}

func (s *scored) appendInterests(dst []byte) []byte {
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
func (s *scored) money(dst []byte, minor float64) []byte {
	const most = 1 << 62
	return money.Append(dst, int64(math.Round(min(minor, most))), s.Currency)
}

// appendNumber appends a score in its shortest form. Scores are never infinite or not a number.
func appendNumber(dst []byte, v float64) []byte { return strconv.AppendFloat(dst, v, 'f', -1, 64) }
