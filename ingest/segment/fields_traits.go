package segment

import (
	"bytes"

	"github.com/cespare/xxhash/v2"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// traitSet is the traits of one object, each name once. If a name repeats, the last value wins, in the place of the
// first. A name is looked for by comparing it with all others: there are at most maxTraits, and a map would allocate
// for each event. email and phone are kept even if they are beyond maxTraits, since they are identifiers as well.
type traitSet struct {
	traits       []graph.Trait
	digests      []uint64 // of traits, if digested
	email, phone jsonscan.Value
	excess       uint64
}

func (t *traitSet) reset() {
	t.excess = 0
	t.traits, t.digests = t.traits[:0], t.digests[:0]
	t.email, t.phone = jsonscan.Value{}, jsonscan.Value{}
}

// readTraits reads traits. Those of the event itself enter its fingerprint, so they are hashed on the way.
func (p *picker) readTraits(s *jsonscan.Scanner, n *pathNode, field string, t *traitSet) {
	if !p.object(s, n, field) {
		return
	}
	for s.Next() {
		name, digest := s.Key(), uint64(0)
		var v jsonscan.Value
		switch child := n.child(name); {
		case t != &p.own:
			v = p.value(s, child)
		case child == nil:
			v, digest = p.digestValue(s)
		default:
			v = p.value(s, child)
			digest = p.digestRaw(v.Raw)
		}
		if v.Kind == jsonscan.Null {
			digest = tagNone
		}
		t.set(name, v, mix(xxhash.Sum64(name), digest))
	}
}

// set adds a trait, whose value has the digest.
func (t *traitSet) set(name []byte, v jsonscan.Value, digest uint64) {
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
		t.traits[at], t.digests[at] = trait, digest
	case len(t.traits) < maxTraits:
		t.traits, t.digests = append(t.traits, trait), append(t.digests, digest)
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
