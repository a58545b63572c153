package query

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Bounds of answers about groups.
const (
	peopleCounted = 1000 // identifiers of a group whose people are counted
	defaultGroups = 50
	maxGroups     = 1000
)

// getGroup answers GET /v1/groups/{id}?type=&verbose=true.
func (q *Queries) getGroup(w http.ResponseWriter, r *http.Request) *route.Problem {
	verbose, p := route.BoolParameter(r, "verbose")
	if p != nil {
		return p
	}
	g, err := q.Engine.Group(r.Context(), q.groupKey(r))
	if err != nil {
		return groupProblem(err)
	}
	people, counted, err := q.Engine.CountGroupPeople(r.Context(), &g, peopleCounted)
	if err != nil {
		return groupProblem(err)
	}
	count := document.CountOrNull("null")
	if counted {
		count = document.CountOrNull(strconv.Itoa(people))
	}
	if verbose {
		return route.SendTaggedDocument(w, r, document.VerboseGroupProfile{GroupSummary: document.NewGroupSummary(&g), People: count, Traits: document.NewVerboseGroupTraits(&g)})
	}
	return route.SendTaggedDocument(w, r, document.GroupProfile{GroupSummary: document.NewGroupSummary(&g), People: count, Traits: document.NewGroupTraits(&g)})
}

// groupKey is the key of the group that a request names: as events do, without white space around id and type.
func (q *Queries) groupKey(r *http.Request) graph.NodeKey {
	return q.Registry.GroupKey([]byte(strings.TrimSpace(r.URL.Query().Get("type"))), []byte(strings.TrimSpace(r.PathValue("id"))))
}

// groupProblem tells a group that no event has named from an engine that can't answer.
func groupProblem(err error) *route.Problem {
	if errors.Is(err, actors.ErrNoGroup) {
		return &route.Problem{Code: document.CodeUnknownGroup}
	}
	return route.EngineProblem(err)
}

// getMembers answers GET /v1/groups/{id}/members?type=&limit=&cursor=: people, in an order that means nothing. The cursor
// is the last identifier that was read, so it goes on where it was whatever is merged or divided meanwhile.
func (q *Queries) getMembers(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, p := route.LimitParameter(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	var after graph.NodeKey
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		var err error
		if after, err = graph.ParseNodeKey(cursor); err != nil {
			return route.BadCursor()
		}
	}
	key := q.groupKey(r)
	g, err := q.Engine.Group(r.Context(), key)
	if err != nil {
		return groupProblem(err)
	}
	people, next, err := q.Engine.GroupPeople(r.Context(), key, after, limit)
	if err != nil {
		return groupProblem(err)
	}
	page := document.GroupMembers{ID: g.ID, Type: document.TextOrNull(g.Type), Members: []document.GroupMember{}}
	for i := range people {
		m := &people[i]
		page.Members = append(page.Members, document.GroupMember{
			ID: m.Member.String(), Events: m.Events, FirstSeen: document.NewTime(m.First), LastSeen: document.NewTime(m.Last),
		})
	}
	if !next.IsZero() {
		page.Next = document.TextOrNull(next.String())
	}
	return route.SendTaggedDocument(w, r, page)
}

// listGroups answers GET /v1/groups?limit=&cursor=: in the order of rows. A page also ends at maxPageBytes.
func (q *Queries) listGroups(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, p := route.LimitParameter(r, defaultGroups, maxGroups)
	if p != nil {
		return p
	}
	var from, last actors.Place
	cursor := r.URL.Query().Get("cursor")
	if text, err := base64.RawURLEncoding.Strict().DecodeString(cursor); err != nil || cursor != "" && len(text) != len(from) {
		return route.BadCursor()
	} else {
		copy(from[:], text)
	}
	page, size := document.Groups{Groups: []document.GroupLine{}}, 0
	err := q.Engine.Groups(r.Context(), from, cursor != "", func(place actors.Place, g graph.Group) error {
		if len(page.Groups) == limit || size > maxPageBytes {
			page.Next = document.TextOrNull(base64.RawURLEncoding.EncodeToString(last[:]))
			return storage.ErrStop
		}
		for i := range g.Traits {
			size += len(g.Traits[i].Name) + len(g.Traits[i].Value)
		}
		page.Groups = append(page.Groups, document.GroupLine{GroupSummary: document.NewGroupSummary(&g), Traits: document.NewGroupTraits(&g)})
		last = place
		return nil
	})
	if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, page)
}

// groupRoutes are the routes about groups.
func (q *Queries) groupRoutes() []route.Route {
	engine := []document.Code{
		document.CodeBadParameter, document.CodeBusy, document.CodeShuttingDown, document.CodeEngineFailed, document.CodeShardLost, document.CodeTimeout,
	}
	one := append([]document.Code{document.CodeUnknownGroup, document.CodeInTransit}, engine...)
	typ := route.Parameter{Name: "type", Example: "company", Text: "groupType of the group's events; leave it out where they have none"}
	return []route.Route{
		{
			Method: "GET", Path: "/v1/groups", Handler: q.listGroups, Audience: route.Query, Scope: keyring.ReadProfiles, Timely: true,
			Summary: "List all groups, in pages", Notes: "Groups come in an order that means nothing.",
			Parameters: []route.Parameter{route.Limit(defaultGroups, maxGroups, "groups in a page; it also ends at about 8 MiB"), route.Cursor},
			Answers:    answer(document.Groups{}), Problems: engine,
		},
		{
			Method: "GET", Path: "/v1/groups/{id}", Handler: q.getGroup, Audience: route.Query, Scope: keyring.ReadProfiles, Timely: true,
			Summary: "Get a group, such as a company, by its groupId",
			Parameters: []route.Parameter{
				typ,
				{Name: "verbose", Type: "boolean", Default: "false", Text: "true: each trait with its value, its source and the time and id of the event that set it"},
				route.IfNoneMatch,
			},
			Answers: tagged(document.AnyGroup{}), Problems: one,
		},
		{
			Method: "GET", Path: "/v1/groups/{id}/members", Handler: q.getMembers, Audience: route.Query, Scope: keyring.ReadProfiles, Timely: true,
			Summary:    "List the people of a group, in pages",
			Notes:      "People come in an order that means nothing, each once. A page may be short, or empty, and not the last: go on until next is null.",
			Parameters: []route.Parameter{typ, route.Limit(defaultPage, maxPage, "people in a page"), route.Cursor, route.IfNoneMatch},
			Answers:    tagged(document.GroupMembers{}), Problems: one,
		},
	}
}
