package api

import (
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// AppendProfile appends a profile as one JSON document, without a line break:
//
//	{"id":"k…","identifiers":[{"namespace","value","raw"?,"first_seen","last_seen","generic"?}],
//	 "events":7,"counts":{"track":7},"first_seen":"…","last_seen":"…","traits":{"name":value},
//	 "orders":2,"revenue":39.98,"discount":0.00,"discounted_orders":0,"currency":"USD","by_currency"?,
//	 "orders_without_amount"?,"unknown_refunds"?,"refused_refunds"?,"control"?:true}
//
// Money is in the currency's unit. With orders in several currencies, revenue, discount and currency
// are those of the one with the most orders (of equal ones the first in the alphabet), orders and
// discounted_orders count all, and by_currency has every one's sums: amounts in several currencies are never added.
// orders_without_amount, unknown_refunds and refused_refunds say what the sums lack. Times are null where there was
// no event, currency where there is no order. Members of the control group, and nobody else, have control: they get no offers.
func AppendProfile(dst []byte, p *graph.Profile, control score.Control) []byte {
	dst = append(append(dst, `{"id":"`...), p.ID.String()...)
	dst = appendIdentifiers(append(dst, `","identifiers":`...), p, true)
	dst = strconv.AppendUint(append(dst, `,"events":`...), p.Events, 10)
	dst = appendCounts(append(dst, `,"counts":`...), p)
	dst = appendTimeOrNull(append(dst, `,"first_seen":`...), p.First, p.Events > 0)
	dst = appendTimeOrNull(append(dst, `,"last_seen":`...), p.Last, p.Events > 0)
	dst = appendTraits(append(dst, `,"traits":`...), p)
	dst = appendSums(dst, p)
	dst = appendByCurrency(dst, p)
	dst = appendDoubts(dst, p)
	if holds(control, p) {
		dst = append(dst, memberOfControl...)
	}
	return append(dst, '}')
}

// memberOfControl is what a document of a member of the control group has, and of nobody else.
const memberOfControl = `,"control":true`

// holds tells whether a profile is in the control group.
func holds(control score.Control, p *graph.Profile) bool {
	var id [16]byte
	return control.Holds(p.ID.AppendBinary(id[:0]))
}

// appendLine appends a profile as one line of an export, with its line break.
func appendLine(dst []byte, p *graph.Profile) []byte {
	dst = append(append(dst, `{"id":"`...), p.ID.String()...)
	dst = appendIdentifiers(append(dst, `","identifiers":`...), p, false)
	dst = strconv.AppendUint(append(dst, `,"events":`...), p.Events, 10)
	dst = appendSums(dst, p)
	dst = appendTimeOrNull(append(dst, `,"first_seen":`...), p.First, p.Events > 0)
	dst = appendTimeOrNull(append(dst, `,"last_seen":`...), p.Last, p.Events > 0)
	dst = appendTraits(append(dst, `,"traits":`...), p)
	dst = appendCounts(append(dst, `,"counts":`...), p)
	return append(appendByCurrency(dst, p), "}\n"...)
}

// appendIdentifiers appends the identifiers that have a name, the highest-ranked first. With whole,
// how they were sent and whether they are generic values is told too.
func appendIdentifiers(dst []byte, p *graph.Profile, whole bool) []byte {
	dst = append(dst, '[')
	first := true
	for i := range p.Identifiers {
		id := &p.Identifiers[i]
		if id.Namespace == "" {
			continue // its name is on its way
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, `{"namespace":"`...), id.Namespace...) // a-z, 0-9 and _
		dst = appendString(append(dst, `","value":`...), id.Value)
		if whole && id.Raw != "" && id.Raw != id.Value {
			dst = appendString(append(dst, `,"raw":`...), id.Raw)
		}
		seen := id.First != 0 || id.Last != 0 || p.Events > 0 && p.First == 0 // an event of 1970
		dst = appendTimeOrNull(append(dst, `,"first_seen":`...), id.First, seen)
		dst = appendTimeOrNull(append(dst, `,"last_seen":`...), id.Last, seen)
		if whole && id.Generic {
			dst = append(dst, `,"generic":true`...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// appendCounts appends the events by type; types without an event are left out.
func appendCounts(dst []byte, p *graph.Profile) []byte {
	dst = append(dst, '{')
	first := true
	for t, n := range p.Counts {
		if n == 0 {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), graph.EventType(t).String()...), `":`...)
		dst = strconv.AppendUint(dst, n, 10)
	}
	return append(dst, '}')
}

func appendTraits(dst []byte, p *graph.Profile) []byte {
	dst = append(dst, '{')
	for i := range p.Traits {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, p.Traits[i].Name), ':')
		dst = appendCompact(dst, p.Traits[i].Value)
	}
	return append(dst, '}')
}

