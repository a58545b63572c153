package query

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// Segment's Profile API, read-only, so that a service that asks it needs another host and token alone. Any space is this
// deployment. Pages are those of the API's own routes with the cursor in the member "next"; problems have a member
// "error" beside those of RFC 9457.

// Bounds of one page.
const (
	defaultSegment = 10
	maxSegment     = 100
)

// segmentTraits answers …/traits?include=&exclude=&class=&verbose=&limit=&next=. An audience that the person is in is a trait that is
// true; it and a computed trait take the place of a trait of the same name.
func (q *Queries) segmentTraits(w http.ResponseWriter, r *http.Request) *route.Problem {
	verbose, p := route.BoolParameter(r, "verbose")
	if p != nil {
		return p
	}
	limit, after, p := segmentPlace(r, defaultTraits)
	if p != nil {
		return p
	}
	profile, standing, p := q.needShape(r, &document.Shape{Audiences: true, Computed: true})
	if p != nil {
		return p
	}
	traits, computed := segmentStanding(standing, r.URL.Query().Get("class"))
	if r.URL.Query().Get("class") == "" {
		for _, t := range profile.Traits {
			if _, taken := computed[t.Name]; !taken {
				traits = append(traits, t)
			}
		}
	}
	traits = slices.DeleteFunc(traits, func(t graph.TraitValue) bool { return !included(r, t.Name) })
	slices.SortFunc(traits, func(a, b graph.TraitValue) int { return strings.Compare(a.Name, b.Name) })
	traits, next := pageOfTraits(traits, after, limit)
	answer := document.SegmentTraits{Traits: document.Traits{}, Cursor: segmentCursor(r, limit, next)}
	for i := range traits {
		answer.Traits[traits[i].Name] = traits[i].Value
	}
	if verbose {
		return q.verboseTraits(w, r, &profile, traits, computed, answer)
	}
	return route.Send(w, answer)
}

// segmentStanding are the traits of a class that definitions make: all of them, if class is empty. computed has since when each is so, ms
// since 1970; 0 if that is not known.
func segmentStanding(s *audience.Standing, class string) (traits []graph.TraitValue, computed map[string]int64) {
	computed = map[string]int64{}
	if s == nil {
		return nil, computed
	}
	if class != "computed_trait" {
		for _, in := range s.Audiences {
			computed[in.Key] = in.Since
			traits = append(traits, graph.TraitValue{Name: in.Key, Value: []byte("true")})
		}
	}
	if class != "audience" {
		for i := range s.Computed {
			c := &s.Computed[i]
			computed[c.Key] = 0
			traits = append(traits, graph.TraitValue{Name: c.Key, Value: document.AppendValue(nil, &c.Value)})
		}
	}
	return traits, computed
}

// segmentSource is the source of traits that definitions make.
const segmentSource = "kindred"

// verboseTraits replaces the traits of an answer by objects with source and time.
func (q *Queries) verboseTraits(w http.ResponseWriter, r *http.Request, profile *graph.Profile, traits []graph.TraitValue, computed map[string]int64, answer document.SegmentTraits) *route.Problem {
	origins := document.NewTraitOrigins(traits)
	if err := q.Engine.EachEvent(r.Context(), profile, origins.Observe); err != nil {
		return route.EngineProblem(err)
	}
	for i := range traits {
		t := origins.Verbose(i)
		described := document.SegmentTrait{Value: t.Value, SourceID: string(t.Source), UpdatedAt: t.UpdatedAt}
		if since, ok := computed[traits[i].Name]; ok {
			if since == 0 {
				since = q.Engine.Now()
			}
			described.SourceID, described.UpdatedAt = segmentSource, document.NewTime(since)
		}
		text, err := json.Marshal(described)
		if err != nil {
			return &route.Problem{Code: document.CodeInternal}
		}
		answer.Traits[traits[i].Name] = text
	}
	return route.Send(w, answer)
}

// included reports whether the parameters include and exclude leave a name in.
func included(r *http.Request, name string) bool {
	query := r.URL.Query()
	in, out := query.Get("include"), query.Get("exclude")
	return (in == "" || slices.Contains(strings.Split(in, ","), name)) && (out == "" || !slices.Contains(strings.Split(out, ","), name))
}

