package api

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/currency"
	"github.com/kindred-id/kindred/internal/money"
)

// Bounds of one page of events.
const (
	defaultPage  = 50
	maxPage      = 1000
	maxPageBytes = 8 << 20
)

// getEvents answers GET /v1/profiles/{id}/events?limit=&cursor=: the newest first, and a cursor for
// what comes after; null where nothing does.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "limit", "cursor"); p != nil {
		return p
	}
	query := r.URL.Query()
	limit := defaultPage
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return newProblem(CodeBadParameter, "limit: want a whole number from 1 to %d", maxPage)
		}
		limit = n
	}
	before, err := parseCursor(query.Get("cursor"))
	if err != nil {
		return newProblem(CodeBadParameter, "cursor: %v", err).withHint("give the \"next\" of the page before, unchanged")
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	events, ok, err := s.Engine.Timeline(r.Context(), profile.ID, before, limit+1)
	switch {
	case err != nil:
		return engineProblem(err)
	case !ok: // a merge began in between
		return engineProblem(errInTransit)
	}
	body := append(appendHead(nil, profile.ID, "events"), '[')
	n := 0
	for ; n < min(limit, len(events)) && (n == 0 || len(body) < maxPageBytes); n++ {
		if n > 0 {
			body = append(body, ',')
		}
		body = AppendEvent(body, &events[n])
	}
	body = append(body, `],"next":`...)
	if n < len(events) {
		body = appendString(body, cursor(actors.PositionOf(&events[n-1])))
	} else {
		body = append(body, "null"...)
	}
	return sendJSON(w, append(body, "}\n"...))
}

// AppendEvent appends an event of a timeline as one JSON object, without a line break.
func AppendEvent(dst []byte, e *graph.Event) []byte {
	dst = appendString(append(dst, `{"message_id":`...), e.ID)
	dst = append(append(append(dst, `,"type":"`...), e.Type.String()...), '"')
	if len(e.Name) > 0 {
		dst = appendString(append(dst, `,"name":`...), e.Name)
	}
	dst = appendTime(append(dst, `,"timestamp":`...), e.Stamp.Time)
	dst = appendTime(append(dst, `,"received_at":`...), e.Received)
	dst = appendString(append(dst, `,"source":`...), e.Source)
	dst = append(dst, `,"identifiers":[`...)
	for i := range e.Identifiers {
		id := &e.Identifiers[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(append(dst, `{"namespace":"`...), id.Namespace...)
		dst = append(appendString(append(dst, `","value":`...), id.Value), '}')
	}
	dst = append(dst, ']')
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

// appendOrderChange appends what an event says of an order: totals of a completed or updated one,
// the amount of a refund. Where the event names no currency, amounts are as they were sent, and currency is left out: it is
// the order's.
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

const cursorBytes = 8 + 1 + 8 + 8 + 8

// cursor is where a page ended: the position of its last event.
func cursor(p actors.Position) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, cursorBytes), uint64(p.Time))
	b = append(b, p.Rank)
	b = binary.BigEndian.AppendUint64(b, p.Tie)
	b = binary.BigEndian.AppendUint64(b, p.Seen)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Received))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what cursor wrote; nothing is the zero position.
func parseCursor(text string) (actors.Position, error) {
	if text == "" {
		return actors.Position{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != cursorBytes {
		return actors.Position{}, errors.New("not a cursor of this server")
	}
	number := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	return actors.Position{
		Stamp: graph.Stamp{Time: int64(number(0)), Rank: b[8], Tie: number(9)}, Seen: number(17), Received: int64(number(25)),
	}, nil
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
