package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// NameDocument is an identifier in an answer.
type NameDocument struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

// MarkDocument is an event that a link remembers.
type MarkDocument struct {
	Time      string `json:"time"` // RFC 3339
	MessageID string `json:"message_id"`
	Source    string `json:"source,omitempty"`
}

// ReasonDocument is one piece of evidence: an observed link, or an operator's force.
type ReasonDocument struct {
	A         NameDocument        `json:"a"`
	B         NameDocument        `json:"b"`
	Strength  string              `json:"strength"` // observe, identify, alias or force
	Events    uint64              `json:"events,omitempty"`
	First     *MarkDocument       `json:"first,omitempty"`
	Last      *MarkDocument       `json:"last,omitempty"`
	Assertion *AssertionDocument  `json:"assertion,omitempty"`
	Refused   *ConstraintDocument `json:"refused,omitempty"`
	Text      string              `json:"text"` // all of it as a sentence
}

// ConstraintDocument is what kept a link from conducting.
type ConstraintDocument struct {
	Kind      string             `json:"kind"` // limit, cannot, retract, forget, generic, full or elsewhere
	Namespace string             `json:"namespace,omitempty"`
	Max       int                `json:"max,omitempty"`
	Within    string             `json:"within,omitempty"`
	Assertion *AssertionDocument `json:"assertion,omitempty"`
	Node      *NameDocument      `json:"node,omitempty"`
}

// WhyDocument says whether and why two identifiers are one person.
type WhyDocument struct {
	Same bool             `json:"same"`
	A    NameDocument     `json:"a"`
	B    NameDocument     `json:"b"`
	Path []ReasonDocument `json:"path"`
	Text string           `json:"text"`
}

// NewWhyDocument tells an explanation about a and b.
func NewWhyDocument(a, b graph.NodeName, x *graph.Explanation) WhyDocument {
	d := WhyDocument{Same: x.Same, A: newName(a), B: newName(b), Path: NewReasonDocuments(x.Path)}
	refused := 0
	for i := range x.Path {
		if x.Path[i].Refused != nil {
			refused++
		}
	}
	switch {
	case x.Same && len(x.Path) == 0:
		d.Text = "They are the same identifier."
	case x.Same:
		d.Text = fmt.Sprintf("They are one person: %s.", count(len(x.Path), "link leads", "links lead")+" from one to the other")
	case len(x.Path) == 0:
		d.Text = "They are different people: no evidence connects them."
	default:
		d.Text = fmt.Sprintf("They are different people: evidence connects them, but %s.", count(refused, "link of it was refused", "links of it were refused"))
	}
	return d
}

// NewReasonDocuments tells pieces of evidence, in their order.
func NewReasonDocuments(reasons []graph.Reason) []ReasonDocument {
	list := make([]ReasonDocument, len(reasons))
	for i := range reasons {
		list[i] = newReason(&reasons[i])
	}
	return list
}

func newReason(r *graph.Reason) ReasonDocument {
	d := ReasonDocument{A: newName(r.A), B: newName(r.B), Strength: r.Verb.String(), Events: r.Count}
	if r.Assertion != nil {
		a := NewAssertionDocument(r.Assertion)
		d.Assertion = &a
	} else {
		d.First, d.Last = newMark(&r.First), newMark(&r.Last)
	}
	d.Text = d.sentence()
	if r.Refused != nil {
		d.Refused = newConstraint(r.Refused)
		d.Text += " Refused: " + d.Refused.sentence() + "."
	}
	return d
}

func newName(n graph.NodeName) NameDocument { return NameDocument{n.Namespace, n.Value} }

func (n NameDocument) String() string { return n.Namespace + ":" + n.Value }

func newMark(m *graph.Mark) *MarkDocument {
	return &MarkDocument{Time: formatTime(m.Stamp.Time), MessageID: string(m.ID), Source: string(m.Source)}
}

func newConstraint(c *graph.Constraint) *ConstraintDocument {
	d := &ConstraintDocument{Kind: c.Kind.String()}
	switch c.Kind {
	case graph.ConstraintLimit:
		d.Namespace, d.Max = c.Limit.Namespace, c.Limit.Max
		if c.Limit.Within > 0 {
			d.Within = c.Limit.Within.String()
		}
	case graph.ConstraintCannot, graph.ConstraintRetract, graph.ConstraintForget:
		a := NewAssertionDocument(&c.Assertion)
		d.Assertion = &a
	case graph.ConstraintGeneric, graph.ConstraintFull:
		n := newName(c.Node)
		d.Node = &n
	case graph.ConstraintCap:
		d.Max = c.Cap
	case graph.ConstraintElsewhere:
	}
	return d
}

