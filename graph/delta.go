package graph

import (
	"bytes"
	"slices"
	"strings"
)

// Delta is what readers of the change feed are told of a profile: all of it, or what changed since
// they were told last. Lists are in the order of the profile.
type Delta struct {
	Full        bool // it is all there is: what is not told is not there
	Fields      DeltaFields
	Events      uint64
	First, Last int64        // ms since 1970 UTC
	Counts      []TypeCount  // by type
	Identifiers []Sighting   // new, or with other times; in descending rank
	Left        []NodeKey    // identifiers that are the identity's no more
	Traits      []TraitValue // by name; without a value it is no more. Stamps are not told
	Money       []Money      // by currency; without orders it is no more
}

// DeltaFields says which of a delta's plain fields are told.
type DeltaFields uint8

// The plain fields.
const (
	DeltaEvents DeltaFields = 1 << iota
	DeltaFirst
	DeltaLast

	DeltaAll = DeltaEvents | DeltaFirst | DeltaLast
)

// TypeCount is how many events of a type there are.
type TypeCount struct {
	Type  EventType
	Count uint64
}

// Sighting is an identifier of an identity, and the event times between which it was seen there; both
// are 0 when it never was.
type Sighting struct {
	NodeName
	First, Last int64
}

// Empty reports whether a delta changes nothing.
func (d *Delta) Empty() bool {
	return !d.Full && d.Fields == 0 && len(d.Counts)+len(d.Identifiers)+len(d.Left)+len(d.Traits)+len(d.Money) == 0
}

// everything tells all of a profile.
func everything(p *Profile) Delta {
	d := difference(&Profile{}, p)
	d.Full, d.Fields = true, DeltaAll
	return d
}

// difference is what must change in one profile to make the other of it.
func difference(from, to *Profile) Delta {
	d := Delta{Events: to.Events, First: to.First, Last: to.Last}
	if to.Events != from.Events {
		d.Fields |= DeltaEvents
	}
	if to.First != from.First {
		d.Fields |= DeltaFirst
	}
	if to.Last != from.Last {
		d.Fields |= DeltaLast
	}
	for t := range to.Counts {
		if to.Counts[t] != from.Counts[t] {
			d.Counts = append(d.Counts, TypeCount{EventType(t), to.Counts[t]})
		}
	}
	d.identifiers(from.Identifiers, to.Identifiers)
	d.traits(from.Traits, to.Traits)
	d.money(from.Money, to.Money)
	return d
}

// identifiers compares lists in descending rank. One whose name is on its way is not told yet.
func (d *Delta) identifiers(from, to []ProfileIdentifier) {
	for len(from) > 0 || len(to) > 0 {
		switch {
		case len(from) > 0 && from[0].Namespace == "":
			from = from[1:]
		case len(to) > 0 && to[0].Namespace == "":
			to = to[1:]
		case len(to) == 0 || len(from) > 0 && from[0].Key.Outranks(to[0].Key):
			d.Left = append(d.Left, from[0].Key)
			from = from[1:]
		default:
			same := len(from) > 0 && from[0].Key == to[0].Key
			if !same || from[0].NodeName != to[0].NodeName || from[0].First != to[0].First || from[0].Last != to[0].Last {
				d.Identifiers = append(d.Identifiers, Sighting{to[0].NodeName, to[0].First, to[0].Last})
			}
			if same {
				from = from[1:]
			}
			to = to[1:]
		}
	}
}

// traits compares lists by name.
func (d *Delta) traits(from, to []TraitValue) {
	for len(from) > 0 || len(to) > 0 {
		switch {
		case len(to) == 0 || len(from) > 0 && from[0].Name < to[0].Name:
			d.Traits = append(d.Traits, TraitValue{Name: from[0].Name})
			from = from[1:]
		default:
			same := len(from) > 0 && from[0].Name == to[0].Name
			if !same || !bytes.Equal(from[0].Value, to[0].Value) {
				d.Traits = append(d.Traits, TraitValue{Name: to[0].Name, Value: to[0].Value})
			}
			if same {
				from = from[1:]
			}
			to = to[1:]
		}
	}
}