// appendSums appends the members "orders" to "currency", behind a comma.
func appendSums(dst []byte, p *graph.Profile) []byte {
	total := sumMoney(p)
	dst = total.append(dst)
	if len(p.Money) == 0 {
		return append(dst, `,"currency":null`...)
	}
	return appendString(append(dst, `,"currency":`...), total.Currency.String())
}

// sumMoney sums up the orders: all of them, with the money of the main currency.
func sumMoney(p *graph.Profile) moneySum {
	var s moneySum
	most := uint64(0)
	for i := range p.Money { // by currency code, so the first of equals is the first in the alphabet
		m := &p.Money[i]
		s.Orders += m.Orders
		s.Discounted += m.Discounted
		if m.Orders > most {
			most = m.Orders
			s.Currency, s.Revenue, s.Discount = m.Currency, m.Revenue, m.Discount
		}
	}
	return s
}

type moneySum graph.Money

// append appends the members "orders" to "discounted_orders", behind a comma.
func (s moneySum) append(dst []byte) []byte {
	dst = strconv.AppendUint(append(dst, `,"orders":`...), s.Orders, 10)
	dst = money.Append(append(dst, `,"revenue":`...), s.Revenue, s.Currency)
	dst = money.Append(append(dst, `,"discount":`...), s.Discount, s.Currency)
	return strconv.AppendUint(append(dst, `,"discounted_orders":`...), s.Discounted, 10)
}

// appendByCurrency appends the member "by_currency", behind a comma, where there are several.
func appendByCurrency(dst []byte, p *graph.Profile) []byte {
	if len(p.Money) < 2 {
		return dst
	}
	return appendCurrencies(append(dst, `,"by_currency":`...), p)
}

// appendDoubts appends what the sums of money lack, each where it is not 0: orders that count and whose amount is not known,
// refunds whose amount is not known, and refunds in another currency than their order's.
func appendDoubts(dst []byte, p *graph.Profile) []byte {
	without, unknown, refused := 0, 0, 0
	for i := range p.Orders {
		o := &p.Orders[i]
		if o.Status == graph.OrderStateCancelled {
			continue
		}
		if o.Rule == graph.NetNone {
			without++
		}
		unknown += o.UnknownRefunds
		refused += o.RefusedRefunds
	}
	for _, n := range [...]struct {
		member string
		count  int
	}{{`,"orders_without_amount":`, without}, {`,"unknown_refunds":`, unknown}, {`,"refused_refunds":`, refused}} {
		if n.count > 0 {
			dst = strconv.AppendInt(append(dst, n.member...), int64(n.count), 10)
		}
	}
	return dst
}

func appendCurrencies(dst []byte, p *graph.Profile) []byte {
	for i := range p.Money {
		m := &p.Money[i]
		dst = append(dst, "{,"[min(i, 1)])
		dst = appendString(dst, m.Currency.String())
		sum := moneySum(*m).append(nil)
		sum[0] = '{' // for the comma
		dst = append(append(append(dst, ':'), sum...), '}')
	}
	return append(dst, '}')
}
