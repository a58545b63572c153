package admin

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of the texts of an assertion, in bytes.
const (
	maxNote = 1000
	maxBy   = 200
)

// postAssertion answers POST /v1/assertions.
func (ad *Admin) postAssertion(w http.ResponseWriter, r *http.Request) *route.Problem {
	var ask document.AssertionRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	id, err := uuid.NewV7()
	if err != nil {
		return &route.Problem{Code: document.CodeInternal, Detail: "no random numbers for an id"}
	}
	key, p := idempotencyKey(r)
	if p != nil {
		return p
	}
	if key != "" && !ask.DryRun {
		return ad.assertOnce(w, r, key, &ask, id.String())
	}
	answer, p := ad.assert(r.Context(), &ask, mark{id: id.String()})
	if p != nil {
		return p
	}
	return route.Send(w, answer)
}

// mark is what makes an assertion one: the same mark twice is one assertion.
type mark struct {
	id string
	at int64 // ms since 1970; 0: when the assertion is made
}

var assertionVerbs = map[string]graph.AssertionVerb{
	"force": graph.AssertForce, "cannot": graph.AssertCannot, "retract": graph.AssertRetract, "forget": graph.AssertForget,
}

// assert checks an assertion, finds what it changes, and makes it unless it is a dry run. The order of the steps
// matters:
//
//   - The request alone is checked first, so that a refusal costs no look-up.
//   - Names come next, and the pair in the order of rank: an assertion about (a, b) is the one about (b, a).
//   - Contradictions need what is held about a.
//   - The preview comes before the assertion, as nobody could tell afterwards what was before. It waits for evidence
//     that is on its way between shards.
//   - After the assertion the profiles are read again, once it is visible: the preview is only what it would do to the
//     components as they were.
func (ad *Admin) assert(ctx context.Context, ask *document.AssertionRequest, m mark) (*document.AssertionAnswer, *route.Problem) {
	a := graph.Assertion{ID: m.id, At: m.at, Verb: assertionVerbs[ask.Verb], Withdrawn: ask.Withdraw, By: ask.By, Note: ask.Note}
	switch {
	case a.Verb == 0:
		return nil, route.NewProblem(document.CodeBadAssertion, "verb: want force, cannot, retract or forget")
	case ask.A == "":
		return nil, route.NewProblem(document.CodeBadAssertion, "a: the id is missing")
	case ask.B == "" && a.Verb != graph.AssertForget:
		return nil, route.NewProblem(document.CodeBadAssertion, "b: the id is missing").WithHint("the verb is about two identifiers: name the other one")
	case ask.B != "" && a.Verb == graph.AssertForget:
		return nil, route.NewProblem(document.CodeBadAssertion, "b: forget is about one identifier").WithHint("leave b out; to undo one link, use retract")
	case !isNote(ask.Note, maxNote):
		return nil, route.NewProblem(document.CodeBadAssertion, "note: want at most %d bytes of text", maxNote)
	case !isNote(ask.By, maxBy):
		return nil, route.NewProblem(document.CodeBadAssertion, "by: want at most %d bytes of text", maxBy)
	}
	answer := &document.AssertionAnswer{DryRun: ask.DryRun}
	var known bool
	var p *route.Problem
	if a.A, known, p = ad.Name(ctx, ask.A, a.Verb == graph.AssertForget); p != nil {
		return nil, p
	}
	if !known {
		answer.Warnings = append(answer.Warnings, unseen(&a.A))
	}
	if a.Verb != graph.AssertForget {
		if a.B, known, p = ad.Name(ctx, ask.B, false); p != nil {
			return nil, p
		}
		if !known {
			answer.Warnings = append(answer.Warnings, unseen(&a.B))
		}
		if a.A.Key == a.B.Key {
			return nil, &route.Problem{Code: document.CodeSameIdentifier}
		}
		if a.B.Key.Outranks(a.A.Key) {
			a.A, a.B = a.B, a.A
		}
	}
	if a.At == 0 {
		a.At = ad.Engine.Now()
	}
	if p := ad.contradictions(ctx, &a); p != nil {
		return nil, p
	}
	ad.AwaitVisible(ctx) // evidence on its way between shards may be about the same people
	before, after, err := ad.Engine.Preview(ctx, a)
	if err != nil {
		return nil, route.EngineProblem(err)
	}
	if !ask.DryRun {
		if err := ad.Engine.Assert(ctx, a); err != nil {
			return nil, route.EngineProblem(err)
		}
		ad.AwaitVisible(ctx)
		if after, err = ad.holders(ctx, &a); err != nil { // as reads see them from now on
			return nil, route.EngineProblem(err)
		}
	}
	answer.Assertion = document.NewAssertion(&a)
	answer.Before, answer.After = ad.documents(before), ad.documents(after)
	return answer, nil
}

// holders reads the identities that hold the identifiers of an assertion, each once.
func (ad *Admin) holders(ctx context.Context, a *graph.Assertion) (profiles []graph.Profile, err error) {
	for _, key := range []graph.NodeKey{a.A.Key, a.B.Key} {
		if key.IsZero() { // forget is about one
			continue
		}
		p, err := ad.Engine.Profile(ctx, key)
		switch {
		case errors.Is(err, actors.ErrUnknown), errors.Is(err, actors.ErrInTransit): // the assertion is durable all the same
			continue
		case err != nil:
			return nil, err
		}
		if !slices.ContainsFunc(profiles, func(q graph.Profile) bool { return q.ID == p.ID }) {
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

// documents are profiles as the API shows them, with their membership of the control group.
func (ad *Admin) documents(profiles []graph.Profile) []document.Encoded[document.Profile] {
	list := make([]document.Encoded[document.Profile], len(profiles))
	for i := range profiles {
		list[i] = document.AppendProfile(nil, &profiles[i], ad.Control)
	}
	return list
}

// isNote reports whether a text may be stored with an assertion: bounded, and in UTF-8, since it is shown again as
// JSON.
func isNote(text string, most int) bool { return len(text) <= most && utf8.ValidString(text) }

// contradictions reports a problem if an assertion that holds contradicts a. It makes a newer than the assertion that
// a replaces, even if the clock went back: of two assertions with the same verb and pair the newer one counts.
//
// Two operators who assert at the same moment may both pass. The cannot then wins over the force in every order, by
// the rules of evidence, so the check is a courtesy and no invariant rests on it.
func (ad *Admin) contradictions(ctx context.Context, a *graph.Assertion) *route.Problem {
	held, err := ad.Assertions(ctx, a.A.Key)
	if err != nil {
		return route.EngineProblem(err)
	}
	replaces := false
	for i := range held {
		old := &held[i]
		if old.A.Key != a.A.Key || old.B.Key != a.B.Key {
			continue
		}
		if old.ID == a.ID { // made before, and cut off from its answer
			a.At = old.At
			return nil
		}
		if a.Verb == graph.AssertForce && !a.Withdrawn && old.Verb == graph.AssertCannot && !old.Withdrawn {
			return route.NewProblem(document.CodeContradiction, "a cannot about the same two identifiers holds, and is stronger than a force (its id is %s)", old.ID).
				WithHint(`withdraw the cannot first: {"verb":"cannot","a":…,"b":…,"withdraw":true}`)
		}
		if old.Verb == a.Verb {
			replaces = !old.Withdrawn
			a.At = max(a.At, old.At+1)
		}
	}
	if a.Withdrawn && !replaces {
		return &route.Problem{Code: document.CodeUnknownAssertion}
	}
	return nil
}
