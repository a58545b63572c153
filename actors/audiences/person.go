package audiences

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/signal"
)

// Person is what conditions read of one person: the profile, and what is remembered of events. It implements audience.View.
type Person struct {
	State      *State
	Profile    *graph.Profile
	Remembered []graph.SignalState // by number
	Root       graph.NodeKey       // of the component that holds the person: the place of its rows

	values signals.Values
}

// Signal implements audience.View.
func (p *Person) Signal(id signal.ID) *signal.State {
	number, ok := p.State.Signals.Number(id)
	if !ok {
		return nil
	}
	i, found := slices.BinarySearchFunc(p.Remembered, number, func(s graph.SignalState, n uint32) int { return cmp.Compare(s.Number, n) })
	if !found {
		return nil
	}
	return &p.Remembered[i].State
}

// Trait implements audience.View: a name may be that of a trait, or lead into one, with dots between.
func (p *Person) Trait(values []signal.Scalar, name string) []signal.Scalar {
	p.values.Reset()
	for i := range p.Profile.Traits {
		t := &p.Profile.Traits[i]
		rest := ""
		if t.Name != name {
			var leads bool
			if rest, leads = strings.CutPrefix(name, t.Name+"."); !leads {
				continue
			}
		}
		values = p.values.Append(values, t.Value, rest)
	}
	return values
}

// Identifier implements audience.View.
func (p *Person) Identifier(namespace string) bool {
	return slices.ContainsFunc(p.Profile.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Namespace == namespace && !id.Generic })
}

// Orders implements audience.View.
func (p *Person) Orders() []audience.Order {
	orders := make([]audience.Order, 0, len(p.Profile.Orders))
	for i := range p.Profile.Orders {
		orders = append(orders, orderOf(&p.Profile.Orders[i]))
	}
	return orders
}

// orderOf is what conditions read of an order.
func orderOf(o *graph.OrderState) audience.Order {
	return audience.Order{
		PlacedAt: o.PlacedAt, Net: o.Net - o.Refunded, Currency: o.Currency.String(), Cancelled: o.Status == graph.OrderStateCancelled,
	}
}

// Score implements audience.View. A definition with a score is refused (checkLeaves), so nothing asks.
func (p *Person) Score(string, int64) (signal.Scalar, int64, bool) {
	return signal.Scalar{}, audience.Never, false
}

// Membership reports whether a person is in an audience, and until when that can't change without an event.
type Membership struct {
	Key string
	audience.Answer
}

// Memberships evaluates all audiences that serve, by key.
func (p *Person) Memberships(now int64) []Membership {
	c := p.State.Serving
	e := c.NewEvaluation()
	e.Begin(p, now)
	list := make([]Membership, c.Len())
	for i := range list {
		list[i] = Membership{c.Key(i), e.Audience(i)}
	}
	slices.SortFunc(list, func(a, b Membership) int { return cmp.Compare(a.Key, b.Key) })
	return list
}

// Why explains whether the person is in an audience that serves. It returns false if there is none of that key.
func (p *Person) Why(key string, now int64) (audience.Reason, bool) {
	i, ok := p.State.Serving.Find(key)
	if !ok {
		return audience.Reason{}, false
	}
	e := p.State.Serving.NewEvaluation()
	e.Begin(p, now)
	return e.Explain(i), true
}
