package segment

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// offerIDs are the properties that may hold the id of the event's offer, in the order of preference.
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

// readOffer fills the event's offer notice. An event without the offer's id stays an ordinary event.
func (c *commerceReader) readOffer(signal score.OfferSignal, ev *graph.Event) {
	if ev.Properties == nil {
		return
	}
	names := &offerIDs[signal]
	var ids [len(names)]jsonscan.Value
	var class, until, expiresAt jsonscan.Value
	var s jsonscan.Scanner
	s.Reset(ev.Properties, &c.arena)
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
			c.dropKind("properties."+names[i], "a string", v.Kind)
			continue
		}
		if len(notice.ID) == 0 {
			notice.ID = c.bounded(c.text(v))
		}
	}
	if len(notice.ID) == 0 {
		return
	}
	if !isText(class) {
		c.dropKind("properties.offer_class", "a string", class.Kind)
	} else if text := c.text(class); len(text) > 0 {
		notice.Class = c.bounded(text)
	}
	notice.Until = c.deadline("properties.until", until)
	if notice.Until == 0 {
		notice.Until = c.deadline("properties.expires_at", expiresAt)
	}
	ev.Offer = notice
}

// deadline returns the end of an offer; 0 if absent or empty. One that is unreadable or before 1970 is dropped. An
// end after 2099, such as 9999 for an offer that never closes, becomes the end of 2099.
func (c *commerceReader) deadline(field string, v jsonscan.Value) int64 {
	if isText(v) && len(c.text(v)) == 0 {
		return 0
	}
	ms, ok := c.clock.readTime(field, v)
	if ok && ms < timeMin {
		c.clock.dropTime(field, v, false)
	}
	if !ok || ms < timeMin {
		return 0
	}
	return min(ms, timeEnd)
}