var strengthPhrases = map[string]string{
	"observe": "were seen together", "identify": "were named together by an identify call", "alias": "were said to be one by an alias call",
}

func (d *ReasonDocument) sentence() string {
	if d.Assertion != nil {
		return fmt.Sprintf("%s and %s were joined by an operator%s.", d.A, d.B, d.Assertion.circumstances())
	}
	if d.Events == 1 {
		return fmt.Sprintf("%s and %s %s, in event %s of %s.", d.A, d.B, strengthPhrases[d.Strength], d.First.MessageID, d.First.Time)
	}
	return fmt.Sprintf("%s and %s %s, in %d events from %s to %s.", d.A, d.B, strengthPhrases[d.Strength], d.Events, d.First.Time, d.Last.Time)
}

func (d *ConstraintDocument) sentence() string {
	switch d.Kind {
	case "limit":
		if d.Within != "" {
			return fmt.Sprintf("one person would have more than %d %s within %s", d.Max, d.Namespace, d.Within)
		}
		return fmt.Sprintf("one person would have more than %d %s", d.Max, d.Namespace)
	case "cannot":
		return fmt.Sprintf("an operator said that %s and %s are different people%s", d.Assertion.A, d.Assertion.B, d.Assertion.circumstances())
	case "retract":
		return "an operator took the link back" + d.Assertion.circumstances()
	case "forget":
		return fmt.Sprintf("an operator took %s out of its identity%s", d.Assertion.A, d.Assertion.circumstances())
	case "generic":
		return fmt.Sprintf("%s is shared by too many to stand for one person", d.Node)
	case "cap":
		return fmt.Sprintf("one person would have more than %d identifiers", d.Max)
	case "full":
		return fmt.Sprintf("the component of %s is at its cap", d.Node)
	default:
		return "one end is on its way between shards"
	}
}

// circumstances is who made an assertion, when and why, as far as that was said.
func (d *AssertionDocument) circumstances() string {
	var b strings.Builder
	b.WriteString(" (" + d.At)
	if d.By != "" {
		b.WriteString(", " + d.By)
	}
	if d.Note != "" {
		b.WriteString(": " + d.Note)
	}
	b.WriteString(")")
	return b.String()
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func formatTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// getWhy answers GET /v1/profiles/{id}/why?with=ID.
func (s *Server) getWhy(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "with"); p != nil {
		return p
	}
	with := r.URL.Query().Get("with")
	if with == "" {
		return newProblem(CodeBadParameter, "with: the other id is missing").withHint("ask /v1/profiles/{id}/why?with={other id}")
	}
	a, _, problem := s.name(r.Context(), r.PathValue("id"), true)
	if problem != nil {
		return problem
	}
	b, _, problem := s.name(r.Context(), with, true)
	if problem != nil {
		if problem.code == CodeNotFound {
			problem.detail = "it is the id of \"with\" that is not known"
		}
		return problem
	}
	x, ok, err := s.Engine.Why(r.Context(), a.Key, b.Key)
	switch {
	case err != nil:
		return engineProblem(err)
	case !ok:
		return notFound()
	}
	return sendDocument(w, NewWhyDocument(a, b, &x))
}

// getHow answers GET /v1/profiles/{id}/how: the evidence that made the identity, in the order in
// which it was admitted.
func (s *Server) getHow(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	profile, problem := s.need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	steps, ok, err := s.Engine.How(r.Context(), profile.ID)
	switch {
	case err != nil:
		return engineProblem(err)
	case !ok: // a merge began in between
		return engineProblem(errInTransit)
	}
	return sendDocument(w, struct {
		ID    string           `json:"id"`
		Steps []ReasonDocument `json:"steps"`
	}{profile.ID.String(), NewReasonDocuments(steps)})
}

// sendDocument answers with a document of this package.
func sendDocument(w http.ResponseWriter, document any) *problem {
	body, err := json.Marshal(document)
	if err != nil {
		return &problem{code: CodeInternal, detail: "the answer can't be encoded"}
	}
	return sendJSON(w, append(body, '\n'))
}