// money compares lists by currency.
func (d *Delta) money(from, to []Money) {
	for len(from) > 0 || len(to) > 0 {
		switch {
		case len(to) == 0 || len(from) > 0 && bytes.Compare(from[0].Currency[:], to[0].Currency[:]) < 0:
			d.Money = append(d.Money, Money{Currency: from[0].Currency})
			from = from[1:]
		default:
			same := len(from) > 0 && from[0].Currency == to[0].Currency
			if !same || from[0] != to[0] {
				d.Money = append(d.Money, to[0])
			}
			if same {
				from = from[1:]
			}
			to = to[1:]
		}
	}
}

// add adds all that another delta to the same profile has.
func (d *Delta) add(o *Delta) {
	d.Fields |= o.Fields
	d.Counts = union(d.Counts, o.Counts, func(a, b TypeCount) int { return int(a.Type) - int(b.Type) })
	d.Identifiers = union(d.Identifiers, o.Identifiers, func(a, b Sighting) int { return b.Key.Compare(a.Key) })
	d.Left = union(d.Left, o.Left, func(a, b NodeKey) int { return b.Compare(a) })
	d.Traits = union(d.Traits, o.Traits, func(a, b TraitValue) int { return strings.Compare(a.Name, b.Name) })
	d.Money = union(d.Money, o.Money, func(a, b Money) int { return bytes.Compare(a.Currency[:], b.Currency[:]) })
}

// union has what is in either list, once, in order.
func union[T any](a, b []T, compare func(a, b T) int) []T {
	for _, x := range b {
		if i, found := slices.BinarySearchFunc(a, x, compare); !found {
			a = slices.Insert(a, i, x)
		}
	}
	return a
}

// Apply makes the change in a profile that was made of earlier deltas. The profile takes over the
// delta's memory.
func (d *Delta) Apply(p *Profile) {
	if d.Full {
		*p = Profile{ID: p.ID}
	}
	if d.Fields&DeltaEvents != 0 {
		p.Events = d.Events
	}
	if d.Fields&DeltaFirst != 0 {
		p.First = d.First
	}
	if d.Fields&DeltaLast != 0 {
		p.Last = d.Last
	}
	for _, c := range d.Counts {
		p.Counts[c.Type] = c.Count
	}
	for _, key := range d.Left {
		if i, found := p.identifier(key); found {
			p.Identifiers = slices.Delete(p.Identifiers, i, i+1)
		}
	}
	for _, s := range d.Identifiers {
		i, found := p.identifier(s.Key)
		if !found {
			p.Identifiers = slices.Insert(p.Identifiers, i, ProfileIdentifier{})
		}
		p.Identifiers[i] = ProfileIdentifier{NodeName: s.NodeName, First: s.First, Last: s.Last}
	}
	for _, t := range d.Traits {
		i, found := slices.BinarySearchFunc(p.Traits, t.Name, func(have TraitValue, name string) int { return strings.Compare(have.Name, name) })
		p.Traits = put(p.Traits, i, found, t, t.Value != nil)
	}
	for _, m := range d.Money {
		i, found := slices.BinarySearchFunc(p.Money, m.Currency, func(have Money, c Currency) int { return bytes.Compare(have.Currency[:], c[:]) })
		p.Money = put(p.Money, i, found, m, m.Orders > 0)
	}
}

// put sets, adds or removes the item at i.
func put[T any](list []T, i int, found bool, item T, keep bool) []T {
	switch {
	case keep && found:
		list[i] = item
	case keep:
		list = slices.Insert(list, i, item)
	case found:
		list = slices.Delete(list, i, i+1)
	}
	return list
}
