package audience

import "github.com/kindred-id/kindred/graph/signal"

// Reason says of one condition why it holds or not.
type Reason struct {
	ID    string // of the condition
	Kind  Kind
	Name  string // of a Member, the key of the other audience
	Holds bool
	Until int64 // Never; see Answer
	// HasNumber is set if Number was compared: events, values or orders, ten-thousandths of a sum, minor units of money.
	// AtLeast is set if there may be more than Number, because no more are remembered.
	HasNumber bool
	AtLeast   bool
	Number    int64
	HasText   bool // Text was compared
	Text      string
	Moments   []signal.Moment // of the events that count, at most ReasonMoments
	Inexact   bool            // older events than those that are remembered might make it hold
	Children  []Reason
}

// ReasonMoments bounds the moments of a reason.
const ReasonMoments = 10

// Explain evaluates an audience, and says of every condition why it holds or not.
func (e *Evaluation) Explain(number int) Reason {
	p := &e.catalog.programs[number]
	return e.explain(p, p.root)
}

func (e *Evaluation) explain(p *program, n *Node) Reason {
	r := Reason{ID: n.ID, Kind: n.Kind}
	for _, child := range n.Children {
		r.Children = append(r.Children, e.explain(p, child))
	}
	var a Answer
	switch n.Kind {
	case All, Any, Not:
		a = e.node(p, n)
	case Member:
		r.Name = n.Name
		r.Children = []Reason{e.Explain(p.members[n])}
		a = e.node(p, n)
	default:
		a = e.leaf(p, n, &r)
	}
	r.Holds, r.Until = a.Holds, a.Until
	return r
}

// The following note what decides. They do nothing without a reason, so that evaluating and explaining are one code.

func (r *Reason) number(n int64, atLeast bool) {
	if r != nil {
		r.HasNumber, r.Number, r.AtLeast = true, n, atLeast
	}
}

func (r *Reason) text(s string) {
	if r != nil {
		r.HasText, r.Text = true, s
	}
}

func (r *Reason) scalar(s signal.Scalar) {
	if r == nil {
		return
	}
	switch s.Kind {
	case signal.Text, signal.Number:
		r.text(string(s.Text))
	case signal.Bool:
		r.text(map[bool]string{true: "true", false: "false"}[s.True])
	}
}

func (r *Reason) moment(m signal.Moment) {
	if r != nil && len(r.Moments) < ReasonMoments {
		r.Moments = append(r.Moments, m)
	}
}

func (r *Reason) inexact(may bool) {
	if r != nil {
		r.Inexact = may
	}
}
