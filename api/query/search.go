package query

import (
	"errors"
	"net/http"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of one page of people, and SearchesAtOnce bounds the pages that are made at one time: each reads many people.
const (
	SearchesAtOnce = 2

	defaultPeople = 50
	maxPeople     = 1000
)

var searchParameters = []route.Parameter{
	{Name: "q", Text: "people with an identifier, or one of the traits email, name, firstName, lastName, phone and username, that begins so, whatever the case; a later word of a trait may begin so, too"},
	{Name: "identifier", Text: "people with an identifier that begins so, such as email:ann; give it again for another condition"},
	{Name: "trait", Text: "people with a trait that begins so, such as city:Ghe; give it again for another condition"},
	{Name: "seen_since", Text: "people whose last event is of this time or later, such as 2026-01-31T09:30:00Z"},
	{Name: "seen_until", Text: "people whose last event is before this time"},
	{Name: "identifiers", Enum: []string{"all"}, Text: "all: people without an event as well"},
	route.Fields,
	route.Limit(defaultPeople, maxPeople, "people in a page"), route.Cursor,
}

// search answers GET /v1/profiles?q=&identifier=&trait=&seen_since=&seen_until=&fields=&limit=&cursor=.
//
// There is no index of traits: one would cost at every event what few ever ask for. So a page reads people in the order
// of their rows until it is full, or its bound of time or number is reached, and says where the next one goes on.
func (q *Queries) search(w http.ResponseWriter, r *http.Request) *route.Problem {
	shape, p := route.Shape(r, nil, q.Control)
	if p == nil {
		p = route.NoStanding(&shape)
	}
	if p != nil {
		return p
	}
	shape.Detail = true
	limit, p := route.LimitParameter(r, defaultPeople, maxPeople)
	if p != nil {
		return p
	}
	wanted, p := newPeopleFilter(r)
	if p != nil {
		return p
	}
	empty, p := route.EmptyParameter(r)
	if p != nil {
		return p
	}
	if !q.Searches.TryAcquire(1) {
		return &route.Problem{Code: document.CodeBusy, Detail: "other searches are running", RetryAfter: route.RetryAfterBusy}
	}
	defer q.Searches.Release(1)
	page := document.People{Profiles: []document.Encoded[document.AnyProfile]{}}
	size := 0
	walk := lookup.Walk{Cursor: r.URL.Query().Get("cursor"), Limit: limit, Empty: empty, Wanted: wanted.wants}
	walk.Each = func(_ *graph.Component, profile *graph.Profile) error {
		text := shape.Append(nil, profile)
		page.Profiles = append(page.Profiles, text)
		if size += len(text); size > maxPageBytes {
			walk.Limit = 0 // the page is full
		}
		return nil
	}
	next, err := q.Run(r.Context(), &walk)
	if errors.Is(err, lookup.ErrCursor) {
		return route.BadCursor()
	}
	if err != nil {
		return route.EngineProblem(err)
	}
	page.Next, page.Read = document.TextOrNull(next), walk.Read
	return route.Send(w, page)
}
