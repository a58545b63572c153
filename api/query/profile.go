package query

import (
	"encoding/binary"
	"net/http"
	"sync"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// scoresFresh is how long an answer with scores keeps its entity tag while nothing but time passes, in ms.
const scoresFresh = 60 * 60 * 1000

// getProfile answers GET /v1/profiles/{id}?scores=true&fields=….
func (q *Queries) getProfile(w http.ResponseWriter, r *http.Request) *route.Problem {
	shape, p := q.shape(r)
	if p != nil {
		return p
	}
	need := q.NeedOutline
	if shape.Scores != nil {
		need = q.Need
	}
	profile, p := need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	if shape.Scores != nil && route.Unchanged(w, r, "W/", q.scoredText(&shape, &profile, r.URL.Query().Get("fields"))) {
		return nil
	}
	text := texts.Get().(*[]byte) //nolint:forcetypeassert // it has nothing else
	defer keepText(text)
	*text = append(shape.Append((*text)[:0], &profile), '\n')
	if shape.Scores != nil {
		return route.SendJSON(w, *text)
	}
	return route.SendTagged(w, r, *text)
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
func (q *Queries) scoredText(shape *document.Shape, profile *graph.Profile, fields string) []byte {
	text := append(document.AppendProfile(nil, profile, shape.Control), fields...)
	text = binary.BigEndian.AppendUint64(text, shape.Scores.Parameters().Version)
	return binary.BigEndian.AppendUint64(text, uint64(shape.Now/scoresFresh)) //nolint:gosec // after 1970
}
