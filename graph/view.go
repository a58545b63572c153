package graph

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/signal"
)

// A View is one identity of a component, as conditions read it: straight from its fragments, which are folded only where several
// have something. It is valid until the component takes its next message.
//
// The obvious design, a Profile of each identity, folds all of its fragments for a condition that reads one signal.
type View struct {
	store *store
	group []int32 // members in descending rank; nil is all of them
}

// Views calls fn with each identity that has events, in descending rank, and its id. The view is used again for the next one.
func (c *Component) Views(rules *Rules, view *View, fn func(id NodeKey)) {
	c.settle()
	p := c.resolve(rules)
	view.store, view.group = &c.store, nil
	if p == whole {
		if c.active > 0 {
			fn(c.members[0].Key)
		}
		return
	}
	for _, group := range p.groups {
		if slices.ContainsFunc(group, func(i int32) bool { return c.members[i].active() }) {
			view.group = group
			fn(c.members[group[0]].Key)
		}
	}
}

// Whole reports whether the component is one identity. REQUIRES: its division is known, as after Views
func (c *Component) Whole(rules *Rules) bool { return c.resolve(rules) == whole }

// Edition changes with every change of the evidence that may divide it differently.
func (c *Component) Edition() uint32 { return c.store.edition }

// PersonOf returns the id of the identity that holds a node; false if none does.
func (c *Component) PersonOf(node NodeKey, rules *Rules) (NodeKey, bool) {
	at := c.place(node)
	if at < 0 {
		return NodeKey{}, false
	}
	p := c.resolve(rules)
	switch {
	case p == whole:
		return c.members[0].Key, true
	case p.of[at] < 0:
		return NodeKey{}, false
	}
	return c.members[p.groups[p.of[at]][0]].Key, true
}

func (v *View) len() int {
	if v.group == nil {
		return len(v.store.members)
	}
	return len(v.group)
}

func (v *View) member(i int) *Member {
	if v.group != nil {
		i = int(v.group[i])
	}
	return &v.store.members[i]
}

// Signal returns what the identity remembers of a signal; nil if nothing. It is read before the next call.
func (v *View) Signal(number uint32) *signal.State {
	var sum *signal.State
	own := false
	for i := range v.len() {
		f := v.member(i).Fragment
		if f == nil || f.Sections == nil {
			continue
		}
		at, found := slices.BinarySearchFunc(f.Sections.Signals, number, func(s SignalState, n uint32) int { return cmp.Compare(s.Number, n) })
		if !found {
			continue
		}
		s := &f.Sections.Signals[at].State
		if sum == nil {
			sum = s
			continue
		}
		if !own {
			clone := sum.Clone()
			sum, own = &clone, true
		}
		other := s.Clone()
		sum.Merge(&other)
	}
	return sum
}

// Signals appends the numbers of the signals of which the identity remembers anything; one may come several times.
func (v *View) Signals(numbers []uint32) []uint32 {
	for i := range v.len() {
		if f := v.member(i).Fragment; f != nil && f.Sections != nil {
			for j := range f.Sections.Signals {
				numbers = append(numbers, f.Sections.Signals[j].Number)
			}
		}
	}
	return numbers
}

// Trait returns the value of a trait, as JSON; nil if it is not set.
func (v *View) Trait(name string) []byte {
	var newest *Register
	for i := range v.len() {
		f := v.member(i).Fragment
		if f == nil {
			continue
		}
		at, found := slices.BinarySearchFunc(f.Traits, name, func(r Register, name string) int { return strings.Compare(r.Name, name) })
		if !found {
			continue
		}
		if r := &f.Traits[at]; newest == nil || compareRegister(newest.Stamp, newest.Value, r.Stamp, r.Value) < 0 {
			newest = r
		}
	}
	if newest == nil {
		return nil
	}
	return newest.Value
}

// EachTrait calls fn with the names of the traits that were ever set; one may come several times.
func (v *View) EachTrait(fn func(name string)) {
	for i := range v.len() {
		if f := v.member(i).Fragment; f != nil {
			for j := range f.Traits {
				fn(f.Traits[j].Name)
			}
		}
	}
}

// Identifier reports whether the identity has an identifier of a namespace that is no generic value.
func (v *View) Identifier(namespace string) bool {
	for i := range v.len() {
		if m := v.member(i); m.Namespace == namespace && !m.Generic {
			return true
		}
	}
	return false
}

// Ordered reports whether anything is known of an order.
func (v *View) Ordered() bool {
	for i := range v.len() {
		if f := v.member(i).Fragment; f != nil && len(f.Orders) > 0 {
			return true
		}
	}
	return false
}

// Orders returns the orders as they stand.
func (v *View) Orders() []OrderState {
	var orders orderFold
	for i := range v.len() {
		if f := v.member(i).Fragment; f != nil {
			orders.add(f)
		}
	}
	var p Profile
	p.addOrders(orders.all)
	return p.Orders
}
