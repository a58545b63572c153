package query

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/audiencelang"
)

// getAudiences answers GET /v1/audiences.
func (q *Queries) getAudiences(w http.ResponseWriter, r *http.Request) *route.Problem {
	state := q.Engine.Audiences()
	d, err := AudiencesDocument(state)
	if err != nil {
		return &route.Problem{Code: document.CodeInternal}
	}
	if !state.AllTold() {
		return route.Send(w, d)
	}
	counts, err := q.Engine.MemberCounts(r.Context())
	if err != nil {
		return route.EngineProblem(err)
	}
	for i := range d.Audiences {
		a := &d.Audiences[i]
		if number, ok := state.Number(a.Key); ok && a.Serves {
			a.Members = document.CountOrNull(strconv.FormatInt(counts[number], 10))
		}
	}
	return route.Send(w, d)
}

// getAudienceMembers answers GET /v1/audiences/{key}/members?limit=&cursor=. The cursor is the shard and the id of the last member,
// so it goes on where it was while people enter and leave.
func (q *Queries) getAudienceMembers(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, p := route.LimitParameter(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	after, p := memberPlace(r)
	if p != nil {
		return p
	}
	key, state := r.PathValue("key"), q.Engine.Audiences()
	number, ok := state.Number(key)
	if !ok {
		return route.NewProblem(document.CodeUnknownAudience, "audience %q: no audience of this key serves", key)
	}
	now := q.Engine.Now()
	list, last, more, err := q.Engine.Members(r.Context(), number, after, limit)
	if err != nil {
		return route.EngineProblem(err)
	}
	d := document.AudienceMembers{Key: key, AsOf: document.NewTime(now), Complete: state.AllTold(), Members: []document.AudienceMember{}}
	for _, m := range list {
		d.Members = append(d.Members, document.AudienceMember{ID: m.ID.String(), Since: document.NewTime(m.Since)})
	}
	if more {
		d.Next = document.TextOrNull(route.NewCursor(fmt.Sprintf("%d/%s", last.Shard, last.ID)))
	}
	return route.Send(w, d)
}

// memberPlace reads the parameter cursor.
func memberPlace(r *http.Request) (after actors.MemberPlace, p *route.Problem) {
	position, p := route.CursorParameter(r)
	if p != nil || position == "" {
		return after, p
	}
	shard, id, _ := strings.Cut(position, "/")
	number, err := strconv.ParseUint(shard, 10, 16)
	if err == nil {
		after.ID, err = graph.ParseNodeKey(id)
	}
	if err != nil {
		return after, route.BadCursor()
	}
	after.Shard = graph.ShardID(number)
	return after, nil
}

// AudiencesDocument is the document of what is defined.
func AudiencesDocument(s *audiences.State) (document.Audiences, error) {
	d := document.Audiences{Audiences: []document.Audience{}}
	if s == nil {
		return d, nil
	}
	d.Version, d.Filled = s.Version, s.Filled
	for _, a := range s.Definitions.Newest {
		where, err := audience.Parse([]byte(a.Where))
		if err != nil {
			return d, err
		}
		d.Audiences = append(d.Audiences, document.Audience{
			Key: a.Key, Text: audiencelang.Format(where), Where: json.RawMessage(a.Where), Serves: s.Serves(&a), Members: "null",
		})
	}
	return d, nil
}

// getPersonAudiences answers GET /v1/profiles/{id}/audiences?why=true. They are evaluated as of now.
func (q *Queries) getPersonAudiences(w http.ResponseWriter, r *http.Request) *route.Problem {
	why, p := route.BoolParameter(r, "why")
	if p != nil {
		return p
	}
	profile, p := q.Need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	person, err := q.Engine.Person(r.Context(), profile.ID)
	if err != nil {
		return route.EngineProblem(err)
	}
	now := q.Engine.Now()
	if person == nil {
		return route.Send(w, document.PersonAudiences{ID: profile.ID.String(), AsOf: document.NewTime(now), Audiences: []document.PersonAudience{}})
	}
	return route.Send(w, newPersonAudiences(person, now, why))
}

// newPersonAudiences is the document of a person's audiences. With why, each has its reasons.
func newPersonAudiences(p *audiences.Person, now int64, why bool) document.PersonAudiences {
	d := document.PersonAudiences{ID: p.Profile.ID.String(), AsOf: document.NewTime(now), Version: p.State.Filled, Audiences: []document.PersonAudience{}}
	for _, m := range p.Memberships(now) {
		a := document.PersonAudience{Key: m.Key, In: m.Holds, Until: until(m.Until)}
		if reason, ok := p.Why(m.Key, now); ok && why {
			a.Why = appendConditions(nil, "", &reason)
		}
		d.Audiences = append(d.Audiences, a)
	}
	return d
}

// until is empty for what never changes.
func until(at int64) document.Time {
	if at == audience.Never {
		return ""
	}
	return document.NewTime(at)
}

// appendConditions appends a condition and those that it is made of, but for those of another audience.
func appendConditions(list []document.AudienceCondition, parent string, r *audience.Reason) []document.AudienceCondition {
	c := document.AudienceCondition{ID: r.ID, Parent: parent, Holds: r.Holds, Until: until(r.Until), AtLeast: r.AtLeast, Text: r.Text, Inexact: r.Inexact}
	if r.HasNumber {
		c.Number = &r.Number
	}
	for _, m := range r.Moments {
		c.Moments = append(c.Moments, document.NewTime(m.Time))
	}
	list = append(list, c)
	if r.Kind == audience.Member {
		return list
	}
	for i := range r.Children {
		list = appendConditions(list, r.ID, &r.Children[i])
	}
	return list
}