// segmentIDs answers …/external_ids?include=&limit=&next=: the cursor is the public id of the last identifier.
func (q *Queries) segmentIDs(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, after, profile, p := q.segmentPage(r, maxSegment)
	if p != nil {
		return p
	}
	ids := slices.DeleteFunc(profile.Identifiers, func(id graph.ProfileIdentifier) bool {
		return id.Namespace == "" || !included(r, id.Namespace) || after != "" && id.Key.String() >= after
	})
	next := ""
	if len(ids) > limit {
		next = route.NewCursor(ids[limit-1].Key.String())
		ids = ids[:limit]
	}
	answer := document.SegmentExternalIDs{Data: []document.SegmentExternalID{}, Cursor: segmentCursor(r, limit, next)}
	for i := range ids {
		answer.Data = append(answer.Data, externalID(&ids[i].NodeName, ids[i].First, profile.Events > 0))
	}
	return route.Send(w, answer)
}

func externalID(name *graph.NodeName, at int64, seen bool) document.SegmentExternalID {
	id := document.SegmentExternalID{Collection: "users", Type: name.Namespace, ID: name.Value, Encoding: "none"}
	if seen && at != 0 {
		id.CreatedAt = document.TimeOrNull(document.NewTime(at))
	}
	return id
}

// segmentEvents answers …/events?include=&exclude=&start=&end=&limit=&next=: include and exclude name events.
func (q *Queries) segmentEvents(w http.ResponseWriter, r *http.Request) *route.Problem {
	if sort := r.URL.Query().Get("sort"); sort != "" && sort != "desc" {
		return route.NewProblem(document.CodeBadParameter, "sort: want desc, or nothing")
	}
	limit, p := route.LimitParameter(r, defaultSegment, maxSegment)
	if p != nil {
		return p
	}
	before, err := parseCursor(r.URL.Query().Get("next"))
	if err != nil {
		return route.BadCursor()
	}
	since, until, p := eventTimes(r, "start", "end")
	if p != nil {
		return p
	}
	profile, p := q.Need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	events, err := q.Engine.Timeline(r.Context(), profile.ID, actors.TimelineQuery{Before: before, Limit: limit + 1, Wanted: func(e *graph.Event) bool {
		return e.Stamp.Time >= since && e.Stamp.Time < until && included(r, string(e.Name))
	}})
	if err != nil {
		return route.EngineProblem(err)
	}
	next := ""
	if len(events) > limit {
		events = events[:limit]
		next = cursor(actors.PositionOf(&events[limit-1]))
	}
	answer := document.SegmentEvents{Data: []document.SegmentEvent{}, Cursor: segmentCursor(r, limit, next)}
	for i := range events {
		answer.Data = append(answer.Data, segmentEvent(&events[i]))
	}
	return route.Send(w, answer)
}

func segmentEvent(e *graph.Event) document.SegmentEvent {
	d := document.SegmentEvent{
		Type: e.Type.String(), Event: string(e.Name), MessageID: string(e.ID), SourceID: string(e.Source), Timestamp: document.NewTime(e.Stamp.Time),
		ExternalIDs: []document.SegmentExternalID{}, Properties: e.Properties, Context: e.Context,
	}
	for i := range e.Identifiers {
		id := &e.Identifiers[i]
		d.ExternalIDs = append(d.ExternalIDs, externalID(&graph.NodeName{Namespace: id.Namespace, Value: string(id.Value)}, 0, false))
	}
	for i := range e.Traits {
		if d.Traits == nil {
			d.Traits = document.Traits{}
		}
		value := e.Traits[i].Value
		if value == nil {
			value = []byte("null")
		}
		d.Traits[string(e.Traits[i].Name)] = value
	}
	return d
}

// segmentMetadata answers …/metadata.
func (q *Queries) segmentMetadata(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, p := q.Need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	answer := document.SegmentMetadata{SegmentID: profile.ID.String()}
	if profile.Events > 0 {
		answer.CreatedAt, answer.UpdatedAt = document.TimeOrNull(document.NewTime(profile.First)), document.TimeOrNull(document.NewTime(profile.Last))
	}
	return route.Send(w, answer)
}

