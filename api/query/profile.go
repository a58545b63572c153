package query

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// getProfile answers GET /v1/profiles/{id}?scores=true.
//
// The entity tag is a hash of the answer, so it costs the look-up and saves the transfer alone. It could be cheaper as
// the number of the commit that changed the profile; but then each event of a component would change the tags of all
// people in it. Scores age by the moment: with them every answer would have another tag, so it has none.
func (q *Queries) getProfile(w http.ResponseWriter, r *http.Request) *route.Problem {
	switch withScores, p := route.ScoresParameter(r, q.Scores != nil); {
	case p != nil:
		return p
	case withScores:
		return q.getScored(w, r)
	}
	profile, problem := q.Need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	body := append(document.AppendProfile(nil, &profile, q.Control), '\n')
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return route.SendJSON(w, body)
}

// getScored answers GET /v1/profiles/{id}?scores=true.
func (q *Queries) getScored(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, scores, problem := q.needScored(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return route.SendJSON(w, append(document.AppendScored(nil, &profile, &scores, q.Control), '\n'))
}

// matches reports whether a list of entity tags holds tag, weakly compared.
func matches(lists []string, tag string) bool {
	for _, list := range lists {
		for candidate := range strings.SplitSeq(list, ",") {
			candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
			if candidate == "*" || candidate == tag {
				return true
			}
		}
	}
	return false
}

// getIdentifiers answers GET /v1/profiles/{id}/identifiers.
func (q *Queries) getIdentifiers(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, problem := q.Need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return route.SendJSON(w, append(document.AppendIdentifiers(nil, &profile), '\n'))
}

// getOrders answers GET /v1/profiles/{id}/orders: the newest first.
func (q *Queries) getOrders(w http.ResponseWriter, r *http.Request) *route.Problem {
	profile, problem := q.Need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return route.SendJSON(w, append(document.AppendOrders(nil, &profile), '\n'))
}
