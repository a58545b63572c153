package audience

import (
	"slices"

	"github.com/kindred-id/kindred/graph/signal"
)

// Answer reports whether a condition holds, and until when that can't change without an event (T5).
type Answer struct {
	Holds bool
	Until int64 // ms since 1970 UTC; Never
}

// Evaluation evaluates audiences of one person at one time. Audiences that others refer to come first, so callers evaluate in
// ascending order of numbers. It is reused from person to person: Begin.
type Evaluation struct {
	catalog *Catalog
	view    View
	now     int64
	known   []Answer        // by number; Until 0: not evaluated yet
	values  []signal.Scalar // of the condition under evaluation
	list    []string        // of the last list that Value has given
}

// NewEvaluation returns an evaluation of no person.
func (c *Catalog) NewEvaluation() *Evaluation {
	return &Evaluation{catalog: c, known: make([]Answer, len(c.programs))}
}

// Begin turns to another person or another time.
func (e *Evaluation) Begin(view View, now int64) {
	e.view, e.now = view, now
	clear(e.known)
}

// Audience evaluates an audience by its number, and those that it refers to.
func (e *Evaluation) Audience(number int) Answer {
	if a := e.known[number]; a.Until != 0 {
		return a
	}
	p := &e.catalog.programs[number]
	a := e.node(p, p.root)
	e.known[number] = a
	return a
}

// Conditions appends the answers of the conditions that an audience joins with "and", in the order of Catalog.Conditions.
func (e *Evaluation) Conditions(answers []Answer, number int) []Answer {
	p := &e.catalog.programs[number]
	for _, n := range p.joined() {
		answers = append(answers, e.node(p, n))
	}
	return answers
}

func (e *Evaluation) node(p *program, n *Node) Answer {
	switch n.Kind {
	case All:
		return e.all(p, n, true)
	case Any:
		return e.all(p, n, false)
	case Not:
		a := e.node(p, n.Children[0])
		return Answer{!a.Holds, a.Until}
	case Member:
		return e.Audience(p.members[n])
	}
	return e.leaf(p, n, nil)
}

// all evaluates All, if and is true, else Any.
//
// While all children hold, All changes when the first of them changes. Once one does not hold, it stays so as long as that one
// does not hold: so of those that do not hold, the last to change decides. Any is the opposite.
func (e *Evaluation) all(p *program, n *Node, and bool) Answer {
	holds, least, latest := and, Never, int64(0)
	for _, child := range n.Children {
		a := e.node(p, child)
		if a.Holds == and {
			least = min(least, a.Until)
			continue
		}
		holds, latest = !and, max(latest, a.Until)
		if latest == Never {
			break
		}
	}
	if holds == and {
		return Answer{holds, least}
	}
	return Answer{holds, latest}
}

// leaf evaluates a condition without children. With facts, it notes what decides.
func (e *Evaluation) leaf(p *program, n *Node, facts *Reason) Answer {
	switch n.Kind {
	case Events:
		return e.events(n.Events, e.view.Signal(p.signals[n][0]), facts)
	case Sequence:
		ids := p.signals[n]
		return e.sequence(n.Sequence, e.view.Signal(ids[0]), e.view.Signal(ids[1]), facts)
	case Trait:
		return e.trait(n.Value, facts)
	case Identifier:
		return Answer{e.view.Identifier(n.Name), Never}
	case Orders:
		return e.orders(n.Orders, facts)
	case Score:
		return e.score(n.Value, facts)
	}
	return Answer{false, Never}
}

var noEvents = signal.State{}

func (e *Evaluation) events(c *EventCondition, s *signal.State, facts *Reason) Answer {
	if s == nil {
		s = &noEvents
	}
	switch c.Measure {
	case Count:
		if _, exact := c.moments(); !exact {
			return e.days(c, s, facts)
		}
		return e.count(c, s, facts)
	case Sum:
		return e.days(c, s, facts)
	case DistinctOf:
		facts.number(int64(len(s.Values)), s.Full())
		return Answer{c.Range.holds(int64(len(s.Values))), Never}
	case FirstEvent:
		return e.firstEvent(c, s, facts)
	}
	return e.value(c, s, facts)
}

// count counts moments, the newest first. Without an event the count changes when a moment leaves the window, and after a
// moment in the future.
func (e *Evaluation) count(c *EventCondition, s *signal.State, facts *Reason) Answer {
	n := int64(0)
	for _, m := range s.Moments {
		if c.Window.holds(m.Time, e.now) {
			n++
			facts.moment(m)
		}
	}
	facts.number(n, s.Full() && n == int64(len(s.Moments)))
	return Answer{c.Range.holds(n), e.next(c, s.Moments, n)}
}

