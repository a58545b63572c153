package graph

import (
	"math"

	"github.com/kindred-id/kindred/graph/score"
)

// Scoring is what the scores of an identity are computed from. Purchases and Ledger are in one currency: that of
// most orders, cancelled ones left out; of equal numbers, the code that comes first. There is no rate of exchange here, so an
// order in another currency counts for nothing.
type Scoring struct {
	Currency  Currency // zero when there is no order
	Elsewhere int      // orders in other currencies, which are left out; cancelled ones do not count
	Purchases []score.Purchase
	Ledger    score.PriceLedger // orders, offers, and since when the customer is known
	Interests score.InterestCounts
}

// Scoring gathers what the scores of the identity that holds a node are computed from: what Scoring of its profile
// is, without the rest of the profile. It returns false when the node is not hosted here. It shares the component's
// memory: it is valid until its next message.
func (c *Component) Scoring(node NodeKey, rules *Rules) (Scoring, bool) {
	group, ok := c.identityOf(node, rules)
	if !ok {
		return Scoring{}, false
	}
	return fold{&c.store, group}.scoring(), true
}

// Scoring gathers what scores are computed from: a pure function of the profile.
//
//   - A cancelled order does not count, neither as a purchase nor as an order with a price.
//   - A refunded order is a purchase of what is left of it. Its price stays: the customer answered to it.
//   - Gross is net revenue and discount. Which part of a discount a coupon took off is not known: the coupon is a
//     voucher, whatever it took off.
func (p *Profile) Scoring() Scoring {
	s := Scoring{Interests: p.Interests}
	at := mostOrders(p.Money)
	if at >= 0 {
		s.Currency = p.Money[at].Currency
	}
	var orders []score.PricedOrder
	if len(p.Orders) > 0 {
		s.Purchases, orders = make([]score.Purchase, 0, len(p.Orders)), make([]score.PricedOrder, 0, len(p.Orders))
	}
	for i := range p.Orders {
		o := &p.Orders[i]
		switch {
		case o.Status == OrderStateCancelled:
		case o.Currency != s.Currency:
			s.Elsewhere++
		default:
			s.Purchases = append(s.Purchases, score.Purchase{ID: o.ID, At: o.PlacedAt, Net: o.Net, Refunded: o.Refunded})
			orders = append(orders, score.PricedOrder{
				ID: o.ID, At: o.PlacedAt, Gross: saturatedSum(o.Net, o.Discount), Discount: o.Discount, Voucher: o.Coupon != "",
			})
		}
	}
	s.Ledger = score.DistinctPriceLedger(p.First, orders, p.Offers.AppendOffers(nil))
	return s
}

// mostOrders returns the index of the sum with the most orders, the first of equal ones; -1 without sums.
func mostOrders(sums []Money) int {
	most := -1
	for i := range sums {
		if most < 0 || sums[i].Orders > sums[most].Orders {
			most = i
		}
	}
	return most
}

// History sums the purchases up to now (ms since 1970 UTC).
func (s *Scoring) History(now int64) score.History { return score.NewHistory(s.Purchases, now) }

// saturatedSum adds amounts, and stops at the ends.
func saturatedSum(a, b int64) int64 {
	sum := a + b
	switch {
	case a > 0 && b > 0 && sum < 0:
		return math.MaxInt64
	case a < 0 && b < 0 && sum >= 0:
		return math.MinInt64
	}
	return sum
}
