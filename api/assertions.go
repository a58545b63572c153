package api

import (
	"context"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of what an operator says with an assertion, in bytes.
const (
	maxNote = 1000
	maxBy   = 200
)

// postAssertion answers POST /v1/assertions.
func (s *Server) postAssertion(w http.ResponseWriter, r *http.Request) *problem {
	var ask document.AssertionRequest
	if p := readJSON(w, r, &ask); p != nil {
		return p
	}
	answer, p := s.assert(r.Context(), &ask)
	if p != nil {
		return p
	}
	return sendDocument(w, answer)
}

var assertionVerbs = map[string]graph.AssertionVerb{
	"force": graph.AssertForce, "cannot": graph.AssertCannot, "retract": graph.AssertRetract, "forget": graph.AssertForget,
}

func (s *Server) assert(ctx context.Context, ask *document.AssertionRequest) (*document.AssertionAnswer, *problem) {
	a := graph.Assertion{Verb: assertionVerbs[ask.Verb], Withdrawn: ask.Withdraw, By: ask.By, Note: ask.Note}
	switch {
	case a.Verb == 0:
		return nil, newProblem(document.CodeBadAssertion, "verb: want force, cannot, retract or forget")
	case ask.A == "":
		return nil, newProblem(document.CodeBadAssertion, "a: the id is missing")
	case ask.B == "" && a.Verb != graph.AssertForget:
		return nil, newProblem(document.CodeBadAssertion, "b: the id is missing").withHint("the verb is about two identifiers: name the other one")
	case ask.B != "" && a.Verb == graph.AssertForget:
		return nil, newProblem(document.CodeBadAssertion, "b: forget is about one identifier").withHint("leave b out; to undo one link, use retract")
	case !isNote(ask.Note, maxNote):
		return nil, newProblem(document.CodeBadAssertion, "note: want at most %d bytes of text", maxNote)
	case !isNote(ask.By, maxBy):
		return nil, newProblem(document.CodeBadAssertion, "by: want at most %d bytes of text", maxBy)
	}
	answer := &document.AssertionAnswer{DryRun: ask.DryRun}
	var known bool
	var p *problem
	if a.A, known, p = s.name(ctx, ask.A, a.Verb == graph.AssertForget); p != nil {
		return nil, p
	}
	if !known {
		answer.Warnings = append(answer.Warnings, unseen(&a.A))
	}
	if a.Verb != graph.AssertForget {
		if a.B, known, p = s.name(ctx, ask.B, false); p != nil {
			return nil, p
		}
		if !known {
			answer.Warnings = append(answer.Warnings, unseen(&a.B))
		}
		if a.A.Key == a.B.Key {
			return nil, &problem{code: document.CodeSameIdentifier}
		}
		if a.B.Key.Outranks(a.A.Key) {
			a.A, a.B = a.B, a.A
		}
	}
	a.At = s.Engine.Now()
	if p := s.contradictions(ctx, &a); p != nil {
		return nil, p
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, &problem{code: document.CodeInternal, detail: "no random numbers for an id"}
	}
	a.ID = id.String()
	s.awaitVisible(ctx) // what is on its way between shards may be about the same people
	before, after, err := s.Engine.Preview(ctx, a)
	if err != nil {
		return nil, engineProblem(err)
	}
	if !ask.DryRun {
		if err := s.Engine.Assert(ctx, a); err != nil {
			return nil, engineProblem(err)
		}
		s.awaitVisible(ctx)
		if after, err = s.holders(ctx, &a); err != nil { // what a read gives from now on
			return nil, engineProblem(err)
		}
	}
	answer.Assertion = document.NewAssertion(&a)
	answer.Before, answer.After = s.documents(before), s.documents(after)
	return answer, nil
}

// holders reads the identities that hold what an assertion is about, each once.
func (s *Server) holders(ctx context.Context, a *graph.Assertion) (profiles []graph.Profile, err error) {
	for _, key := range []graph.NodeKey{a.A.Key, a.B.Key} {
		if key.IsZero() { // forget is about one
			continue
		}
		p, ok, err := s.Engine.Profile(ctx, key)
		if err != nil {
			return nil, err
		}
		if ok && !slices.ContainsFunc(profiles, func(q graph.Profile) bool { return q.ID == p.ID }) {
			profiles = append(profiles, p)
		}
	}
	return profiles, nil
}

// unseen warns about an identifier that no event named yet. It names it, because a and b of the answer are in the order
// of rank and not as the request has them.
func unseen(name *graph.NodeName) string {
	return name.Namespace + ":" + name.Value + " was not seen in any event yet: the assertion waits for it"
}

func (s *Server) documents(profiles []graph.Profile) []document.Encoded[document.Profile] {
	list := make([]document.Encoded[document.Profile], len(profiles))
	for i := range profiles {
		list[i] = document.AppendProfile(nil, &profiles[i], s.Control)
	}
	return list
}

func isNote(text string, most int) bool { return len(text) <= most && utf8.ValidString(text) }

// name finds the identifier that an id names: the node itself, not the head of its identity. known
// tells whether it was ever seen. A public id has to be known, as has any when that is needed.
func (s *Server) name(ctx context.Context, id string, needed bool) (name graph.NodeName, known bool, p *problem) {
	name, err := parseID(s.Registry, id)
	if err != nil {
		return name, false, idProblem(err)
	}
	profile, known, err := s.profile(ctx, name.Key)
	switch {
	case err != nil:
		return name, false, engineProblem(err)
	case !known && (needed || name.Namespace == ""):
		return name, false, notFound()
	case name.Namespace == "":
		i := slices.IndexFunc(profile.Identifiers, func(i graph.ProfileIdentifier) bool { return i.Key == name.Key })
		if i < 0 || profile.Identifiers[i].Namespace == "" {
			return name, false, engineProblem(errInTransit)
		}
		name = profile.Identifiers[i].NodeName
	}
	return name, known, nil
}

// contradictions tells what of the assertions that hold stands against a, and makes a newer than
// the one that it replaces, whatever the clock did.
func (s *Server) contradictions(ctx context.Context, a *graph.Assertion) *problem {
	held, err := s.assertionsAbout(ctx, a.A.Key)
	if err != nil {
		return engineProblem(err)
	}
	replaces := false
	for i := range held {
		old := &held[i]
		if old.A.Key != a.A.Key || old.B.Key != a.B.Key {
			continue
		}
		if a.Verb == graph.AssertForce && !a.Withdrawn && old.Verb == graph.AssertCannot && !old.Withdrawn {
			return newProblem(document.CodeContradiction, "a cannot about the same two identifiers holds, and is stronger than a force (its id is %s)", old.ID).
				withHint(`withdraw the cannot first: {"verb":"cannot","a":…,"b":…,"withdraw":true}`)
		}
		if old.Verb == a.Verb {
			replaces = !old.Withdrawn
			a.At = max(a.At, old.At+1)
		}
	}
	if a.Withdrawn && !replaces {
		return &problem{code: document.CodeUnknownAssertion}
	}
	return nil
}

// assertionsAbout lists the assertions of the component that holds a node, withdrawn ones included.
func (s *Server) assertionsAbout(ctx context.Context, key graph.NodeKey) ([]graph.Assertion, error) {
	var list []graph.Assertion
	found, err := s.see(ctx, key, func(c *graph.Component) bool {
		list = slices.Clone(c.Evidence().Assertions)
		return true
	})
	if err != nil || !found {
		return nil, err
	}
	return list, nil
}

// getAssertions answers GET /v1/profiles/{id}/assertions: those about the identity's identifiers.
func (s *Server) getAssertions(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	profile, p := s.need(r.Context(), r.PathValue("id"))
	if p != nil {
		return p
	}
	held, err := s.assertionsAbout(r.Context(), profile.ID)
	if err != nil {
		return engineProblem(err)
	}
	list := []document.Assertion{}
	for i := range held {
		a := &held[i]
		if slices.ContainsFunc(profile.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Key == a.A.Key || id.Key == a.B.Key }) {
			list = append(list, document.NewAssertion(a))
		}
	}
	return sendDocument(w, document.Assertions{ID: profile.ID.String(), Assertions: list})
}
