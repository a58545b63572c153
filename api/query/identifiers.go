package query

import (
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// maxIdentifiers bounds a page of identifiers. It is more than most people can have under the usual caps.
const maxIdentifiers = 10_000

// getIdentifiers answers GET /v1/profiles/{id}/identifiers?limit=&cursor=: the highest-ranked first. The cursor is the public
// id of the last identifier, so it goes on where it was whatever identifiers come or go.
func (q *Queries) getIdentifiers(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, p := route.LimitParameter(r, maxIdentifiers, maxIdentifiers)
	if p != nil {
		return p
	}
	after, p := route.CursorParameter(r)
	if p != nil {
		return p
	}
	if _, err := graph.ParseNodeKey(after); after != "" && err != nil {
		return route.BadCursor()
	}
	profile, p := q.NeedOutline(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	var next string
	profile.Identifiers, next = pageOfIdentifiers(profile.Identifiers, after, limit)
	return route.SendTagged(w, r, append(document.AppendIdentifiers(nil, &profile, next), '\n'))
}

// pageOfIdentifiers is the page of identifiers, which are sorted by descending rank, after one; and the cursor of the next
// page. Identifiers whose names are still on their way count for nothing.
func pageOfIdentifiers(ids []graph.ProfileIdentifier, after string, limit int) (page []graph.ProfileIdentifier, next string) {
	for i := range ids {
		if ids[i].Namespace == "" || after != "" && ids[i].Key.String() >= after {
			continue
		}
		if len(page) == limit {
			return page, route.NewCursor(page[limit-1].Key.String())
		}
		page = append(page, ids[i])
	}
	return page, ""
}
