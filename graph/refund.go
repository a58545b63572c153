package graph

import (
	"bytes"
	"cmp"
	"math"
	"slices"

	"github.com/kindred-id/kindred/graph/currency"
)

const maxInt64 = math.MaxInt64

// RefundKind says what a refund is of.
type RefundKind uint8

// The kinds of refunds.
const (
	RefundAmount      RefundKind = 1 + iota // an amount, and lines that take the order's prices
	RefundFull                              // all of the order
	RefundUnknown                           // of a part, whose amount could not be read
	RefundThousandths                       // an open amount that can be read only where the currency has three decimals: "1.234"
)

// RefundChange is what an event says of a refund, beside what it says of its order.
type RefundChange struct {
	Kind RefundKind
	// Former is the currency that the amount was read in, of an event of before there were several refunds. It is for people to
	// read: the amount is taken off in the order's currency. It is not stored again.
	Former Currency
	Amount int64  // of a RefundAmount
	Key    uint64 // hash of the refund's own id; 0 when it has none
}

// RefundsMax bounds the refunds of one order. Of more, those with the smallest keys count, whatever the order in which they came,
// and the order says that some are left out.
const RefundsMax = 64

// Refund is one refund of an order. Refunds of one key are one, told several times: what the highest stamp says of it counts.
//
//   - Open: the event names no currency, so the refund is in its order's; Amount is in 10^-OpenDecimals of the unit.
//   - Else the Amount is in minor units of Currency, and counts only for an order in that currency.
//   - Refunds of before there were several have no currency and are not open. Amount is in minor units of the order's currency,
//     with the decimals that it had then (currency.FromFormer).
type Refund struct {
	Key      uint64 // hash of the refund's id, else of the message id and what it gives back
	Stamp    Stamp
	Kind     RefundKind
	Open     bool
	Currency Currency
	Amount   int64
	Lines    []OrderLine // without a price; never changed in place
}

const refundSize = 80

// hash is the key of a refund without an id of its own. An event that is sent again with one more identifier is another event,
// and the same refund; one id with other amounts is told apart, as events are. So it rests on the message id, not on the
// stamp's tie, which has all of the event's content.
func (r *Refund) hash(e *Event) uint64 {
	const basis, prime = 14695981039346656037, 1099511628211 // FNV-1a, by words
	h := uint64(basis)
	mix := func(words ...uint64) {
		for _, w := range words {
			h = (h ^ w) * prime
			h ^= h >> 32
		}
	}
	text := func(s []byte) {
		mix(uint64(len(s)))
		for _, b := range s {
			mix(uint64(b))
		}
	}
	if e.Apart {
		text(e.Source)
	}
	text(e.ID)
	open := uint64(0)
	if r.Open {
		open = 1
	}
	mix(uint64(r.Kind)<<1|open, uint64(r.Currency[0])<<16|uint64(r.Currency[1])<<8|uint64(r.Currency[2]), uint64(r.Amount))
	for i := range r.Lines {
		l := &r.Lines[i]
		mix(uint64(l.Product)<<32|uint64(l.SKU), uint64(l.Variant), uint64(l.Quantity))
	}
	return h
}

func (r *Refund) less(s *Refund) bool {
	c := cmp.Or(r.Stamp.Compare(s.Stamp), cmp.Compare(r.Kind, s.Kind), cmp.Compare(r.Amount, s.Amount),
		bytes.Compare(r.Currency[:], s.Currency[:]))
	if c == 0 && r.Open != s.Open {
		c = sign(s.Open)
	}
	return cmp.Or(c, compareLines(r.Lines, s.Lines)) < 0
}

// addRefund folds an event's refund into the set.
func (o *OrderEvidence) addRefund(e *Event) {
	c := &e.Order
	r := Refund{
		Key: c.Refund.Key, Stamp: e.Stamp, Kind: c.Refund.Kind, Open: c.Open, Currency: c.Currency, Amount: c.Refund.Amount, Lines: c.Lines,
	}
	if r.Key == 0 {
		r.Key = r.hash(e)
	}
	i, found := searchRefund(o.Refunds, r.Key)
	switch {
	case !found && i == RefundsMax:
		o.LeftOut = true
		return
	case !found:
		if len(o.Refunds) == RefundsMax {
			o.LeftOut = true
			o.Refunds = o.Refunds[:RefundsMax-1]
		}
		o.Refunds = slices.Insert(o.Refunds, i, r)
	case o.Refunds[i].less(&r):
		o.Refunds[i] = r
	default:
		return
	}
	o.Refunds[i].Lines = slices.Clone(r.Lines) // r's belong to the event
}

func searchRefund(refunds []Refund, key uint64) (int, bool) {
	return slices.BinarySearchFunc(refunds, key, func(r Refund, key uint64) int { return cmp.Compare(r.Key, key) })
}

// mergeRefunds unites two sets. It changes neither: other orders may share them.
func (o *OrderEvidence) mergeRefunds(p *OrderEvidence) {
	o.LeftOut = o.LeftOut || p.LeftOut
	if len(o.Refunds) == 0 {
		o.Refunds = p.Refunds
		return
	}
	o.Refunds = mergeSorted(slices.Clone(o.Refunds), p.Refunds, func(a, b *Refund) int { return cmp.Compare(a.Key, b.Key) },
		func(a, b *Refund) {
			if a.less(b) {
				*a = *b
			}
		})
	if len(o.Refunds) > RefundsMax {
		o.LeftOut = true
		o.Refunds = slices.Clip(o.Refunds[:RefundsMax])
	}
}

// settleRefunds adds up what came back of an order whose net and currency are settled. It is never more than the net.
func (o *OrderEvidence) settleRefunds(s *OrderState) {
	decimals := currency.Decimals(s.Currency)
	all := false
	for i := range o.Refunds {
		r := &o.Refunds[i]
		if r.Kind != RefundFull && r.Currency != (Currency{}) && r.Currency != s.Currency {
			s.RefusedRefunds++
			continue
		}
		amount, known := r.Amount, true
		switch {
		case r.Kind == RefundFull:
			all = true
		case r.Kind == RefundUnknown, r.Kind == RefundThousandths && decimals != 3:
			amount, known = 0, false
		case r.Open:
			amount = settle(amount, decimals)
		case r.Currency == (Currency{}):
			amount = currency.FromFormer(amount, s.Currency)
		}
		for j := range r.Lines {
			line, priced := o.price(&r.Lines[j], decimals)
			amount, known = saturatedSum(amount, line), known && priced
		}
		if !known {
			s.UnknownRefunds++
		}
		s.Refunded = saturatedSum(s.Refunded, amount)
		s.Refunds++
	}
	s.Refunded = min(s.Refunded, s.Net)
	if all {
		s.Refunded = s.Net
	}
	s.RefundsLeftOut = o.LeftOut
}

// price is what a line of a refund comes to by the prices of the order's lines, for no more than was ordered. It is not known
// where the order has no such line, or has several at unlike prices.
func (o *OrderEvidence) price(l *OrderLine, decimals int) (amount int64, known bool) {
	if o.Lines == nil {
		return 0, false
	}
	price, ordered := int64(0), int64(0)
	for i := range o.Lines.Lines {
		have := &o.Lines.Lines[i]
		switch {
		case !l.is(have):
		case known && have.Price != price:
			return 0, false
		default:
			price, ordered, known = have.Price, saturatedSum(ordered, have.Quantity), true
		}
	}
	return cost(price, min(l.Quantity, ordered), decimals), known
}
