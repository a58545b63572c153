package api

import (
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// people collects the first identifiers of all pages, and checks that no page is longer than its limit.
func (w *world) people(query url.Values) (names []string) {
	w.t.Helper()
	limit := 0
	_, _ = fmt.Sscan(query.Get("limit"), &limit)
	for pages := 0; ; pages++ {
		var page document.People
		w.get("/v1/profiles?"+query.Encode()).into(w.t, &page)
		if pages > 1000 || limit > 0 && len(page.Profiles) > limit {
			w.t.Fatalf("page %d has %d people", pages, len(page.Profiles))
		}
		for _, raw := range page.Profiles {
			var p document.Profile
			answer{status: 200, body: string(raw)}.into(w.t, &p)
			names = append(names, p.Identifiers[0].Value)
		}
		if page.Next == "" {
			slices.Sort(names)
			return names
		}
		query.Set("cursor", string(page.Next))
	}
}

// A search finds those who meet all conditions, on pages of any size, each once, though several people share a component.
func TestSearch(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(
		`{"type":"identify","messageId":"1","userId":"ann","anonymousId":"tablet","timestamp":"2026-01-01T00:00:00Z","traits":{"email":"Ann@Example.com","name":"Ann Smith","city":"Ghent"}}`,
		`{"type":"identify","messageId":"2","userId":"bob","anonymousId":"tablet","timestamp":"2026-01-01T01:00:00Z","traits":{"email":"bob@example.com","firstName":"Annabel","age":42}}`,
		`{"type":"identify","messageId":"3","userId":"eve","anonymousId":"tablet","timestamp":"2026-01-01T02:00:00Z","traits":{"city":"Genk","vip":true}}`,
		`{"type":"page","messageId":"4","anonymousId":"solo","timestamp":"2025-06-01T00:00:00Z"}`,
	)
	for query, want := range map[string][]string{
		"":                                {"ann", "bob", "eve", "solo"},
		"q=ann":                           {"ann", "bob"},
		"q=SMI":                           {"ann"},
		"q=bob@":                          {"bob"},
		"q=nobody":                        nil,
		"identifier=email:a":              {"ann"},
		"identifier=user_id:":             {"ann", "bob", "eve"},
		"trait=city:g":                    {"ann", "eve"},
		"trait=city:g&q=ann":              {"ann"},
		"trait=age:4":                     {"bob"},
		"trait=vip:true&trait=city:genk":  {"eve"},
		"seen_since=2026-01-01T01:00:00Z": {"bob", "eve"},
		"seen_until=2026-01-01T00:00:00Z": {"solo"},
		"fields=identifiers":              {"ann", "bob", "eve", "solo"},
	} {
		for _, limit := range []string{"", "1", "2", "3"} {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			if limit != "" {
				values.Set("limit", limit)
			}
			if got := w.people(values); !slices.Equal(got, want) {
				t.Errorf("%s, pages of %q: %v, want %v", query, limit, got, want)
			}
		}
	}
	for _, bad := range []string{"trait=city", "identifier=:a", "seen_since=x", "limit=0", "cursor=AAAA", "cursor=!", "fields=x", "fields=scores", "identifiers=some"} {
		w.get("/v1/profiles?"+bad).want(t, 400, `"bad_parameter"`)
	}
	w.get("/v1/profiles/Ann@Example.com").want(t, 200, `"value":"ann"`)
	w.get("/v1/profiles/Ann").want(t, 400, `"bad_id"`)
}

// Searches beyond the bound are refused, not queued.
func TestSearchesAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	if !w.server.queries.Searches.TryAcquire(2) {
		t.Fatal("the bound changed")
	}
	w.get("/v1/profiles").want(t, 429, `"busy"`)
	w.server.queries.Searches.Release(2)
	w.get("/v1/profiles").want(t, 200, `"profiles":[],"next":null`)
}
