package document

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

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

// Lines encodes people as the lines of one export: each is a Profile, or a row of CSV.
type Lines struct {
	Format Format
	Shape
}

// column is a column of CSV that shows a member of a Profile.
type column struct {
	of     member // 0: the id
	detail bool   // only with Detail
	cell   func(l *Lines, dst []byte, p *graph.Profile, total *moneySum) []byte
}

// columns are those of CSV up to the scores, in their order.
var columns = [...]column{
	{0, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte { return append(dst, p.ID.String()...) }},
	{memberIdentifiers, false, func(l *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCell(dst, appendIdentifiers(nil, p, l.Detail))
	}},
	{memberEvents, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return strconv.AppendUint(dst, p.Events, 10)
	}},
	{memberOrders, false, func(_ *Lines, dst []byte, _ *graph.Profile, t *moneySum) []byte {
		return strconv.AppendUint(dst, t.Orders, 10)
	}},
	{memberRevenue, false, func(_ *Lines, dst []byte, _ *graph.Profile, t *moneySum) []byte {
		return money.Append(dst, t.Revenue, t.Currency)
	}},
	{memberDiscount, false, func(_ *Lines, dst []byte, _ *graph.Profile, t *moneySum) []byte {
		return money.Append(dst, t.Discount, t.Currency)
	}},
	{memberDiscountedOrders, false, func(_ *Lines, dst []byte, _ *graph.Profile, t *moneySum) []byte {
		return strconv.AppendUint(dst, t.Discounted, 10)
	}},
	{memberCurrency, false, func(_ *Lines, dst []byte, _ *graph.Profile, t *moneySum) []byte {
		return append(dst, t.Currency.String()...)
	}},
	{memberFirstSeen, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendTimeCell(dst, p, p.First)
	}},
	{memberLastSeen, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendTimeCell(dst, p, p.Last)
	}},
	{memberTraits, false, func(l *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCell(dst, appendTraits(nil, p, &l.Fields))
	}},
	{memberCounts, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCell(dst, appendCounts(nil, p))
	}},
	{memberByCurrency, false, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		if len(p.Money) == 0 {
			return dst
		}
		return appendCell(dst, appendCurrencies(nil, p))
	}},
	{memberOrdersWithoutAmount, true, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCount(dst, countDoubts(p).without)
	}},
	{memberUnknownRefunds, true, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCount(dst, countDoubts(p).unknown)
	}},
	{memberRefusedRefunds, true, func(_ *Lines, dst []byte, p *graph.Profile, _ *moneySum) []byte {
		return appendCount(dst, countDoubts(p).refused)
	}},
}

// scoreColumns follow the others.
const scoreColumns = ",scores_as_of,scores_version,scores_currency,clv,expected_orders,expected_value,p_alive,churn_risk,p_buy_30d,order_days,average_order_day,days_between_orders," +
	"discount_affinity,discount_band,offer_probability,uplift_ratio,rfm,interests"

// shows reports whether rows have a column.
func (l *Lines) shows(c *column) bool {
	return c.of == 0 || l.Fields.has(c.of) && (l.Detail || !c.detail)
}

// showsScores reports whether rows have the columns of scores.
func (l *Lines) showsScores() bool { return l.Scores != nil && l.Fields.has(memberScores) }

// showsAudiences reports whether rows have the column of audiences.
func (l *Lines) showsAudiences() bool { return l.Audiences && l.Fields.has(memberAudiences) }

// showsComputed reports whether rows have the column of computed traits.
func (l *Lines) showsComputed() bool { return l.Computed && l.Fields.has(memberComputed) }

// showsControl reports whether rows have the column of the control group, which is the last.
func (l *Lines) showsControl() bool {
	return (l.Detail || l.Scores != nil) && l.Fields.has(memberControl)
}

// Header is what comes before the first line: the names of columns for CSV, nothing for NDJSON.
func (l *Lines) Header() string {
	if l.Format != CSV {
		return ""
	}
	header := "id"
	for i := range columns[1:] {
		if c := &columns[i+1]; l.shows(c) {
			header += "," + memberNames[bits.TrailingZeros32(uint32(c.of))]
		}
	}
	if l.showsScores() {
		header += scoreColumns
	}
	if l.showsAudiences() {
		header += ",audiences"
	}
	if l.showsComputed() {
		header += ",computed"
	}
	if l.showsControl() {
		header += ",control"
	}
	return header + "\r\n"
}

// Append appends a person as one line, with its line break.
func (l *Lines) Append(dst []byte, p *graph.Profile) []byte { return l.AppendStanding(dst, p, nil) }

// AppendStanding is Append of a person of whom definitions say something; standing is nil where nothing of that was asked for.
func (l *Lines) AppendStanding(dst []byte, p *graph.Profile, standing *audience.Standing) []byte {
	if l.Format == CSV {
		return append(l.appendRow(dst, p, standing), "\r\n"...)
	}
	return append(l.Shape.AppendStanding(dst, p, standing), '\n')
}

// appendRow appends a person as a row of RFC 4180, without its line break.
func (l *Lines) appendRow(dst []byte, p *graph.Profile, standing *audience.Standing) []byte {
	total := sumMoney(p)
	for i := range columns {
		if c := &columns[i]; l.shows(c) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = c.cell(l, dst, p, &total)
		}
	}
	if l.showsScores() {
		scores := Score(l.Scores, p, l.Now)
		dst = scores.appendCells(dst)
	}
	if l.showsAudiences() {
		if dst = append(dst, ','); standing != nil && len(standing.Audiences) > 0 {
			dst = appendCell(dst, appendAudiences(nil, standing))
		}
	}
	if l.showsComputed() {
		if dst = append(dst, ','); standing != nil && len(standing.Computed) > 0 {
			dst = appendCell(dst, appendComputed(nil, standing))
		}
	}
	if l.showsControl() {
		dst = strconv.AppendBool(append(dst, ','), inControl(l.Control, p))
	}
	return dst
}

// appendTimeCell appends a time of a profile's events; nothing without an event.
func appendTimeCell(dst []byte, p *graph.Profile, ms int64) []byte {
	if p.Events == 0 {
		return dst
	}
	quoted := appendTime(nil, ms)
	return append(dst, quoted[1:len(quoted)-1]...)
}

func appendCount(dst []byte, n int) []byte { return strconv.AppendInt(dst, int64(n), 10) }

// appendCells appends the cells of scoreColumns, each after a comma.
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
