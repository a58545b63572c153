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
	"github.com/kindred-id/kindred/ingest/segment"
)

// membership is what a person's group events say of one group.
type membership struct {
	events      uint64
	first, last int64
}

// getGroups answers GET /v1/profiles/{id}/groups?limit=&cursor=: by id. The cursor is the name of the last group.
func (q *Queries) getGroups(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, limit, after, p := q.pageOfOne(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	groups, err := q.groupsOf(r.Context(), &profile)
	if err != nil {
		return route.EngineProblem(err)
	}
	names, next := pageOfGroups(groups, after, limit)
	answer := document.Memberships{ID: profile.ID.String(), Groups: []document.Membership{}, Next: document.TextOrNull(next)}
	for _, name := range names {
		g := groups[name]
		answer.Groups = append(answer.Groups, document.Membership{
			ID: name.id, Type: document.TextOrNull(name.typ), Events: g.events, FirstSeen: document.NewTime(g.first), LastSeen: document.NewTime(g.last),
		})
	}
	return route.SendTaggedDocument(w, r, answer)
}

// groupsOf reads the groups of a person from the group events. A person without one costs nothing.
func (q *Queries) groupsOf(ctx context.Context, profile *graph.Profile) (map[groupName]membership, error) {
	groups := map[groupName]membership{}
	if profile.Counts[graph.TypeGroup] == 0 {
		return groups, nil
	}
	err := q.Engine.EachEvent(ctx, profile, func(e *graph.Event) {
		name := groupOf(e)
		if name.id == "" {
			return
		}
		g, known := groups[name]
		if !known {
			g.first, g.last = e.Stamp.Time, e.Stamp.Time
		}
		g.events, g.first, g.last = g.events+1, min(g.first, e.Stamp.Time), max(g.last, e.Stamp.Time)
		groups[name] = g
	})
	return groups, err
}

// pageOfGroups is the page of groups after one, and the cursor of the next page.
func pageOfGroups(groups map[groupName]membership, after string, limit int) (names []groupName, next string) {
	for _, name := range slices.SortedFunc(maps.Keys(groups), groupName.compare) {
		if name.text() > after {
			names = append(names, name)
		}
	}
	if len(names) > limit {
		return names[:limit], route.NewCursor(names[limit-1].text())
	}
	return names, ""
}

// groupName is a group as events name it.
type groupName struct{ id, typ string }

func (n groupName) compare(other groupName) int { return strings.Compare(n.text(), other.text()) }

// text is the place of the group in the order of groups. Without a type it is the id.
func (n groupName) text() string {
	if n.typ == "" {
		return n.id
	}
	return n.id + "\x00" + n.typ
}

// groupOf is the group that a group event names; empty for other events. Events of before groups were kept name it in
// their context, where the rules keep that.
func groupOf(e *graph.Event) groupName {
	if e.Group != nil {
		return groupName{string(e.Group.ID), string(e.Group.Type)}
	}
	if e.Type != graph.TypeGroup || e.Context == nil {
		return groupName{}
	}
	var context struct {
		GroupID any `json:"groupId"`
	}
	d := json.NewDecoder(strings.NewReader(string(e.Context)))
	d.UseNumber()
	if d.Decode(&context) != nil {
		return groupName{}
	}
	var text string
	switch id := context.GroupID.(type) {
	case string:
		text = id
	case json.Number:
		text = id.String()
	}
	// An event whose groupId was dropped has it there as well.
	if id, usable := segment.GroupText([]byte(text)); usable {
		return groupName{id: string(id)}
	}
	return groupName{}
}
