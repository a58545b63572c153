package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/api/document"
)

// getProfile answers GET /v1/profiles/{id}?scores=true. Scores age by the moment, so with them every answer has another
// entity tag.
func (s *Server) getProfile(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "scores"); p != nil {
		return p
	}
	switch withScores, p := s.scoresParameter(r); {
	case p != nil:
		return p
	case withScores:
		return s.getScored(w, r)
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	body := append(document.AppendProfile(nil, &profile, s.Control), '\n')
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	return sendJSON(w, body)
}

// scoresParameter reads the parameter scores, which asks for them.
func (s *Server) scoresParameter(r *http.Request) (bool, *problem) {
	switch r.URL.Query().Get("scores") {
	case "", "false":
		return false, nil
	case "true":
		if s.Scores == nil {
			return false, newProblem(document.CodeBadParameter, "scores: this server computes none")
		}
		return true, nil
	default:
		return false, newProblem(document.CodeBadParameter, "scores: want true or false")
	}
}

// getScored answers GET /v1/profiles/{id}?scores=true.
func (s *Server) getScored(w http.ResponseWriter, r *http.Request) *problem {
	profile, scores, problem := s.needScored(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return sendJSON(w, append(document.AppendScored(nil, &profile, &scores, s.Control), '\n'))
}

// matches tells whether a list of entity tags holds tag, weakly compared.
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
func (s *Server) getIdentifiers(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return sendJSON(w, append(document.AppendIdentifiers(nil, &profile), '\n'))
}

// getOrders answers GET /v1/profiles/{id}/orders: the newest first.
func (s *Server) getOrders(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	return sendJSON(w, append(document.AppendOrders(nil, &profile), '\n'))
}

func sendJSON(w http.ResponseWriter, body []byte) *problem {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	_, _ = w.Write(body) // the client has gone: nobody to tell
	return nil
}

// onlyParameters refuses query parameters that a route doesn't have: a misspelt one would be
// ignored in silence.
func onlyParameters(r *http.Request, known ...string) *problem {
	for name := range r.URL.Query() {
		if slices.Contains(known, name) {
			continue
		}
		p := newProblem(document.CodeBadParameter, "the route has no parameter of this name")
		if len(known) > 0 {
			return p.withHint("it has: " + strings.Join(known, ", "))
		}
		return p.withHint("it has none")
	}
	return nil
}
