package segment

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// offerIDs are the properties that may hold the id of the event's offer, in the order of preference.
var offerIDs = [...][4]uint16{
	score.OfferSent:      {propertyOfferID, propertyOfferIDCamel},
	score.OfferRedeemed:  {propertyOfferID, propertyOfferIDCamel},
	score.OfferViewed:    {propertyPromotionID, propertyPromotionIDCamel, propertyID},
	score.OfferClicked:   {propertyPromotionID, propertyPromotionIDCamel, propertyID},
	score.OfferEntered:   {propertyCouponID, propertyCouponIDCamel, propertyCoupon, propertyDiscountCode},
	score.OfferApplied:   {propertyCouponID, propertyCouponIDCamel, propertyCoupon, propertyDiscountCode},
	score.OfferDenied:    {propertyCouponID, propertyCouponIDCamel, propertyCoupon, propertyDiscountCode},
	score.OfferWithdrawn: {propertyCouponID, propertyCouponIDCamel, propertyCoupon, propertyDiscountCode},
}

// readOffer fills the event's offer notice. An event without the offer's id stays an ordinary event.
func (c *commerceReader) readOffer(signal score.OfferSignal, ev *graph.Event) {
	if ev.Properties == nil {
		return
	}
	names := &offerIDs[signal]
	var ids [len(names)]jsonscan.Value
	var class, until, expiresAt jsonscan.Value
	for i := range c.properties.list {
		switch means, v := c.properties.list[i].means, c.properties.list[i].value; means {
		case propertyOfferClass:
			class = v
		case propertyUntil:
			until = v
		case propertyExpiresAt:
			expiresAt = v
		default:
			if at := slices.Index(names[:], means); at >= 0 {
				ids[at] = v
			}
		}
	}
	notice := graph.OfferNotice{Signal: signal}
	for i, v := range ids {
		if !isText(v) {
			c.dropKind(propertyFields[names[i]], "a string", v.Kind)
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
