package score

import (
	"cmp"
	"slices"
	"strings"
)

// Offer is one offer to one customer: a coupon in the post, a discount in a mail, a promotion on a page.
type Offer struct {
	ID       string
	Class    string // what kind of offer it is; customers answer differently to different kinds
	Sent     int64  // ms since 1970 UTC
	Until    int64  // ms; from then on it is closed. 0: not known, defaultWindow after it was sent
	Accepted int64  // ms of the earliest acceptance; 0: not accepted
}

// defaultWindow is how long an offer without a deadline is open.
const defaultWindow = 30 * dayMillis

// start is when the offer was made: at the latest when it was accepted.
func (o *Offer) start() int64 {
	if o.Accepted != 0 {
		return min(o.Sent, o.Accepted)
	}
	return o.Sent
}

// end is when the offer closed.
func (o *Offer) end() int64 {
	if o.Until == 0 {
		return o.start() + defaultWindow
	}
	return max(o.Until, o.start())
}

// acceptedBy reports whether the customer had accepted by now.
func (o *Offer) acceptedBy(now int64) bool { return o.Accepted != 0 && o.Accepted <= now }

// closedBy reports whether the offer's time was over by now.
func (o *Offer) closedBy(now int64) bool { return o.end() <= now }

// unite adds what p says of the same offer: the first sending, the last deadline, the first acceptance.
func (o *Offer) unite(p *Offer) {
	o.Sent = min(o.Sent, p.Sent)
	o.Until = latestKnown(o.Until, p.Until)
	o.Accepted = earliestKnown(o.Accepted, p.Accepted)
	if p.Class != "" && (o.Class == "" || p.Class < o.Class) {
		o.Class = p.Class
	}
}

