package segment

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/money"
)

// commerceReader reads an event's order, offer and products from its properties, when its name implies any.
type commerceReader struct {
	*picker
	clock    *eventClock
	currency graph.Currency // of orders without a currency
	rooms    [2]money.Room  // for amounts in strings
	order    orderReader
}

// readCommerce reads an event's order, offer and products. All that ev had of them is reset first: callers reuse
// events.
func (c *commerceReader) readCommerce(ev *graph.Event) *Rejection {
	ev.Order, ev.Offer = graph.OrderChange{Lines: ev.Order.Lines[:0]}, graph.OfferNotice{}
	ev.Interest.Kind, ev.Interest.Categories = graph.InterestNone, ev.Interest.Categories[:0]
	if ev.Type != graph.TypeTrack {
		return nil
	}
	m := meaningOf(ev.Name)
	if m == (meaning{}) {
		return nil
	}
	if ev.Properties != nil && !c.properties.listed { // a path leads into them, or the type came twice
		c.side.Reset(ev.Properties, &c.arena)
		c.listProperties(&c.side)
	}
	if m.order != graph.OrderNone {
		c.order.read(c, m.order, ev)
		// An order with the code of an offer redeems it.
		if m.order == graph.OrderCompleted && len(ev.Order.Coupon) > 0 {
			ev.Offer = graph.OfferNotice{Signal: score.OfferRedeemed, ID: ev.Order.Coupon}
		}
	}
	if m.interest != graph.InterestNone {
		c.readInterest(m.interest, ev)
	}
	if m.offer != score.OfferNone {
		c.readOffer(m.offer, ev)
	}
	return nil
}
