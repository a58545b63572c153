package document

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/money"
)

// Orders are a page of the orders of a person, the newest first.
type Orders struct {
	ID     string     `json:"id"` // public id of the person
	Orders []Order    `json:"orders"`
	Next   TextOrNull `json:"next"` // cursor of the next page; null at the end
}

// Order is an order as it stands. Amounts are in the unit of its currency.
type Order struct {
	ID             string `json:"id"`
	PlacedAt       Time   `json:"placed_at"` // time of the earliest event that completed it
	Status         string `json:"status" jsonschema:"enum=unknown,enum=placed,enum=cancelled,enum=refunded"`
	Currency       string `json:"currency"`                                                                                    // ISO 4217 code; empty where no event names one and there is no default
	Revenue        Amount `json:"revenue"`                                                                                     // net less refunded; 0 for a cancelled order
	Net            Amount `json:"net"`                                                                                         // amount of the order, less its discount
	Refunded       Amount `json:"refunded"`                                                                                    // never above net
	Discount       Amount `json:"discount"`                                                                                    // taken off
	Coupon         string `json:"coupon,omitempty"`                                                                            // code
	NetFrom        string `json:"net_from" jsonschema:"enum=none,enum=revenue,enum=subtotal,enum=total,enum=value,enum=items"` // the property that net was read from; none where the amount is not known
	Refunds        int    `json:"refunds,omitempty"`                                                                           // refunds in the order's currency
	UnknownRefunds int    `json:"unknown_refunds,omitempty"`                                                                   // of those, refunds whose amount is not known
	RefusedRefunds int    `json:"refused_refunds,omitempty"`                                                                   // refunds in another currency, which take nothing off
	RefundsLeftOut bool   `json:"refunds_left_out,omitempty"`                                                                  // there are more refunds than Kindred keeps

	Tax      Amount      `json:"tax,omitempty"`      // as the latest event that has it says; with details
	Shipping Amount      `json:"shipping,omitempty"` // as the latest event that has it says; with details
	Lines    []OrderLine `json:"lines,omitempty"`    // products, as the latest event that lists any says; with details
}

// OrderLine is a product of an order, as it was sent.
type OrderLine struct {
	ProductID string      `json:"product_id,omitempty"`
	SKU       string      `json:"sku,omitempty"` // stock keeping unit
	Name      string      `json:"name,omitempty"`
	Brand     string      `json:"brand,omitempty"`
	Variant   string      `json:"variant,omitempty"`
	Category  string      `json:"category,omitempty"`
	Coupon    string      `json:"coupon,omitempty"`
	Price     Amount      `json:"price,omitempty"` // of one, in the unit of the order's currency
	Quantity  json.Number `json:"quantity"`        // 1 where it was not sent
}

// AppendOrders appends an Orders document: of orders by ascending time, the newest first, with the cursor of the next
// page, empty at the end. details may be nil.
func AppendOrders(dst []byte, id graph.NodeKey, orders []graph.OrderState, details *OrderDetails, next string) []byte {
	dst = append(appendHead(dst, id, "orders"), '[')
	for i, order := range slices.Backward(orders) {
		dst = appendOrder(dst, &order)
		if details != nil {
			dst = append(details.append(dst[:len(dst)-1], &order), '}')
		}
		if i > 0 { // the order 0 is the last
			dst = append(dst, ',')
		}
	}
	return appendNext(append(dst, ']'), next)
}

// appendNext appends the member "next" and closes the document.
func appendNext(dst []byte, next string) []byte {
	dst = append(dst, `,"next":`...)
	if next == "" {
		return append(dst, "null}"...)
	}
	return append(appendString(dst, next), '}')
}

// appendOrder appends an Order.
// Amounts of a cancelled order stay as they were, but its revenue is 0. Counts of refunds are left out if they are 0.
func appendOrder(dst []byte, o *graph.OrderState) []byte {
	revenue := o.Net - o.Refunded
	if o.Status == graph.OrderStateCancelled {
		revenue = 0
	}
	dst = appendString(append(dst, `{"id":`...), o.ID)
	dst = appendTime(append(dst, `,"placed_at":`...), o.PlacedAt)
	dst = appendString(append(dst, `,"status":`...), o.Status.String())
	dst = appendString(append(dst, `,"currency":`...), o.Currency.String())
	dst = money.Append(append(dst, `,"revenue":`...), revenue, o.Currency)
	dst = money.Append(append(dst, `,"net":`...), o.Net, o.Currency)
	dst = money.Append(append(dst, `,"refunded":`...), o.Refunded, o.Currency)
	dst = money.Append(append(dst, `,"discount":`...), o.Discount, o.Currency)
	if o.Coupon != "" {
		dst = appendString(append(dst, `,"coupon":`...), o.Coupon)
	}
	dst = appendString(append(dst, `,"net_from":`...), o.Rule.String())
	for _, n := range [...]struct {
		member string
		count  int
	}{{`,"refunds":`, o.Refunds}, {`,"unknown_refunds":`, o.UnknownRefunds}, {`,"refused_refunds":`, o.RefusedRefunds}} {
		if n.count > 0 {
			dst = strconv.AppendInt(append(dst, n.member...), int64(n.count), 10)
		}
	}
	if o.RefundsLeftOut {
		dst = append(dst, `,"refunds_left_out":true`...)
	}
	return append(dst, '}')
}
