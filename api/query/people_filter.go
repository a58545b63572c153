package query

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// peopleFilter says which people a search wants: those who meet all conditions. Texts are in lower case.
type peopleFilter struct {
	anywhere     string   // begins an identifier, or a word of one of searchedTraits; empty: no condition
	identifiers  []prefix // of values, by namespace
	traits       []prefix // of traits, by name
	since, until int64    // of the last event
}

type prefix struct{ name, value string }

// searchedTraits are the traits that a condition anywhere looks at.
var searchedTraits = []string{"email", "firstName", "lastName", "name", "phone", "username"}

// newPeopleFilter reads the conditions of a request.
func newPeopleFilter(r *http.Request) (f *peopleFilter, p *route.Problem) {
	query := r.URL.Query()
	f = &peopleFilter{anywhere: strings.ToLower(strings.TrimSpace(query.Get("q")))}
	if f.identifiers, p = prefixes(query["identifier"], "identifier", "email:ann"); p != nil {
		return nil, p
	}
	if f.traits, p = prefixes(query["trait"], "trait", "city:Ghe"); p != nil {
		return nil, p
	}
	if f.since, p = route.TimeParameter(r, "seen_since", math.MinInt64); p != nil {
		return nil, p
	}
	f.until, p = route.TimeParameter(r, "seen_until", math.MaxInt64)
	return f, p
}

// prefixes reads conditions NAME:PREFIX.
func prefixes(texts []string, parameter, example string) (list []prefix, p *route.Problem) {
	for _, text := range texts {
		name, value, ok := strings.Cut(text, ":")
		if !ok || name == "" {
			return nil, route.NewProblem(document.CodeBadParameter, "%s: want NAME:PREFIX, such as %s", parameter, example)
		}
		list = append(list, prefix{name, strings.ToLower(value)})
	}
	return list, nil
}

// wants reports whether a person meets all conditions.
func (f *peopleFilter) wants(p *graph.Profile) bool {
	if p.Last < f.since || p.Last >= f.until {
		return false
	}
	for _, want := range f.identifiers {
		if !slices.ContainsFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool {
			return id.Namespace == want.name && begins(id.Value, want.value)
		}) {
			return false
		}
	}
	for _, want := range f.traits {
		if !f.hasTrait(p, want) {
			return false
		}
	}
	return f.anywhere == "" || f.hasAnywhere(p)
}

func (f *peopleFilter) hasAnywhere(p *graph.Profile) bool {
	if slices.ContainsFunc(p.Identifiers, func(id graph.ProfileIdentifier) bool { return begins(id.Value, f.anywhere) }) {
		return true
	}
	return slices.ContainsFunc(searchedTraits, func(name string) bool { return f.hasTrait(p, prefix{name, f.anywhere}) })
}

// hasTrait reports whether a trait begins so: its text, a later word of it, or its JSON where it is no text.
func (f *peopleFilter) hasTrait(p *graph.Profile, want prefix) bool {
	i, found := slices.BinarySearchFunc(p.Traits, want.name, func(t graph.TraitValue, name string) int { return strings.Compare(t.Name, name) })
	if !found {
		return false
	}
	var text string
	if json.Unmarshal(p.Traits[i].Value, &text) != nil {
		return strings.HasPrefix(string(p.Traits[i].Value), want.value)
	}
	for {
		if begins(text, want.value) {
			return true
		}
		_, rest, more := strings.Cut(text, " ")
		if !more {
			return false
		}
		text = rest
	}
}

// begins reports whether a text begins with a prefix in lower case, whatever the case of the text.
func begins(text, prefix string) bool {
	return strings.HasPrefix(strings.ToLower(text), prefix)
}
