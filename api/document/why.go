package document

import (
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Why reports whether two identifiers are one person, and why.
type Why struct {
	Same bool     `json:"same"`
	A    Name     `json:"a"`
	B    Name     `json:"b"`
	Path []Reason `json:"path"` // the evidence that leads from a to b, refused links included
	Text string   `json:"text"` // the answer as a sentence
}

// How is the evidence that made a person, in the order in which it was admitted.
type How struct {
	ID    string   `json:"id"` // public id of the person
	Steps []Reason `json:"steps"`
}

// Name is an identifier: a namespace, and a value as the namespace normalises it.
type Name struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

// Reason is one piece of evidence: an observed link, or an operator's force.
type Reason struct {
	A         Name        `json:"a"`
	B         Name        `json:"b"`
	Strength  string      `json:"strength" jsonschema:"enum=observe,enum=identify,enum=alias,enum=force"`
	Events    uint64      `json:"events,omitempty"`    // events that named both
	First     *Mark       `json:"first,omitempty"`     // the first of them
	Last      *Mark       `json:"last,omitempty"`      // the last of them
	Assertion *Assertion  `json:"assertion,omitempty"` // the operator's force
	Refused   *Constraint `json:"refused,omitempty"`   // what kept the link from conducting
	Text      string      `json:"text"`                // all of it as a sentence
}

// Mark is an event that a link remembers.
type Mark struct {
	Time      Time   `json:"time"`
	MessageID string `json:"message_id"`
	Source    string `json:"source,omitempty"` // the system that sent it
}

// Constraint is what kept a link from conducting.
type Constraint struct {
	Kind      string     `json:"kind" jsonschema:"enum=limit,enum=cannot,enum=retract,enum=forget,enum=generic,enum=full,enum=elsewhere,enum=cap,enum=reading"`
	Namespace string     `json:"namespace,omitempty"` // of a limit
	Max       int        `json:"max,omitempty"`       // of a limit or cap: identifiers that one person may have
	Within    string     `json:"within,omitempty"`    // of a limit: its window, as a Go duration such as 720h0m0s
	Assertion *Assertion `json:"assertion,omitempty"` // the operator's cannot, retract or forget
	Node      *Name      `json:"node,omitempty"`      // the generic value, or an identifier of the full component
}

// NewWhy is the document of an explanation about a and b.
// The text has four forms: one identifier, one person, no evidence at all, and evidence of which some was refused.
func NewWhy(a, b graph.NodeName, x *graph.Explanation) Why {
	d := Why{Same: x.Same, A: newName(a), B: newName(b), Path: NewReasons(x.Path)}
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

// NewReasons are the documents of pieces of evidence, in their order.
func NewReasons(reasons []graph.Reason) []Reason {
	list := make([]Reason, len(reasons))
	for i := range reasons {
		list[i] = newReason(&reasons[i])
	}
	return list
}

func newReason(r *graph.Reason) Reason {
	d := Reason{A: newName(r.A), B: newName(r.B), Strength: r.Verb.String(), Events: r.Count}
	if r.Assertion != nil {
		a := NewAssertion(r.Assertion)
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

// newName is the document of an identifier.
func newName(n graph.NodeName) Name { return Name{n.Namespace, n.Value} }

func (n Name) String() string { return n.Namespace + ":" + n.Value }

func newMark(m *graph.Mark) *Mark {
	return &Mark{Time: NewTime(m.Stamp.Time), MessageID: string(m.ID), Source: string(m.Source)}
}

func newConstraint(c *graph.Constraint) *Constraint {
	d := &Constraint{Kind: c.Kind.String()}
	switch c.Kind {
	case graph.ConstraintLimit:
		d.Namespace, d.Max = c.Limit.Namespace, c.Limit.Max
		if c.Limit.Within > 0 {
			d.Within = c.Limit.Within.String()
		}
	case graph.ConstraintCannot, graph.ConstraintRetract, graph.ConstraintForget:
		a := NewAssertion(&c.Assertion)
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

// strengthPhrases say how a link was seen. A force has a sentence of its own, as it has an operator and no events.
var strengthPhrases = map[string]string{
	"observe": "were seen together", "identify": "were named together by an identify call", "alias": "were said to be one by an alias call",
}

func (d *Reason) sentence() string {
	if d.Assertion != nil {
		return fmt.Sprintf("%s and %s were joined by an operator%s.", d.A, d.B, d.Assertion.circumstances())
	}
	if d.Events == 1 {
		return fmt.Sprintf("%s and %s %s, in event %s of %s.", d.A, d.B, strengthPhrases[d.Strength], d.First.MessageID, d.First.Time)
	}
	return fmt.Sprintf("%s and %s %s, in %d events from %s to %s.", d.A, d.B, strengthPhrases[d.Strength], d.Events, d.First.Time, d.Last.Time)
}

func (d *Constraint) sentence() string {
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

// circumstances says when an assertion was made, and by whom and why if that was given.
func (d *Assertion) circumstances() string {
	var b strings.Builder
	b.WriteString(" (" + string(d.At))
	if d.By != "" {
		b.WriteString(", " + d.By)
	}
	if d.Note != "" {
		b.WriteString(": " + d.Note)
	}
	b.WriteString(")")
	return b.String()
}

// count writes a number with the noun phrase that agrees with it.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