// next is the earliest time at which the count leaves the range, or comes into it.
func (e *Evaluation) next(c *EventCondition, moments []signal.Moment, n int64) int64 {
	until := Never
	left := n // in the window, of the moments that are not yet passed
	holds := c.Range.holds(n)
	for i := len(moments) - 1; i >= 0; i-- { // the oldest first: they leave first
		at := moments[i].Time
		switch {
		case at > e.now: // comes into the window by itself
			return min(until, at)
		case !c.Window.holds(at, e.now) || until != Never:
			continue
		}
		left--
		if leaves := c.Window.next(at, e.now); c.Range.holds(left) != holds && leaves != Never {
			until = leaves
		}
	}
	return until
}

// days counts events, or adds up a property, by UTC days.
func (e *Evaluation) days(c *EventCondition, s *signal.State, facts *Reason) Answer {
	n, until := e.total(c.Window, c.Measure == Sum, s)
	facts.number(n, false)
	return Answer{c.Range.holds(n), until}
}

// total is the number of events in a window, or the sum of a property over them, and until when no day enters or leaves the window.
func (e *Evaluation) total(w Window, sum bool, s *signal.State) (n, until int64) {
	until = Never
	for i := range s.Days {
		d := &s.Days[i]
		at := int64(d.Day) * day
		if w.holds(at, e.now) {
			if sum {
				n += d.Sum
			} else {
				n += int64(d.Count)
			}
		}
		until = min(until, w.next(at, e.now))
	}
	return n, until
}

func (e *Evaluation) firstEvent(c *EventCondition, s *signal.State, facts *Reason) Answer {
	if len(s.Moments) == 0 {
		return Answer{false, Never}
	}
	m := s.Moments[0]
	facts.moment(m)
	return Answer{c.Window.holds(m.Time, e.now), c.Window.next(m.Time, e.now)}
}

func (e *Evaluation) value(c *EventCondition, s *signal.State, facts *Reason) Answer {
	e.values = e.values[:0]
	if len(s.Values) > 0 {
		v := &s.Values[0]
		e.values = append(e.values, v.Scalar())
		facts.text(v.Text)
		facts.moment(v.Newest)
	}
	return Answer{c.Value.HoldsOf(e.values), Never}
}

func (e *Evaluation) sequence(c *SequenceOf, first, then *signal.State, facts *Reason) Answer {
	if first == nil || then == nil {
		return Answer{false, Never}
	}
	holds, until := false, Never
	for _, a := range first.Moments {
		b, found := following(then.Moments, a, c.Within)
		if !found {
			continue
		}
		if at := max(a.Time, b.Time); at > e.now {
			until = min(until, at)
			continue
		}
		if !c.Window.holds(a.Time, e.now) {
			until = min(until, c.Window.next(a.Time, e.now))
			continue
		}
		holds, until = true, c.Window.next(a.Time, e.now) // the newest pair leaves the window last
		facts.moment(a)
		facts.moment(b)
		break
	}
	if first.Full() || then.Full() {
		facts.inexact(!holds)
	}
	return Answer{holds, until}
}

// following returns the oldest moment, of some with the newest first, that is later than a and at most within later.
func following(moments []signal.Moment, a signal.Moment, within int64) (b signal.Moment, found bool) {
	for _, m := range slices.Backward(moments) {
		if m.Compare(a) > 0 {
			return m, m.Time-a.Time <= within
		}
	}
	return b, false
}

func (e *Evaluation) trait(c *signal.Condition, facts *Reason) Answer {
	e.values = e.view.Trait(e.values[:0], c.Path)
	for _, v := range e.values {
		facts.scalar(v)
	}
	return Answer{c.HoldsOf(e.values), Never}
}

func (e *Evaluation) score(c *signal.Condition, facts *Reason) Answer {
	value, until, ok := e.view.Score(c.Path, e.now)
	if e.values = e.values[:0]; ok {
		e.values = append(e.values, value)
		facts.scalar(value)
	}
	return Answer{c.HoldsOf(e.values), until}
}

func (e *Evaluation) orders(c *OrderCondition, facts *Reason) Answer {
	n, until := int64(0), Never
	orders := e.view.Orders()
	for i := range orders {
		o := &orders[i]
		if o.Cancelled || c.Measure == OrderNet && o.Currency != c.Currency {
			continue
		}
		if c.Window.holds(o.PlacedAt, e.now) {
			if c.Measure == OrderCount {
				n++
			} else {
				n += o.Net
			}
			facts.moment(signal.Moment{Time: o.PlacedAt})
		}
		until = min(until, c.Window.next(o.PlacedAt, e.now))
	}
	facts.number(n, false)
	return Answer{c.Range.holds(n), until}
}
