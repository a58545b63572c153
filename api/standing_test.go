package api

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// memberships are, by id, the audiences that people are in and since when, as the lists of members have them.
func (w *world) memberships(keys ...string) map[string]map[string]document.ProfileAudience {
	w.t.Helper()
	in := map[string]map[string]document.ProfileAudience{}
	for _, key := range keys {
		var page document.AudienceMembers
		w.get("/v1/audiences/"+key+"/members?limit=200").into(w.t, &page)
		for _, m := range page.Members {
			if in[m.ID] == nil {
				in[m.ID] = map[string]document.ProfileAudience{}
			}
			in[m.ID][key] = document.ProfileAudience{Since: m.Since}
		}
	}
	return in
}

// exported are the audiences of the lines of an export, by id.
func (w *world) exported(path string) map[string]map[string]document.ProfileAudience {
	w.t.Helper()
	a := w.get(path)
	if a.status != 200 {
		w.t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	in := map[string]map[string]document.ProfileAudience{}
	for line := range bytes.Lines([]byte(a.body)) {
		var p document.Profile
		if err := json.Unmarshal(line, &p); err != nil {
			w.t.Fatal(err)
		}
		if p.Audiences != nil {
			in[p.ID] = p.Audiences
		}
	}
	return in
}

// A profile, an export and the list of members agree on the audiences that people are in: as defined, after an event, a merge and a split.
func TestAudiencesOnProfiles(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 8 {
		w.feed(fmt.Sprintf(`{"type":"track","messageId":"v%d","anonymousId":"a%d","timestamp":"2026-01-01T00:00:00Z","event":"Viewed","properties":{"n":%d}}`, i, i, i))
	}
	w.get("/v1/profiles/anonymous_id:a7?audiences=true").want(t, 200, `"currency":null}`)
	w.defineAudience("viewers", `events("Viewed", p.n >= 3).any()`)
	w.defineAudience("nobody_bought", `!(orders().count() >= 1) && audience("viewers")`)
	check := func(what string, names ...string) {
		t.Helper()
		want := w.memberships("viewers", "nobody_bought")
		for _, name := range names {
			var p document.Profile
			w.get("/v1/profiles/"+name+"?audiences=true").into(t, &p)
			if !maps.Equal(p.Audiences, want[p.ID]) {
				t.Errorf("%s: %s is in %v, want %v", what, name, p.Audiences, want[p.ID])
			}
		}
		for _, people := range want {
			for key := range people {
				people[key] = document.ProfileAudience{} // lines have no times
			}
		}
		for _, path := range []string{"/v1/export?audiences=true", "/v1/export?fields=audiences", "/v1/export?audiences=true&cursor=start&limit=100"} {
			if got := w.exported(path); !maps.EqualFunc(got, want, maps.Equal[map[string]document.ProfileAudience]) {
				t.Errorf("%s: %s has %v, want %v", what, path, got, want)
			}
		}
	}
	all := []string{"anonymous_id:a0", "anonymous_id:a2", "anonymous_id:a3", "anonymous_id:a7", w.id("anonymous_id:a4")}
	check("defined", all...)
	w.feed(`{"type":"track","messageId":"o","anonymousId":"a3","timestamp":"2026-01-02T00:00:00Z","event":"Order Completed","properties":{"order_id":"o","revenue":5,"currency":"EUR"}}`)
	check("an order", all...)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a0","b":"anonymous_id:a3"}`)
	check("merged", all...)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a0","b":"anonymous_id:a3","withdraw":true}`)
	check("divided", all...)
	w.get("/v1/profiles/anonymous_id:a7").want(t, 200, `"currency":null}`)
	w.get("/v1/profiles/anonymous_id:a7?fields=audiences").want(t, 200, `","audiences":{"nobody_bought":{"since":"`)
	w.get("/v1/profiles?audiences=true").want(t, 400, `"bad_parameter"`)
	w.get("/v1/profiles/anonymous_id:a7?audiences=yes").want(t, 400, `"bad_parameter"`)
	w.post("/v1/profiles:batchGet", `{"ids":[],"fields":["audiences"]}`).want(t, 400, `"invalid_body"`)
}

// Rows of CSV have a column of audiences, which is empty of those who are in none.
func TestAudiencesInCSV(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.defineAudience("reachable", `has_identifier("email")`)
	rows, err := csv.NewReader(bytes.NewReader([]byte(w.get("/v1/export?format=csv&audiences=true").body))).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatal(rows, err)
	}
	at, in := slices.Index(rows[0], "audiences"), 0
	for _, row := range rows[1:] {
		switch row[at] {
		case `{"reachable":{}}`:
			in++
		case "":
		default:
			t.Error(row[at])
		}
	}
	if in != len(w.members("reachable", 100)) || in == 0 {
		t.Errorf("%d rows are in the audience", in)
	}
}

// Segment's Profile API has an audience as a trait that is true.
func TestAudiencesAsTraits(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.feed(`{"type":"identify","messageId":"i","userId":"u1","traits":{"vip":"no"},"timestamp":"2026-01-01T00:08:00Z"}`)
	w.defineAudience("reachable", `has_identifier("email")`)
	w.defineAudience("vip", `orders().count() >= 1`)
	w.defineAudience("never", `has_identifier("phone")`)
	traits := segmentPath + "user_id:u1/traits"
	w.get(traits+"?class=audience").want(t, 200, `{"traits":{"reachable":true,"vip":true},`)
	w.get(traits+"?class=computed_trait").want(t, 200, `{"traits":{},`)
	w.get(traits+"?exclude=address").want(t, 200, `{"traits":{"email":"Ann@Example.com","reachable":true,"vip":true},`)
	w.get(traits+"?class=audience&limit=1").want(t, 200, `{"traits":{"reachable":true},`, `"has_more":true`)
	since := w.memberships("vip")[w.id("user_id:u1")]["vip"].Since
	w.get(traits+"?include=vip&verbose=true").want(t, 200, `{"vip":{"value":true,"source_id":"kindred","updated_at":"`+string(since)+`"}}`)
}