// earliestKnown returns the earlier of two times; 0 stands for an unknown time.
func earliestKnown(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// latestKnown returns the later of two times; 0 stands for an unknown time.
func latestKnown(a, b int64) int64 {
	if a == 0 || b != 0 && b > a {
		return b
	}
	return a
}

// OfferSignal is what an event says of an offer.
type OfferSignal uint8

// The signals, with the events that give them.
const (
	OfferNone      OfferSignal = iota
	OfferSent                  // Offer Sent
	OfferRedeemed              // Offer Redeemed, or an order with the offer's code
	OfferViewed                // Promotion Viewed
	OfferClicked               // Promotion Clicked
	OfferEntered               // Coupon Entered
	OfferApplied               // Coupon Applied
	OfferDenied                // Coupon Denied: the customer wanted it, the shop did not
	OfferWithdrawn             // Coupon Removed: the customer took it back
	offerSignalEnd
)

// OfferEvent is what one event says of one offer.
type OfferEvent struct {
	Signal OfferSignal
	ID     []byte // offer_id, promotion_id or coupon_id
	Class  []byte // offer_class; may be empty
	At     int64  // event time, ms since 1970 UTC
	Until  int64  // until or expires_at, ms; 0 when the event gives none
}

// OfferEvidence is what is known of one offer: first and last times of what happened to it, of which 0 is
// never. Folding is commutative, associative and idempotent.
type OfferEvidence struct {
	ID       string
	Class    string // of the earliest event that gives one
	ClassAt  int64
	Sent     int64 // earliest sending
	Viewed   int64 // earliest view
	Until    int64 // latest deadline
	Redeemed int64 // earliest redemption or click: cannot be taken back
	Tried    int64 // earliest time that its code was entered, applied or denied
	TriedAt  int64 // latest such time
	Removed  int64 // latest time that the customer took it back
}

func (o *OfferEvidence) fold(e *OfferEvent) {
	at := e.At
	if at == 0 {
		at = 1 // 0 is never
	}
	switch e.Signal {
	case OfferSent:
		o.Sent = earliestKnown(o.Sent, at)
	case OfferViewed:
		o.Viewed = earliestKnown(o.Viewed, at)
	case OfferRedeemed, OfferClicked:
		o.Redeemed = earliestKnown(o.Redeemed, at)
	case OfferEntered, OfferApplied, OfferDenied:
		o.Tried, o.TriedAt = earliestKnown(o.Tried, at), latestKnown(o.TriedAt, at)
	case OfferWithdrawn:
		o.Removed = latestKnown(o.Removed, at)
	}
	o.Until = latestKnown(o.Until, e.Until)
	if len(e.Class) > 0 && o.classLater(at, string(e.Class)) {
		o.Class, o.ClassAt = string(e.Class), at
	}
}

// classLater reports whether the class at hand is later than another, which then takes its place.
func (o *OfferEvidence) classLater(at int64, class string) bool {
	return o.Class == "" || cmp.Or(cmp.Compare(at, o.ClassAt), strings.Compare(class, o.Class)) < 0
}

// merge adds what p knows of the same offer.
func (o *OfferEvidence) merge(p *OfferEvidence) {
	o.Sent = earliestKnown(o.Sent, p.Sent)
	o.Viewed = earliestKnown(o.Viewed, p.Viewed)
	o.Until = latestKnown(o.Until, p.Until)
	o.Redeemed = earliestKnown(o.Redeemed, p.Redeemed)
	o.Tried = earliestKnown(o.Tried, p.Tried)
	o.TriedAt = latestKnown(o.TriedAt, p.TriedAt)
	o.Removed = latestKnown(o.Removed, p.Removed)
	if p.Class != "" && o.classLater(p.ClassAt, p.Class) {
		o.Class, o.ClassAt = p.Class, p.ClassAt
	}
}

// Offer is the offer that the evidence shows; false when it was never seen to be made. A code that is only
// known because it was used says nothing of how often the customer lets an offer pass, for offers let pass
// leave no trace there: its use counts with the order, as one with a coupon.
func (o *OfferEvidence) Offer() (Offer, bool) {
	sent := earliestKnown(o.Sent, o.Viewed)
	if sent == 0 {
		return Offer{}, false
	}
	accepted := o.Redeemed
	if o.Tried != 0 && (o.Removed == 0 || o.TriedAt > o.Removed) {
		accepted = earliestKnown(accepted, o.Tried)
	}
	return Offer{ID: o.ID, Class: o.Class, Sent: sent, Until: o.Until, Accepted: accepted}, true
}

// OfferBook is the offers of one fragment, by id, and at most OffersMax of them. Beyond that it keeps those whose
// ids hash lowest. Which those are depends on the ids alone, so the book is the same whatever the order of events and merges; and
// it is a fair sample of all, so the share of accepted offers is not biased.
type OfferBook struct {
	offers []OfferEvidence // by hash of the id, then id
}

// OffersMax bounds the offers of a fragment.
const OffersMax = 256

// Fold adds one event: adding it again changes nothing. An event without an id or a signal is ignored.
func (b *OfferBook) Fold(e *OfferEvent) {
	if e.Signal == OfferNone || e.Signal >= offerSignalEnd || len(e.ID) == 0 {
		return
	}
	hash := hash64(nil, e.ID)
	at, found := slices.BinarySearchFunc(b.offers, hash, func(o OfferEvidence, h uint64) int {
		return cmp.Or(cmp.Compare(hash64(nil, o.ID), h), strings.Compare(o.ID, string(e.ID)))
	})
	if !found {
		if at >= OffersMax {
			return
		}
		b.offers = slices.Insert(b.offers, at, OfferEvidence{ID: string(e.ID)})
	}
	b.offers[at].fold(e)
	b.bound()
}

// Merge adds the offers of another book. It leaves o as it is.
func (b *OfferBook) Merge(o *OfferBook) {
	if len(o.offers) == 0 {
		return
	}
	all := slices.Concat(b.offers, o.offers)
	b.offers = unite(all, compareOffers, (*OfferEvidence).merge)
	b.bound()
}

func compareOffers(a, b *OfferEvidence) int { return compareHashes(a.ID, b.ID) }

func (b *OfferBook) bound() {
	if len(b.offers) > OffersMax {
		clear(b.offers[OffersMax:])
		b.offers = b.offers[:OffersMax]
	}
}

// Evidence is the book's entries, in an order that depends on the ids alone. They are the book's own: not to be changed.
func (b *OfferBook) Evidence() []OfferEvidence { return b.offers }

// NewOfferBook makes a book of evidence, as Evidence gave it or in any other order.
func NewOfferBook(evidence []OfferEvidence) OfferBook {
	b := OfferBook{offers: unite(evidence, compareOffers, (*OfferEvidence).merge)}
	b.bound()
	return b
}

// Size estimates the memory of the book in bytes.
func (b *OfferBook) Size() int {
	size := 24
	for i := range b.offers {
		size += 96 + len(b.offers[i].ID) + len(b.offers[i].Class)
	}
	return size
}

// AppendOffers appends the offers that the book shows.
func (b *OfferBook) AppendOffers(offers []Offer) []Offer {
	for i := range b.offers {
		if offer, made := b.offers[i].Offer(); made {
			offers = append(offers, offer)
		}
	}
	return offers
}

// Clone is a copy of the book that shares no memory with it.
func (b *OfferBook) Clone() OfferBook { return OfferBook{offers: slices.Clone(b.offers)} }