// segmentLinks answers …/links?limit=&next=: the groups that the person's group events name, by id. The cursor is the id of
// the last group.
func (q *Queries) segmentLinks(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, after, profile, p := q.segmentPage(r, maxSegment)
	if p != nil {
		return p
	}
	groups, err := q.groupsOf(r.Context(), &profile)
	if err != nil {
		return route.EngineProblem(err)
	}
	names, next := pageOfGroups(groups, after, limit)
	answer := document.SegmentLinks{Data: []document.SegmentLink{}, Cursor: segmentCursor(r, limit, next)}
	for _, name := range names {
		account := document.SegmentExternalID{
			Collection: "accounts", Type: "group_id", ID: name.id, Encoding: "none", CreatedAt: document.TimeOrNull(document.NewTime(groups[name].first)),
		}
		answer.Data = append(answer.Data, document.SegmentLink{ToCollection: "accounts", ExternalIDs: []document.SegmentExternalID{account}})
	}
	return route.Send(w, answer)
}

// segmentPage reads what pages of parts of a profile have in common: the limit, the position of the cursor, the person.
func (q *Queries) segmentPage(r *http.Request, most int) (limit int, after string, profile graph.Profile, p *route.Problem) {
	if limit, after, p = segmentPlace(r, most); p != nil {
		return limit, after, profile, p
	}
	profile, p = q.Need(r.Context(), r.PathValue("id"))
	return limit, after, profile, p
}

// segmentPlace reads the limit and the position of the cursor.
func segmentPlace(r *http.Request, most int) (limit int, after string, p *route.Problem) {
	if limit, p = route.LimitParameter(r, defaultSegment, most); p != nil {
		return limit, after, p
	}
	after, p = route.PositionParameter(r, "next")
	return limit, after, p
}

// segmentCursor says where the next page is: at the same address with another next.
func segmentCursor(r *http.Request, limit int, next string) document.SegmentCursor {
	c := document.SegmentCursor{HasMore: next != "", Next: next, Limit: limit}
	if next != "" {
		query := r.URL.Query()
		query.Set("next", next)
		c.URL = (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: query.Encode()}).String()
	}
	return c
}

// segmentRoutes are the routes of Segment's Profile API.
func (q *Queries) segmentRoutes() []route.Route {
	include := []route.Parameter{
		{Name: "include", Text: "only these, with commas between"}, {Name: "exclude", Text: "all but these, with commas between"},
	}
	next := route.Parameter{Name: "next", Text: "next of the cursor of the page before"}
	one := func(part string, h route.Handler, summary string, d any, parameters ...route.Parameter) route.Route {
		rt := about("", h, summary, route.Route{Parameters: parameters, Answers: answer(d), ErrorMember: true, OtherParameters: true})
		rt.Path = "/v1/spaces/{space}/collections/users/profiles/{id}/" + part
		return rt
	}
	return []route.Route{
		one("traits", q.segmentTraits, "List traits as Segment's Profile API does", document.SegmentTraits{}, append(slices.Clone(include),
			route.Parameter{Name: "class", Enum: []string{"audience", "computed_trait"}, Text: "only the audiences that the person is in, or only computed traits; default: all traits"},
			route.Parameter{Name: "verbose", Type: "boolean", Default: "false", Text: "true: each with its source and time"},
			route.Limit(defaultSegment, defaultTraits, "traits in a page"), next)...),
		one("external_ids", q.segmentIDs, "List identifiers as Segment's Profile API does", document.SegmentExternalIDs{}, append(slices.Clone(include),
			route.Limit(defaultSegment, maxSegment, "identifiers in a page"), next)...),
		one("events", q.segmentEvents, "List events as Segment's Profile API does", document.SegmentEvents{}, append(slices.Clone(include),
			route.Parameter{Name: "start", Text: "only events of this time or later"}, route.Parameter{Name: "end", Text: "only events before this time"},
			route.Parameter{Name: "sort", Enum: []string{"desc"}, Text: "the newest first, which is the only order"},
			route.Limit(defaultSegment, maxSegment, "events in a page"), next)...),
		one("metadata", q.segmentMetadata, "Get metadata as Segment's Profile API does", document.SegmentMetadata{}),
		one("links", q.segmentLinks, "List accounts as Segment's Profile API does", document.SegmentLinks{},
			route.Limit(defaultSegment, maxSegment, "accounts in a page"), next),
	}
}
