package query

import (
	"cmp"
	"encoding/binary"
	"net/http"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of one page of orders. With details it is shorter: they are read from events.
const (
	maxOrders         = 1000
	maxDetailedOrders = 100
)

// getOrders answers GET /v1/profiles/{id}/orders?details=true&limit=&cursor=: the newest first. The cursor is the
// placement and the id of the last order, which is their whole order.
func (q *Queries) getOrders(w http.ResponseWriter, r *http.Request) *route.Problem {
	detailed, p := route.BoolParameter(r, "details")
	if p != nil {
		return p
	}
	most := maxOrders
	if detailed {
		most = maxDetailedOrders
	}
	profile, limit, before, p := q.pageOfOne(r, most, maxOrders)
	if p != nil {
		return p
	}
	orders, next, ok := pageOfOrders(profile.Orders, before, min(limit, most))
	if !ok {
		return route.BadCursor()
	}
	var details *document.OrderDetails
	if detailed {
		details = document.NewOrderDetails(orders)
		if err := q.Engine.EachEvent(r.Context(), &profile, details.Observe); err != nil {
			return route.EngineProblem(err)
		}
	}
	return route.SendTagged(w, r, append(document.AppendOrders(nil, profile.ID, orders, details, next), '\n'))
}

// pageOfOrders is the page of orders, which ascend, before a cursor; and the cursor of the next page.
func pageOfOrders(orders []graph.OrderState, before string, limit int) (page []graph.OrderState, next string, ok bool) {
	to := len(orders)
	if before != "" {
		if len(before) < 8 {
			return nil, "", false
		}
		at, id := int64(binary.BigEndian.Uint64([]byte(before))), before[8:] //nolint:gosec // as it was written
		to, _ = slices.BinarySearchFunc(orders, id, func(o graph.OrderState, id string) int {
			return cmp.Or(cmp.Compare(o.PlacedAt, at), strings.Compare(o.ID, id))
		})
	}
	from := max(0, to-limit)
	page = orders[from:to]
	if from > 0 {
		last := &page[0]
		next = route.NewCursor(string(binary.BigEndian.AppendUint64(nil, uint64(last.PlacedAt))) + last.ID) //nolint:gosec // its bits
	}
	return page, next, true
}
