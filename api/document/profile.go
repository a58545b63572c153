package document

import (
	"encoding/json"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// Profile is a person as Kindred knows them at the moment of the answer. A line of an export and a published profile have
// the same members in the same order; see Shape for which of them may be left out.
//
// Amounts of several currencies are never added up: revenue, discount and currency are those of the currency with the
// most orders (the alphabetically first of equals), while orders and discounted_orders count all.
type Profile struct {
	ID          string       `json:"id"`          // public id: resolves for ever to the identity that holds its identifier
	Identifiers []Identifier `json:"identifiers"` // the highest-ranked first
	Events      uint64       `json:"events"`      // distinct message ids
	Counts      Counts       `json:"counts"`      // events by type
	FirstSeen   TimeOrNull   `json:"first_seen"`  // time of the first event; null without an event
	LastSeen    TimeOrNull   `json:"last_seen"`   // time of the last event; null without an event
	Traits      Traits       `json:"traits"`      // each with the value of the latest event that names it
	Sums
	Currency            TextOrNull      `json:"currency"`                        // ISO 4217 code of revenue and discount; null without an order
	ByCurrency          map[string]Sums `json:"by_currency,omitempty"`           // sums by ISO 4217 code, one currency included; left out without an order
	OrdersWithoutAmount int             `json:"orders_without_amount,omitempty"` // orders whose amount is not known: revenue lacks them
	UnknownRefunds      int             `json:"unknown_refunds,omitempty"`       // refunds whose amount is not known: revenue still has it
	RefusedRefunds      int             `json:"refused_refunds,omitempty"`       // refunds in another currency than their order's: revenue still has them
	Control             bool            `json:"control,omitempty"`               // member of the control group, which gets no offers
	Scores              *Scores         `json:"scores,omitempty"`                // where they were asked for
	// Audiences are those that the person is in, by key, where they were asked for. A person without audiences has no such member.
	Audiences map[string]ProfileAudience `json:"audiences,omitempty"`
	// Computed are the computed traits that have a value, by key, where they were asked for: numbers, texts, times, lists of texts.
	Computed Traits `json:"computed,omitempty"`
}

// ProfileAudience says of an audience that the person is in it.
type ProfileAudience struct {
	Since Time `json:"since,omitempty"` // when that was found; left out of exports, and for a moment after it was found
}

// PartialProfile is a Profile of which only some members were asked for: any may be missing but the id.
type PartialProfile struct{ Profile }

// AnyProfile is a Profile, or a PartialProfile where only some members were asked for.
type AnyProfile struct{}

// Identifier is an identifier of a person, with the times between which events named it as theirs.
type Identifier struct {
	Namespace string     `json:"namespace"`
	Value     string     `json:"value"`             // normalised
	Raw       string     `json:"raw,omitempty"`     // as it was last sent, where that differs from value
	FirstSeen TimeOrNull `json:"first_seen"`        // null where only an assertion names it
	LastSeen  TimeOrNull `json:"last_seen"`         // null where only an assertion names it
	Generic   bool       `json:"generic,omitempty"` // shared by too many to stand for one person: it joins nobody
}

// Identifiers are identifiers of a person: all of them, unless a page was asked for.
type Identifiers struct {
	ID          string       `json:"id"`          // public id of the person
	Identifiers []Identifier `json:"identifiers"` // the highest-ranked first
	Next        TextOrNull   `json:"next"`        // cursor of the next page; null at the end
}

// Traits are traits by name.
type Traits map[string]json.RawMessage

// Counts counts events by type; types without an event are left out.
type Counts struct {
	Identify uint64 `json:"identify,omitempty"`
	Track    uint64 `json:"track,omitempty"`
	Page     uint64 `json:"page,omitempty"`
	Screen   uint64 `json:"screen,omitempty"`
	Group    uint64 `json:"group,omitempty"`
	Alias    uint64 `json:"alias,omitempty"`
}

// Sums sums orders up; cancelled ones do not count.
type Sums struct {
	Orders           uint64 `json:"orders"`
	Revenue          Amount `json:"revenue"`           // net less refunds, in the unit of the currency
	Discount         Amount `json:"discount"`          // taken off, in the unit of the currency
	DiscountedOrders uint64 `json:"discounted_orders"` // orders with a discount or a coupon
}

// AppendProfile appends a Profile with all its members but scores, without a line break.
func AppendProfile(dst []byte, p *graph.Profile, control score.Control) []byte {
	return (&Shape{Detail: true, Control: control}).append(dst, p, nil, nil)
}

// appendIdentifiers appends the identifiers whose names have arrived, the highest-ranked first. With whole, each has
// its members raw and generic, too.
func appendIdentifiers(dst []byte, p *graph.Profile, whole bool) []byte {
	dst = append(dst, '[')
	first := true
	for i := range p.Identifiers {
		id := &p.Identifiers[i]
		if id.Namespace == "" {
			continue // its name is still on its way from another shard
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

// appendCounts appends Counts.
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

// appendTraits appends the traits that are asked for.
func appendTraits(dst []byte, p *graph.Profile, fields *Fields) []byte {
	dst = append(dst, '{')
	first := true
	for i := range p.Traits {
		if !fields.trait(p.Traits[i].Name) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, p.Traits[i].Name), ':')
		dst = appendCompact(dst, p.Traits[i].Value)
	}
	return append(dst, '}')
}

// sumMoney counts all orders, and takes the amounts of the currency with the most orders.
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

// append appends the members "orders" to "discounted_orders" that are asked for, each after a comma.
func (s moneySum) append(dst []byte, fields *Fields) []byte {
	if fields.has(memberOrders) {
		dst = strconv.AppendUint(append(dst, `,"orders":`...), s.Orders, 10)
	}
	if fields.has(memberRevenue) {
		dst = money.Append(append(dst, `,"revenue":`...), s.Revenue, s.Currency)
	}
	if fields.has(memberDiscount) {
		dst = money.Append(append(dst, `,"discount":`...), s.Discount, s.Currency)
	}
	if fields.has(memberDiscountedOrders) {
		dst = strconv.AppendUint(append(dst, `,"discounted_orders":`...), s.Discounted, 10)
	}
	return dst
}

// appendCurrencies appends the sums of each currency.
//
// REQUIRES: len(p.Money) > 0
func appendCurrencies(dst []byte, p *graph.Profile) []byte {
	for i := range p.Money {
		m := &p.Money[i]
		dst = append(dst, "{,"[min(i, 1)])
		dst = append(appendString(dst, m.Currency.String()), ':')
		start := len(dst)
		dst = moneySum(*m).append(dst, &Fields{})
		dst[start] = '{' // for the comma
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// AppendIdentifiers appends an Identifiers document. next is the cursor of the next page; empty at the end.
func AppendIdentifiers(dst []byte, p *graph.Profile, next string) []byte {
	dst = append(appendIdentifiers(appendHead(dst, p.ID, "identifiers"), p, true), `,"next":`...)
	if next == "" {
		return append(dst, "null}"...)
	}
	return append(appendString(dst, next), '}')
}

// appendHead begins the document of a part of a profile: {"id":"k…","name":
func appendHead(dst []byte, id graph.NodeKey, name string) []byte {
	dst = append(append(dst, `{"id":"`...), id.String()...)
	return append(append(append(dst, `","`...), name...), `":`...)
}
