// Package replica consumes the change feed and rebuilds the deployment's export: it tests the feed's promise, and is
// an example of a reader.
//
//	entries in causal order ──► Apply ──► identities ──► Profiles == export
package replica

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Replica is the state of a reader of the change feed: every announced identity, with its last announcement. The zero
// value has no identities. One goroutine at a time uses it.
type Replica struct {
	identities map[graph.NodeKey]*graph.Profile
}

// Apply applies an entry. An entry may be repeated if all later entries are repeated, too.
func (r *Replica) Apply(e *graph.FeedEntry) {
	if r.identities == nil {
		r.identities = make(map[graph.NodeKey]*graph.Profile)
	}
	switch e.Kind {
	case graph.FeedCreated, graph.FeedUpdated:
		p := r.identities[e.ID]
		if p == nil {
			p = &graph.Profile{ID: e.ID}
			r.identities[e.ID] = p
		}
		e.Delta.Apply(p)
	case graph.FeedMerged:
		for _, loser := range e.Others {
			delete(r.identities, loser)
		}
	case graph.FeedSplit:
		if !slices.Contains(e.Others, e.ID) {
			delete(r.identities, e.ID)
		}
	case graph.FeedErased:
		delete(r.identities, e.ID)
	case graph.FeedEntered, graph.FeedExited: // profiles have no audiences
	case graph.FeedLinked, graph.FeedGeneric: // an updated entry carries the same change
	}
}

// Check reports a problem of a new entry before it is applied, for example that it changes nothing.
func (r *Replica) Check(e *graph.FeedEntry) error {
	p := r.identities[e.ID]
	switch {
	case e.Kind == graph.FeedMerged && (len(e.Others) == 0 || slices.Contains(e.Others, e.ID)):
		return fmt.Errorf("%s is merged with %v", e.ID, e.Others)
	case e.Kind == graph.FeedCreated && !e.Delta.Full:
		return fmt.Errorf("%s is created, and not all of it is told", e.ID)
	case e.Kind == graph.FeedUpdated && !e.Delta.Full && p == nil:
		return fmt.Errorf("%s is updated, and was never told of", e.ID)
	case e.Kind == graph.FeedUpdated && !e.Delta.Full && !changes(&e.Delta, p):
		return fmt.Errorf("%s is updated, and nothing changes", e.ID)
	}
	return nil
}

// changes reports whether a delta changes a profile.
func changes(d *graph.Delta, p *graph.Profile) bool {
	if d.Fields&graph.DeltaEvents != 0 && d.Events != p.Events ||
		d.Fields&graph.DeltaFirst != 0 && d.First != p.First || d.Fields&graph.DeltaLast != 0 && d.Last != p.Last {
		return true
	}
	has := func(key graph.NodeKey) *graph.ProfileIdentifier {
		i := slices.IndexFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool { return id.Key == key })
		if i < 0 {
			return nil
		}
		return &p.Identifiers[i]
	}
	return slices.ContainsFunc(d.Counts, func(c graph.TypeCount) bool { return p.Counts[c.Type] != c.Count }) ||
		slices.ContainsFunc(d.Left, func(key graph.NodeKey) bool { return has(key) != nil }) ||
		slices.ContainsFunc(d.Identifiers, func(s graph.Sighting) bool {
			id := has(s.Key)
			return id == nil || id.NodeName != s.NodeName || id.First != s.First || id.Last != s.Last
		}) ||
		slices.ContainsFunc(d.Traits, func(t graph.TraitValue) bool {
			i := slices.IndexFunc(p.Traits, func(have graph.TraitValue) bool { return have.Name == t.Name })
			return (i >= 0) != (t.Value != nil) || i >= 0 && !bytes.Equal(p.Traits[i].Value, t.Value)
		}) ||
		slices.ContainsFunc(d.Money, func(m graph.Money) bool {
			i := slices.IndexFunc(p.Money, func(have graph.Money) bool { return have.Currency == m.Currency })
			return (i >= 0) != (m.Orders > 0) || i >= 0 && p.Money[i] != m
		})
}

// Profiles returns all identities in ascending order of id, with the fields that Exported keeps. They share the
// replica's memory.
func (r *Replica) Profiles() []graph.Profile {
	profiles := make([]graph.Profile, 0, len(r.identities))
	for _, id := range slices.SortedFunc(maps.Keys(r.identities), graph.NodeKey.Compare) {
		profiles = append(profiles, *r.identities[id])
	}
	return profiles
}

// Exported returns the parts of a profile that both an export and the feed have.
func Exported(p *graph.Profile) graph.Profile {
	out := graph.Profile{ID: p.ID, Events: p.Events, Counts: p.Counts, First: p.First, Last: p.Last, Money: p.Money}
	for i := range p.Identifiers {
		if id := &p.Identifiers[i]; id.Namespace != "" {
			out.Identifiers = append(out.Identifiers, graph.ProfileIdentifier{NodeName: id.NodeName, First: id.First, Last: id.Last})
		}
	}
	for i := range p.Traits {
		out.Traits = append(out.Traits, graph.TraitValue{Name: p.Traits[i].Name, Value: p.Traits[i].Value})
	}
	return out
}
