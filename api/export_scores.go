package api

import (
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// lineEnd is what a line of an export ends with.
var lineEnd = map[Format]string{NDJSON: "}\n", CSV: "\r\n"}

// scoreColumns are the columns of scores, behind those of csvHeader.
const scoreColumns = ",scores_as_of,scores_version,scores_currency,clv,expected_orders,expected_value,p_alive,churn_risk,p_buy_30d,order_days,average_order_day,days_between_orders," +
	"discount_affinity,discount_band,offer_probability,uplift_ratio,rfm,interests,control"

// withScores appends lines as appendOne does, with the scores of the identity at their end, and whether it is in the control group.
func withScores(appendOne func([]byte, *graph.Profile) []byte, format Format, scorer *score.Scorer, control score.Control, now int64) func([]byte, *graph.Profile) []byte {
	end := lineEnd[format]
	return func(dst []byte, p *graph.Profile) []byte {
		scores := scoresOf(scorer, p, now)
		dst = appendOne(dst, p)
		dst = dst[:len(dst)-len(end)]
		if format == CSV {
			dst = strconv.AppendBool(append(scores.appendCells(dst), ','), holds(control, p))
		} else {
			if holds(control, p) {
				dst = append(dst, memberOfControl...)
			}
			dst = scores.append(append(dst, `,"scores":`...))
		}
		return append(dst, end...)
	}
}

// appendCells appends the cells of scoreColumns but the last, each behind a comma.
func (s *scored) appendCells(dst []byte) []byte {
	number := func(v float64) { dst = appendNumber(append(dst, ','), v) }
	amount := func(minor float64) { dst = s.money(append(dst, ','), minor) }
	at := appendTime(nil, s.AsOf)
	dst = append(append(dst, ','), at[1:len(at)-1]...)
	dst = strconv.AppendUint(append(dst, ','), s.Version, 10)
	dst = append(append(dst, ','), s.Currency.String()...)
	amount(s.CLV)
	number(s.ExpectedOrders)
	amount(s.ExpectedValue)
	number(s.Alive)
	number(s.Churn)
	number(s.Buys30Days)
	dst = strconv.AppendInt(append(dst, ','), int64(s.History.N), 10)
	amount(s.History.Z)
	number(s.DaysBetween)
	number(s.Affinity.Score)
	dst = append(append(dst, ','), s.Affinity.Band.String()...)
	number(s.OfferProbability)
	number(s.Uplift.Ratio)
	dst = append(dst, ',')
	if r := s.RFM; r != (score.RFM{}) {
		dst = append(dst, '0'+r.Recency, '0'+r.Frequency, '0'+r.Money) // 1 to 5 each
	}
	dst = appendCell(append(dst, ','), s.appendInterests(nil))
	return dst[:len(dst)-1]
}
