package query

import (
	"encoding/binary"
	"net/http"
	"sync"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// scoresFresh is how long an answer with scores keeps its entity tag while nothing but time passes, in ms.
const scoresFresh = 60 * 60 * 1000

// getProfile answers GET /v1/profiles/{id}?scores=true&audiences=true&computed=true&fields=….
func (q *Queries) getProfile(w http.ResponseWriter, r *http.Request) *route.Problem {
	shape, p := q.shape(r)
	if p != nil {
		return p
	}
	profile, standing, p := q.needShape(r, &shape)
	if p != nil {
		return p
	}
	if shape.Scores != nil && route.Unchanged(w, r, "W/", q.scoredText(&shape, &profile, standing, r.URL.Query().Get("fields"))) {
		return nil
	}
	text := texts.Get().(*[]byte) //nolint:forcetypeassert // it has nothing else
	defer keepText(text)
	*text = append(shape.AppendStanding((*text)[:0], &profile, standing), '\n')
	if shape.Scores != nil {
		return route.SendJSON(w, *text)
	}
	return route.SendTagged(w, r, *text)
}

// needShape is the profile of the identity that an id names, with all that a shape has of it.
func (q *Queries) needShape(r *http.Request, shape *document.Shape) (profile graph.Profile, standing *audience.Standing, p *route.Problem) {
	switch {
	case shape.Standing() && q.Engine.Audiences() != nil:
		return q.needStanding(r)
	case shape.Scores != nil:
		profile, p = q.Need(r.Context(), r.PathValue("id"))
	default:
		profile, p = q.NeedOutline(r.Context(), r.PathValue("id"))
	}
	return profile, nil, p
}

// needStanding is the profile of the identity that an id names, with what definitions say of it at the same moment.
func (q *Queries) needStanding(r *http.Request) (profile graph.Profile, standing *audience.Standing, p *route.Problem) {
	name, err := lookup.ParseID(q.Registry, r.PathValue("id"))
	if err != nil {
		return profile, nil, route.IDProblem(err)
	}
	person, err := q.Engine.Person(r.Context(), name.Key)
	if err != nil {
		return profile, nil, route.EngineProblem(err)
	}
	if standing, err = q.Engine.Standing(r.Context(), person, q.Engine.Now()); err != nil {
		return profile, nil, route.EngineProblem(err)
	}
	return *person.Profile, standing, nil
}

// texts are the memory of answers about one person. An answer is written before its handler returns, and a
// http.ResponseWriter keeps nothing of it, so the next request may write over it.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// textKept bounds the memory of an answer that is kept: large profiles are rare.
const textKept = 64 << 10

func keepText(text *[]byte) {
	if cap(*text) <= textKept {
		texts.Put(text)
	}
}

// shape is what a request about one person, or a few, asks for.
func (q *Queries) shape(r *http.Request) (document.Shape, *route.Problem) {
	shape, p := route.Shape(r, q.Scores, q.Control)
	shape.Detail = true
	if shape.Scores != nil {
		shape.Now = q.Engine.Now()
	}
	return shape, p
}

// scoredText is what the tag of an answer with scores is made of: all that scores follow from. That is the person's
// events, which the profile counts, the parameters, and the hour: scores age by the moment, but hardly within an hour.
// So the tag is a weak one, and 304 says that the scores of an hour ago at most will do.
func (q *Queries) scoredText(shape *document.Shape, profile *graph.Profile, standing *audience.Standing, fields string) []byte {
	whole := document.Shape{Detail: true, Control: shape.Control, Audiences: shape.Audiences, Computed: shape.Computed}
	text := append(whole.AppendStanding(nil, profile, standing), fields...)
	text = binary.BigEndian.AppendUint64(text, shape.Scores.Parameters().Version)
	return binary.BigEndian.AppendUint64(text, uint64(shape.Now/scoresFresh)) //nolint:gosec // after 1970
}
