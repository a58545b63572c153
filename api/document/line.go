package document

import (
	"fmt"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// Line is a person in an export: a line of NDJSON. A row of CSV has the same fields.
type Line struct {
	ID          string           `json:"id"`          // public id
	Identifiers []LineIdentifier `json:"identifiers"` // the highest-ranked first
	Events      uint64           `json:"events"`      // distinct message ids
	Sums
	Currency   TextOrNull      `json:"currency"`              // ISO 4217 code of revenue and discount; null without an order
	FirstSeen  TimeOrNull      `json:"first_seen"`            // time of the first event; null without an event
	LastSeen   TimeOrNull      `json:"last_seen"`             // time of the last event; null without an event
	Traits     Traits          `json:"traits"`                // each with the value of the latest event that names it
	Counts     Counts          `json:"counts"`                // events by type
	ByCurrency map[string]Sums `json:"by_currency,omitempty"` // sums by ISO 4217 code, where orders have several currencies
	Control    bool            `json:"control,omitempty"`     // member of the control group; only with scores
	Scores     *Scores         `json:"scores,omitempty"`      // where they were asked for
}

// LineIdentifier is an identifier of a person, with the times between which events named it as theirs.
type LineIdentifier struct {
	Namespace string     `json:"namespace"`
	Value     string     `json:"value"`      // normalised
	FirstSeen TimeOrNull `json:"first_seen"` // null where only an assertion names it
	LastSeen  TimeOrNull `json:"last_seen"`  // null where only an assertion names it
}

// Format is how an export is written.
type Format string

// The formats. In a row of CSV, lists and objects are JSON in a cell, and by_currency is always there, empty without
// an order.
const (
	NDJSON Format = "ndjson"
	CSV    Format = "csv"
)

// ParseFormat reads the name of a format; empty is NDJSON.
func ParseFormat(name string) (Format, error) {
	switch Format(name) {
	case "", NDJSON:
		return NDJSON, nil
	case CSV:
		return CSV, nil
	}
	return "", fmt.Errorf("format %q: want ndjson or csv", name)
}

// Lines encodes people as the lines of one export.
type Lines struct {
	Format  Format
	Scores  *score.Scorer // nil: lines have no scores
	Control score.Control // lines with scores state whether the person is in the control group
	Now     int64         // the moment of the scores, ms since 1970
}

const csvHeader = "id,identifiers,events,orders,revenue,discount,discounted_orders,currency,first_seen,last_seen,traits,counts,by_currency"

// scoreColumns follow those of csvHeader.
const scoreColumns = ",scores_as_of,scores_version,scores_currency,clv,expected_orders,expected_value,p_alive,churn_risk,p_buy_30d,order_days,average_order_day,days_between_orders," +
	"discount_affinity,discount_band,offer_probability,uplift_ratio,rfm,interests,control"

// Header is what comes before the first line: the names of columns for CSV, nothing for NDJSON.
func (l *Lines) Header() string {
	switch {
	case l.Format != CSV:
		return ""
	case l.Scores != nil:
		return csvHeader + scoreColumns + "\r\n"
	}
	return csvHeader + "\r\n"
}

// Append appends a person as one line, with its line break.
func (l *Lines) Append(dst []byte, p *graph.Profile) []byte {
	if l.Format == CSV {
		dst = appendRow(dst, p)
		if l.Scores != nil {
			scores := Score(l.Scores, p, l.Now)
			dst = strconv.AppendBool(append(scores.appendCells(dst), ','), inControl(l.Control, p))
		}
		return append(dst, "\r\n"...)
	}
	dst = appendLine(dst, p)
	if l.Scores != nil {
		scores := Score(l.Scores, p, l.Now)
		if inControl(l.Control, p) {
			dst = append(dst, memberOfControl...)
		}
		dst = scores.Append(append(dst, `,"scores":`...))
	}
	return append(dst, "}\n"...)
}

// appendLine appends a Line but for its members control and scores and its closing brace.
func appendLine(dst []byte, p *graph.Profile) []byte {
	dst = append(append(dst, `{"id":"`...), p.ID.String()...)
	dst = appendIdentifiers(append(dst, `","identifiers":`...), p, false)
	dst = strconv.AppendUint(append(dst, `,"events":`...), p.Events, 10)
	dst = appendSums(dst, p)
	dst = appendTimeOrNull(append(dst, `,"first_seen":`...), p.First, p.Events > 0)
	dst = appendTimeOrNull(append(dst, `,"last_seen":`...), p.Last, p.Events > 0)
	dst = appendTraits(append(dst, `,"traits":`...), p)
	dst = appendCounts(append(dst, `,"counts":`...), p)
	return appendByCurrency(dst, p)
}

// appendRow appends a person as a row of RFC 4180, in the order of csvHeader, without its line break.
func appendRow(dst []byte, p *graph.Profile) []byte {
	total := sumMoney(p)
	dst = append(append(dst, p.ID.String()...), ',')
	dst = append(appendCell(dst, appendIdentifiers(nil, p, false)), ',')
	dst = append(strconv.AppendUint(dst, p.Events, 10), ',')
	dst = append(strconv.AppendUint(dst, total.Orders, 10), ',')
	dst = append(money.Append(dst, total.Revenue, total.Currency), ',')
	dst = append(money.Append(dst, total.Discount, total.Currency), ',')
	dst = append(strconv.AppendUint(dst, total.Discounted, 10), ',')
	dst = append(append(dst, total.Currency.String()...), ',')
	for _, ms := range [2]int64{p.First, p.Last} {
		if p.Events > 0 {
			quoted := appendTime(nil, ms)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		dst = append(dst, ',')
	}
	dst = append(appendCell(dst, appendTraits(nil, p)), ',')
	dst = append(appendCell(dst, appendCounts(nil, p)), ',')
	if len(p.Money) > 0 {
		dst = appendCell(dst, appendCurrencies(nil, p))
	}
	return dst
}

// appendCells appends the cells of scoreColumns but the last, each after a comma.
func (s *Scored) appendCells(dst []byte) []byte {
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
	return appendCell(append(dst, ','), s.appendInterests(nil))
}

// appendCell appends JSON as a quoted cell.
func appendCell(dst, text []byte) []byte {
	dst = append(dst, '"')
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}
