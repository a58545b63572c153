package query

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// membership is what a person's group events say of one group.
type membership struct {
	events      uint64
	first, last int64
}

// getGroups answers GET /v1/profiles/{id}/groups?limit=&cursor=: by id. The cursor is the id of the last group.
func (q *Queries) getGroups(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, limit, after, p := q.pageOfOne(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	groups, err := q.groupsOf(r.Context(), &profile)
	if err != nil {
		return route.EngineProblem(err)
	}
	ids, next := pageOfGroups(groups, after, limit)
	answer := document.Memberships{ID: profile.ID.String(), Groups: []document.Membership{}, Next: document.TextOrNull(next)}
	for _, id := range ids {
		g := groups[id]
		answer.Groups = append(answer.Groups, document.Membership{
			ID: id, Events: g.events, FirstSeen: document.NewTime(g.first), LastSeen: document.NewTime(g.last),
		})
	}
	return route.SendTaggedDocument(w, r, answer)
}

// groupsOf reads the groups of a person from the group events. A person without one costs nothing.
func (q *Queries) groupsOf(ctx context.Context, profile *graph.Profile) (map[string]membership, error) {
	groups := map[string]membership{}
	if profile.Counts[graph.TypeGroup] == 0 {
		return groups, nil
	}
	err := q.Engine.EachEvent(ctx, profile, func(e *graph.Event) {
		id := groupOf(e)
		if id == "" {
			return
		}
		g, known := groups[id]
		if !known {
			g.first, g.last = e.Stamp.Time, e.Stamp.Time
		}
		g.events, g.first, g.last = g.events+1, min(g.first, e.Stamp.Time), max(g.last, e.Stamp.Time)
		groups[id] = g
	})
	return groups, err
}

// pageOfGroups is the page of ids after one, and the cursor of the next page.
func pageOfGroups(groups map[string]membership, after string, limit int) (ids []string, next string) {
	for _, id := range slices.Sorted(maps.Keys(groups)) {
		if id > after {
			ids = append(ids, id)
		}
	}
	if len(ids) > limit {
		return ids[:limit], route.NewCursor(ids[limit-1])
	}
	return ids, ""
}

// groupOf is the group that a group event names; empty for other events, and where the rules keep no groupId.
func groupOf(e *graph.Event) string {
	if e.Type != graph.TypeGroup || e.Context == nil {
		return ""
	}
	var context struct {
		GroupID any `json:"groupId"`
	}
	d := json.NewDecoder(strings.NewReader(string(e.Context)))
	d.UseNumber()
	if d.Decode(&context) != nil {
		return ""
	}
	switch id := context.GroupID.(type) {
	case string:
		return id
	case json.Number:
		return id.String()
	}
	return ""
}
