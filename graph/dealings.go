package graph

import "github.com/kindred-id/kindred/graph/score"

// Dealings are what is kept of a customer beside the orders: offers made and taken, categories of products,
// and days of visits. A visit is a day with a page, a screen, or a product that was looked at or put into the cart: an
// order, a mail that was sent or a trait that was set do not show that somebody came.

// foldDealings adds what an event shows of them.
func (f *Fragment) foldDealings(e *Event, names *score.Names) {
	at := e.Stamp.Time
	if e.Offer.Signal != score.OfferNone {
		if f.Offers == nil {
			f.Offers = &score.OfferBook{}
		}
		o := &e.Offer
		f.Offers.Fold(&score.OfferEvent{Signal: o.Signal, ID: o.ID, Class: o.Class, At: at, Until: o.Until})
	}
	if len(e.Interest.Categories) > 0 {
		if f.Interests == nil {
			f.Interests = &score.InterestCounts{}
		}
		for _, category := range e.Interest.Categories {
			f.Interests.AddBytes(category, at, 1, names)
		}
	}
	if e.visits() {
		f.Visits.Came(at)
	}
	if e.Order.Kind == OrderCompleted {
		f.Visits.Ordered(at)
	}
}

// visits reports whether the event shows that the customer came.
func (e *Event) visits() bool {
	return e.Type == TypePage || e.Type == TypeScreen ||
		e.Interest.Kind == InterestViewed || e.Interest.Kind == InterestAdded
}

// mergeDealings adds those of a fragment of other events. It takes ownership of g's parts.
func (f *Fragment) mergeDealings(g *Fragment) {
	switch {
	case g.Offers == nil:
	case f.Offers == nil:
		f.Offers = g.Offers
	default:
		f.Offers.Merge(g.Offers)
	}
	switch {
	case g.Interests == nil:
	case f.Interests == nil:
		f.Interests = g.Interests
	default:
		f.Interests.Merge(g.Interests)
	}
	f.Visits.Merge(&g.Visits)
}

// mergeDealings adds those of one of the identity's fragments. It leaves the fragment as it is: the first one's
// own serve as long as nothing has to be merged into them.
func (p *Profile) mergeDealings(f *Fragment) {
	if f.Offers != nil {
		if len(p.Offers.Evidence()) == 0 {
			p.Offers = *f.Offers
		} else {
			p.Offers.Merge(f.Offers)
		}
	}
	if f.Interests != nil {
		if p.Interests.Categories() == 0 {
			p.Interests = *f.Interests
		} else {
			p.Interests.Merge(f.Interests)
		}
	}
	if len(p.Visits.Periods()) == 0 {
		p.Visits = f.Visits
	} else {
		p.Visits.Merge(&f.Visits)
	}
}
