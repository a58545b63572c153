package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// traitSet is the traits of one object, each name once. If a name repeats, the last value wins.
type traitSet struct {
	traits       []graph.Trait
	email, phone jsonscan.Value
	excess       uint64
}

func (t *traitSet) reset() {
	t.excess = 0
	t.traits = t.traits[:0]
	t.email, t.phone = jsonscan.Value{}, jsonscan.Value{}
}

func (p *picker) readTraits(s *jsonscan.Scanner, n *pathNode, field string, t *traitSet) {
	if !p.object(s, n, field) {
		return
	}
	for s.Next() {
		key := s.Key()
		v := p.value(s, n.child(key))
		t.set(key, v)
	}
}

func (t *traitSet) set(name []byte, v jsonscan.Value) {
	switch string(name) {
	case "email":
		t.email = v
	case "phone":
		t.phone = v
	}
	trait := graph.Trait{Name: name, Value: v.Raw}
	if v.Kind == jsonscan.Null {
		trait.Value = nil // deletes the trait
	}
	switch at := indexTrait(t.traits, name); {
	case at >= 0:
		t.traits[at] = trait
	case len(t.traits) < maxTraits:
		t.traits = append(t.traits, trait)
	default:
		t.excess++
	}
}

func indexTrait(traits []graph.Trait, name []byte) int {
	for i := range traits {
		if bytes.Equal(traits[i].Name, name) {
			return i
		}
	}
	return -1
}

// mergeTraits sets the event's traits: for identify, its own, then those of the context with other names. The context
// of any other event only repeats what its client remembers, which may be older than the profile, and a group's own
// traits describe the group.
func (p *picker) mergeTraits(ev *graph.Event) {
	ev.Traits = ev.Traits[:0]
	if ev.Type != graph.TypeIdentify {
		return
	}
	ev.Traits = append(ev.Traits, p.own.traits...)
	p.stats.ExcessTraits += p.own.excess
	p.stats.ExcessTraits += p.shared.excess
	own := ev.Traits
	for _, t := range p.shared.traits {
		switch {
		case indexTrait(own, t.Name) >= 0:
		case len(ev.Traits) < maxTraits:
			ev.Traits = append(ev.Traits, t)
		default:
			p.stats.ExcessTraits++
		}
	}
}
