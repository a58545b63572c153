package query

import (
	"net/http"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of one page of traits.
const (
	defaultTraits = 200
	maxTraits     = 1000
)

// pageOfOne reads what routes ask for that list something of one person in pages: the person, how many of it, and where the
// page before ended.
func (q *Queries) pageOfOne(r *http.Request, usual, most int) (profile graph.Profile, limit int, cursor string, p *route.Problem) {
	if limit, p = route.LimitParameter(r, usual, most); p != nil {
		return profile, 0, "", p
	}
	if cursor, p = route.CursorParameter(r); p != nil {
		return profile, 0, "", p
	}
	profile, p = q.Need(r.Context(), r.PathValue("id"))
	return profile, limit, cursor, p
}

// getTraits answers GET /v1/profiles/{id}/traits?verbose=true&limit=&cursor=: by name. The cursor is the name of the last
// trait, so it goes on where it was whatever traits come or go.
func (q *Queries) getTraits(w http.ResponseWriter, r *http.Request) *route.Problem {
	verbose, p := route.BoolParameter(r, "verbose")
	if p != nil {
		return p
	}
	profile, limit, after, p := q.pageOfOne(r, defaultTraits, maxTraits)
	if p != nil {
		return p
	}
	traits, next := pageOfTraits(profile.Traits, after, limit)
	if verbose {
		origins := document.NewTraitOrigins(traits)
		if err := q.Engine.EachEvent(r.Context(), &profile, origins.Observe); err != nil {
			return route.EngineProblem(err)
		}
		page := document.VerboseTraits{ID: profile.ID.String(), Traits: map[string]document.VerboseTrait{}, Next: document.TextOrNull(next)}
		for i := range traits {
			page.Traits[traits[i].Name] = origins.Verbose(i)
		}
		return route.SendTaggedDocument(w, r, page)
	}
	page := document.TraitPage{ID: profile.ID.String(), Traits: document.Traits{}, Next: document.TextOrNull(next)}
	for i := range traits {
		page.Traits[traits[i].Name] = traits[i].Value
	}
	return route.SendTaggedDocument(w, r, page)
}

// pageOfTraits is the page of traits, which are sorted by name, after a name; and the cursor of the next page.
func pageOfTraits(traits []graph.TraitValue, after string, limit int) (page []graph.TraitValue, next string) {
	from := 0
	if after != "" {
		at, found := slices.BinarySearchFunc(traits, after, func(t graph.TraitValue, name string) int { return strings.Compare(t.Name, name) })
		if from = at; found {
			from++
		}
	}
	page = traits[from:min(len(traits), from+limit)]
	if from+limit < len(traits) {
		next = route.NewCursor(page[len(page)-1].Name)
	}
	return page, next
}
