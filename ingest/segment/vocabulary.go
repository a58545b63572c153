package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// meaning is what the name of a track event implies about an order, products or an offer. The zero value implies nothing.
type meaning struct {
	order    graph.OrderKind
	interest graph.InterestKind
	offer    score.OfferSignal
}

// meaningOf returns the meaning of a track event with this name. The names are those of Segment's e-commerce spec,
// versions 2 and 1, of GA4 (view_item) and of Snowplow (product_view), and Offer Sent and Offer Redeemed, in any
// case; an underscore or a hyphen counts as a space, and surrounding white space is ignored.
func meaningOf(name []byte) meaning {
	name = bytes.TrimSpace(name)
	const shortest, longest = len("refund"), len("viewed product category")
	if len(name) < shortest || len(name) > longest {
		return meaning{}
	}
	var folded [longest]byte
	for i, c := range name {
		switch {
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c == '_' || c == '-':
			c = ' '
		}
		folded[i] = c
	}
	switch string(folded[:len(name)]) {
	case "order completed", "completed order", "purchase", "transaction":
		return meaning{order: graph.OrderCompleted, interest: graph.InterestBought}
	case "order updated", "updated order":
		return meaning{order: graph.OrderUpdated}
	case "order cancelled", "order canceled", "cancelled order", "canceled order":
		return meaning{order: graph.OrderCancelled}
	case "order refunded", "refunded order", "refund":
		return meaning{order: graph.OrderRefunded}

	case "product viewed", "viewed product", "view item", "product view",
		"product clicked", "clicked product", "select item", "list click",
		"product list viewed", "viewed product category", "view item list", "list view":
		return meaning{interest: graph.InterestViewed}
	case "product added", "added product", "add to cart":
		return meaning{interest: graph.InterestAdded}

	case "promotion viewed", "viewed promotion", "view promotion", "promo view":
		return meaning{offer: score.OfferViewed}
	case "promotion clicked", "clicked promotion", "select promotion", "promo click":
		return meaning{offer: score.OfferClicked}
	case "coupon entered":
		return meaning{offer: score.OfferEntered}
	case "coupon applied":
		return meaning{offer: score.OfferApplied}
	case "coupon denied":
		return meaning{offer: score.OfferDenied}
	case "coupon removed":
		return meaning{offer: score.OfferWithdrawn}
	case "offer sent":
		return meaning{offer: score.OfferSent}
	case "offer redeemed":
		return meaning{offer: score.OfferRedeemed}
	}
	return meaning{}
}
