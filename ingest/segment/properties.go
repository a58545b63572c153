package segment

import (
	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// property is a member of an event's properties that may matter to commerce.
type property struct {
	means uint16
	value jsonscan.Value
}

// properties are those members of an event's properties, in their order; a key may repeat. They are listed on the way
// of the event's only scan, before its meaning is known: each reader of commerce then takes what it needs. The list is
// not made for a type that has no commerce, nor where a configured path leads into the properties. If the type proves
// to be track after all, commerceReader lists them in a second scan.
type properties struct {
	list   []property
	listed bool // list is complete
}

// propertiesKept bounds the memory that a decoder keeps for the next event.
const propertiesKept = 256

func (p *properties) reset() {
	if p.list, p.listed = p.list[:0], false; cap(p.list) > propertiesKept {
		p.list = nil
	}
}

// The meanings of the keys of properties. Aliases are in the order of preference.
const (
	propertyOrderID = 1 + iota
	propertyOrderIDCamel
	propertyTransactionID
	propertyRefundID
	propertyRefundIDCamel
	propertyRefundObjectID // within properties.refund
	propertyCoupon
	propertyCouponID
	propertyDiscountCode
	propertyDiscount
	propertyDiscountAmount
	propertyProducts
	propertyItems
	propertyRefundAmount
	propertyRefundAmountCamel
	propertyRefundObjectAmount // within properties.refund
	propertyCurrency
	propertyCurrencyCode
	propertyCurrencyCodeCamel
	propertyRevenue // from here to amount as in sum
	propertySubtotal
	propertyTotal
	propertyTax
	propertyShipping
	propertyValue
	propertyAmount
	propertyRefund
	propertyCategory
	propertyItemCategory
	propertyOfferID
	propertyOfferIDCamel
	propertyPromotionID
	propertyPromotionIDCamel
	propertyID
	propertyCouponIDCamel
	propertyOfferClass
	propertyUntil
	propertyExpiresAt
	propertyEmail
	propertiesEnd
)

// propertyFields names the properties in reports.
var propertyFields = [propertiesEnd]string{
	propertyOrderID:            "properties.order_id",
	propertyOrderIDCamel:       "properties.orderId",
	propertyTransactionID:      "properties.transaction_id",
	propertyRefundID:           "properties.refund_id",
	propertyRefundIDCamel:      "properties.refundId",
	propertyRefundObjectID:     "properties.refund.id",
	propertyCoupon:             "properties.coupon",
	propertyCouponID:           "properties.coupon_id",
	propertyDiscountCode:       "properties.discount_code",
	propertyDiscount:           "properties.discount",
	propertyDiscountAmount:     "properties.discount_amount",
	propertyProducts:           "properties.products",
	propertyItems:              "properties.items",
	propertyRefundAmount:       "properties.refund_amount",
	propertyRefundAmountCamel:  "properties.refundAmount",
	propertyRefundObjectAmount: "properties.refund.amount",
	propertyCurrency:           "properties.currency",
	propertyCurrencyCode:       "properties.currency_code",
	propertyCurrencyCodeCamel:  "properties.currencyCode",
	propertyRevenue:            "properties.revenue",
	propertySubtotal:           "properties.subtotal",
	propertyTotal:              "properties.total",
	propertyTax:                "properties.tax",
	propertyShipping:           "properties.shipping",
	propertyValue:              "properties.value",
	propertyAmount:             "properties.amount",
	propertyRefund:             "properties.refund",
	propertyCategory:           "properties.category",
	propertyItemCategory:       "properties.item_category",
	propertyOfferID:            "properties.offer_id",
	propertyOfferIDCamel:       "properties.offerId",
	propertyPromotionID:        "properties.promotion_id",
	propertyPromotionIDCamel:   "properties.promotionId",
	propertyID:                 "properties.id",
	propertyCouponIDCamel:      "properties.couponId",
	propertyOfferClass:         "properties.offer_class",
	propertyUntil:              "properties.until",
	propertyExpiresAt:          "properties.expires_at",
	propertyEmail:              "properties.email",
}

// propertyMeaning returns what a key of properties means; 0 is nothing.
func propertyMeaning(key []byte) uint16 {
	switch string(key) {
	case "order_id":
		return propertyOrderID
	case "orderId":
		return propertyOrderIDCamel
	case "transaction_id":
		return propertyTransactionID
	case "refund_id":
		return propertyRefundID
	case "refundId":
		return propertyRefundIDCamel
	case "coupon":
		return propertyCoupon
	case "coupon_id":
		return propertyCouponID
	case "discount_code":
		return propertyDiscountCode
	case "discount":
		return propertyDiscount
	case "discount_amount":
		return propertyDiscountAmount
	case "products":
		return propertyProducts
	case "items":
		return propertyItems
	case "refund_amount":
		return propertyRefundAmount
	case "refundAmount":
		return propertyRefundAmountCamel
	case "currency":
		return propertyCurrency
	case "currency_code":
		return propertyCurrencyCode
	case "currencyCode":
		return propertyCurrencyCodeCamel
	case "revenue":
		return propertyRevenue
	case "subtotal":
		return propertySubtotal
	case "total":
		return propertyTotal
	case "tax":
		return propertyTax
	case "shipping":
		return propertyShipping
	case "value":
		return propertyValue
	case "amount":
		return propertyAmount
	case "refund":
		return propertyRefund
	case "category":
		return propertyCategory
	case "item_category":
		return propertyItemCategory
	case "offer_id":
		return propertyOfferID
	case "offerId":
		return propertyOfferIDCamel
	case "promotion_id":
		return propertyPromotionID
	case "promotionId":
		return propertyPromotionIDCamel
	case "id":
		return propertyID
	case "couponId":
		return propertyCouponIDCamel
	case "offer_class":
		return propertyOfferClass
	case "until":
		return propertyUntil
	case "expires_at":
		return propertyExpiresAt
	case "email":
		return propertyEmail
	}
	return 0
}

// readProperties reads the properties in one scan: it hashes them, finds the identifiers at configured paths, and lists
// the members that may matter to commerce. If the field repeats, the last one counts.
func (p *picker) readProperties(s *jsonscan.Scanner, n *pathNode) jsonscan.Value {
	p.properties.reset()
	if s.Peek() != jsonscan.Object || n != nil { // with a path, value searches them for identifiers
		v := p.value(s, n)
		if v.Kind == jsonscan.Object {
			p.fields.propertiesDigest = p.digestRaw(v.Raw)
		}
		return v
	}
	start := s.Pos()
	if p.mayTrack() {
		p.fields.propertiesDigest = p.listProperties(s)
	} else {
		p.fields.propertiesDigest = p.digestNested(s, jsonscan.Object)
	}
	if s.Err() != nil {
		return jsonscan.Value{}
	}
	return jsonscan.Value{Kind: jsonscan.Object, Raw: s.Since(start)}
}

// mayTrack reports whether the event is of type track as far as it has been read: the type may still come, or come
// again.
func (p *picker) mayTrack() bool {
	typ := p.fields.typ
	if typ.Kind != jsonscan.String {
		return true
	}
	t := graph.ParseEventType(typ.Inside())
	return t == graph.TypeTrack || t == 0
}

// listProperties is digestNested for properties, and lists their members.
func (p *picker) listProperties(s *jsonscan.Scanner) uint64 {
	if !s.Object() {
		return 0
	}
	sum := uint64(tagObject)
	for s.Next() {
		means, hash := propertyMeaning(s.Key()), xxhash.Sum64(s.Key())
		v, digest := p.digestValue(s)
		sum += mix(hash, digest)
		if means != 0 {
			p.properties.list = append(p.properties.list, property{means, v})
		}
	}
	p.properties.listed = true
	return mix(sum, tagObject)
}
