package document

import (
	"encoding/json"
	"strconv"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
	"github.com/kindred-id/kindred/internal/money"
)

// Timeline is a page of a person's events, the newest first.
type Timeline struct {
	ID     string           `json:"id"` // public id of the person
	Events []Encoded[Event] `json:"events"`
	Next   TextOrNull       `json:"next"` // cursor of the next page; null at the end
}

// Event is an event of a timeline.
type Event struct {
	MessageID   string          `json:"message_id"`
	Type        string          `json:"type" jsonschema:"enum=identify,enum=track,enum=page,enum=screen,enum=group,enum=alias"`
	Name        string          `json:"name,omitempty"` // of a track, page or screen event
	Timestamp   Time            `json:"timestamp"`      // when it happened
	ReceivedAt  Time            `json:"received_at"`    // when Kindred received it
	Source      string          `json:"source"`         // the system that sent it
	Identifiers []Name          `json:"identifiers"`
	Mentions    []Name          `json:"mentions,omitempty"`   // an anonymousId that a library for servers may have made up
	Traits      Traits          `json:"traits,omitempty"`     // null deletes a trait
	Properties  json.RawMessage `json:"properties,omitempty"` // an object, as it was sent
	Context     json.RawMessage `json:"context,omitempty"`    // an object: the part of the event's context that the rules keep
	Order       *OrderChange    `json:"order,omitempty"`
}

// OrderChange is what an event says about an order. Amounts are in the unit of the currency. An event that names no
// currency has no member currency: its amounts are in the currency of the order.
type OrderChange struct {
	ID            string       `json:"id"`
	Change        string       `json:"change" jsonschema:"enum=completed,enum=updated,enum=cancelled,enum=refunded"`
	Full          bool         `json:"full,omitempty"`                                                                              // the whole order is refunded
	Refund        AmountOrNull `json:"refund,omitempty"`                                                                            // amount of a refund of a part; null where it is not known
	RefundedLines int          `json:"refunded_lines,omitempty"`                                                                    // lines of the order that the refund names
	Net           Amount       `json:"net,omitempty"`                                                                               // of a completed or updated order
	Discount      Amount       `json:"discount,omitempty"`                                                                          // of a completed or updated order
	Currency      string       `json:"currency,omitempty"`                                                                          // ISO 4217 code
	NetFrom       string       `json:"net_from,omitempty" jsonschema:"enum=revenue,enum=subtotal,enum=total,enum=value,enum=items"` // the property that net was read from
	Coupon        string       `json:"coupon,omitempty"`
}

// BeginTimeline begins a Timeline document. AppendTimelineEvent adds its events, and EndTimeline ends it.
func BeginTimeline(dst []byte, id graph.NodeKey) []byte {
	return append(appendHead(dst, id, "events"), '[')
}

// AppendTimelineEvent appends an event to a Timeline that BeginTimeline began.
func AppendTimelineEvent(dst []byte, e *graph.Event) []byte {
	if dst[len(dst)-1] != '[' {
		dst = append(dst, ',')
	}
	return appendEvent(dst, e)
}

// EndTimeline ends a Timeline; an empty cursor says that there are no more events.
func EndTimeline(dst []byte, next string) []byte {
	return appendNext(append(dst, ']'), next)
}

// appendNames appends the identifiers of an event, as a list of Name.
func appendNames(dst []byte, identifiers []graph.Identifier) []byte {
	dst = append(dst, '[')
	for i := range identifiers {
		id := &identifiers[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"namespace":"`...), id.Namespace...)
		dst = append(appendString(append(dst, `","value":`...), id.Value), '}')
	}
	return append(dst, ']')
}

// appendEvent appends an Event.
func appendEvent(dst []byte, e *graph.Event) []byte {
	dst = appendString(append(dst, `{"message_id":`...), e.ID)
	dst = append(append(append(dst, `,"type":"`...), e.Type.String()...), '"')
	if len(e.Name) > 0 {
		dst = appendString(append(dst, `,"name":`...), e.Name)
	}
	dst = appendTime(append(dst, `,"timestamp":`...), e.Stamp.Time)
	dst = appendTime(append(dst, `,"received_at":`...), e.Received)
	dst = appendString(append(dst, `,"source":`...), e.Source)
	dst = appendNames(append(dst, `,"identifiers":`...), e.Identifiers)
	if len(e.Mentions) > 0 {
		dst = appendNames(append(dst, `,"mentions":`...), e.Mentions)
	}
	if len(e.Traits) > 0 {
		dst = append(dst, `,"traits":{`...)
		for i := range e.Traits {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendString(dst, e.Traits[i].Name), ':')
			if e.Traits[i].Value == nil {
				dst = append(dst, "null"...)
			} else {
				dst = appendCompact(dst, e.Traits[i].Value)
			}
		}
		dst = append(dst, '}')
	}
	if e.Properties != nil {
		dst = appendCompact(append(dst, `,"properties":`...), e.Properties)
	}
	if e.Context != nil {
		dst = appendCompact(append(dst, `,"context":`...), e.Context)
	}
	if e.Order.Kind != graph.OrderNone {
		dst = appendOrderChange(append(dst, `,"order":`...), &e.Order)
	}
	return append(dst, '}')
}

var orderKinds = map[graph.OrderKind]string{
	graph.OrderCompleted: "completed", graph.OrderUpdated: "updated",
	graph.OrderCancelled: "cancelled", graph.OrderRefunded: "refunded",
}

// appendOrderChange appends an OrderChange.
func appendOrderChange(dst []byte, o *graph.OrderChange) []byte {
	dst = appendString(append(dst, `{"id":`...), o.ID)
	dst = appendString(append(dst, `,"change":`...), orderKinds[o.Kind])
	switch {
	case o.Kind == graph.OrderRefunded && o.Refund.Kind == graph.RefundFull:
		dst = append(dst, `,"full":true`...)
	case o.Kind == graph.OrderRefunded && o.Refund.Kind == graph.RefundUnknown:
		dst = append(dst, `,"refund":null`...)
	case o.Kind == graph.OrderRefunded:
		if former := o.Refund.Former; former != (graph.Currency{}) {
			told := *o
			told.Currency, told.Refund.Amount = former, currency.FromFormer(o.Refund.Amount, former)
			o = &told
		}
		dst = appendAmount(append(dst, `,"refund":`...), o.Refund.Amount, o)
		if len(o.Lines) > 0 {
			dst = strconv.AppendInt(append(dst, `,"refunded_lines":`...), int64(len(o.Lines)), 10)
		}
		dst = appendCurrency(dst, o)
	case o.Rule != graph.NetNone:
		dst = appendAmount(append(dst, `,"net":`...), o.Net, o)
		dst = appendAmount(append(dst, `,"discount":`...), o.Discount, o)
		dst = appendCurrency(dst, o)
		dst = appendString(append(dst, `,"net_from":`...), o.Rule.String())
	}
	if len(o.Coupon) > 0 {
		dst = appendString(append(dst, `,"coupon":`...), o.Coupon)
	}
	return append(dst, '}')
}

func appendAmount(dst []byte, amount int64, o *graph.OrderChange) []byte {
	if o.Open {
		return money.AppendOpen(dst, amount)
	}
	return money.Append(dst, amount, o.Currency)
}

func appendCurrency(dst []byte, o *graph.OrderChange) []byte {
	if o.Open || o.Currency == (graph.Currency{}) {
		return dst
	}
	return appendString(append(dst, `,"currency":`...), o.Currency.String())
}
