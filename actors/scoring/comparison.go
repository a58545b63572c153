package scoring

import (
	"bytes"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Comparison is the control group beside the rest. Differences are the rest less the control group: what offers changed.
type Comparison struct {
	Control, Rest Group
	Bought        *Difference // of the shares who bought; nil where a group is empty
	Revenue       []Revenue   // by currency code
}

// Group is what people did in the window.
type Group struct {
	People         uint64 // with an event, ever
	Buyers         uint64 // of them with an order in the window that was not cancelled
	Orders         uint64
	CouponOrders   uint64 // of them with a coupon
	OffersSent     uint64
	OffersAccepted uint64 // of those sent in the window, by now
}

// Revenue is net revenue in one currency, less refunds, in minor units.
type Revenue struct {
	Currency                graph.Currency
	ControlTotal, RestTotal int64
	ControlMean, RestMean   float64     // per person of the group, whether they bought or not; 0 where there is nobody
	Incremental             *Difference // of the means; nil where it can't be told (welch)
}

func compare(control, rest *sums) Comparison {
	c := Comparison{Control: control.Group, Rest: rest.Group, Bought: newcombe(rest.Buyers, rest.People, control.Buyers, control.People)}
	currencies := map[graph.Currency]bool{}
	for _, s := range [2]*sums{control, rest} {
		for currency := range s.revenue {
			currencies[currency] = true
		}
	}
	for _, currency := range slices.SortedFunc(maps.Keys(currencies), func(a, b graph.Currency) int { return bytes.Compare(a[:], b[:]) }) {
		of, against := rest.padded(currency), control.padded(currency)
		r := Revenue{Currency: currency, RestTotal: of.Sum(), ControlTotal: against.Sum(), Incremental: welch(&of, &against)}
		r.RestMean, _ = of.Moments()
		r.ControlMean, _ = against.Moments()
		c.Revenue = append(c.Revenue, r)
	}
	return c
}
