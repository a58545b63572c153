package ingest

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// offerIDs are the properties that may hold the id of the offer that an event is about, in the order of preference.
var offerIDs = [...][4]string{
	score.OfferSent:      {"offer_id", "offerId"},
	score.OfferRedeemed:  {"offer_id", "offerId"},
	score.OfferViewed:    {"promotion_id", "promotionId", "id"},
	score.OfferClicked:   {"promotion_id", "promotionId", "id"},
	score.OfferEntered:   {"coupon_id", "couponId", "coupon", "discount_code"},
	score.OfferApplied:   {"coupon_id", "couponId", "coupon", "discount_code"},
	score.OfferDenied:    {"coupon_id", "couponId", "coupon", "discount_code"},
	score.OfferWithdrawn: {"coupon_id", "couponId", "coupon", "discount_code"},
}

// readOffer fills the event's offer notice. An event without the offer's id is about no offer, and stays an ordinary
// event; what it says of one must be right.
func (d *Decoder) readOffer(signal score.OfferSignal, ev *graph.Event) *Rejection {
	if ev.Properties == nil {
		return nil
	}
	names := &offerIDs[signal]
	var ids [len(names)]jsonscan.Value
	var class, until, expiresAt jsonscan.Value
	var s jsonscan.Scanner
	s.Reset(ev.Properties, &d.arena)
	s.Object()
	for s.Next() {
		key := s.Key()
		v := s.Value()
		switch string(key) {
		case "":
		case "offer_class":
			class = v
		case "until":
			until = v
		case "expires_at":
			expiresAt = v
		default:
			for i, name := range names {
				if string(key) == name {
					ids[i] = v
				}
			}
		}
	}
	notice := graph.OfferNotice{Signal: signal}
	for i, v := range ids {
		if !isText(v) {
			return badType("properties."+names[i], "a string", v.Kind)
		}
		if len(notice.ID) == 0 {
			notice.ID = d.bounded(d.text(v))
		}
	}
	if len(notice.ID) == 0 {
		return nil
	}
	if !isText(class) {
		return badType("properties.offer_class", "a string", class.Kind)
	}
	if text := d.text(class); len(text) > 0 {
		notice.Class = d.bounded(text)
	}
	field := "properties.until"
	if absent(until) {
		until, field = expiresAt, "properties.expires_at"
	}
	var r *Rejection
	if notice.Until, r = d.deadline(field, until); r != nil {
		return r
	}
	ev.Offer = notice
	return nil
}

// deadline reads until when an offer is open; 0 when it is absent or empty. An offer until after 2099, as one until 9999 that is
// never to close, is open to the end of 2099.
func (d *Decoder) deadline(field string, v jsonscan.Value) (int64, *Rejection) {
	if !isText(v) {
		return 0, badType(field, "a string", v.Kind)
	}
	text := d.text(v)
	if len(text) == 0 {
		return 0, nil
	}
	ms, r := readTimestamp(field, text)
	if r != nil && r.Code == CodeTimestampOutOfRange && !beforeEpoch(text) {
		return timeEnd, nil
	}
	return ms, r
}

// beforeEpoch tells whether a time, which is one, is before 1970.
func beforeEpoch(text []byte) bool {
	ms, ok := parseRFC3339(text)
	if !ok {
		ms, _ = parseEpoch(text)
	}
	return ms < timeMin
}
