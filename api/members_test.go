package api

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

// members lists who is in an audience, page by page.
func (w *world) members(key string, limit int) (ids []string) {
	w.t.Helper()
	cursor := ""
	for pages := 0; ; pages++ {
		var page document.AudienceMembers
		w.get(fmt.Sprintf("/v1/audiences/%s/members?limit=%d&cursor=%s", key, limit, cursor)).into(w.t, &page)
		if pages > 100 || len(page.Members) > limit || page.Next != "" && len(page.Members) < limit {
			w.t.Fatalf("page %d has %d members and next %q", pages, len(page.Members), page.Next)
		}
		for _, m := range page.Members {
			ids = append(ids, m.ID)
		}
		if cursor = string(page.Next); cursor == "" {
			slices.Sort(ids)
			return ids
		}
	}
}

// defineAudience defines an audience and waits until everybody was evaluated by it.
func (w *world) defineAudience(key, text string) {
	w.t.Helper()
	w.post("/v1/audiences:apply", fmt.Sprintf(`{"audiences":{%q:%q}}`, key, text)).want(w.t, 200, key)
	for range 10_000 {
		if s := w.engine.Audiences(); s.Filled == s.Version && s.Told == s.Served {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatal("the audience is not filled")
}

func (w *world) count(key string) int64 {
	w.t.Helper()
	var d document.Audiences
	w.get("/v1/audiences").into(w.t, &d)
	for _, a := range d.Audiences {
		if n, err := strconv.ParseInt(string(a.Members), 10, 64); a.Key == key && err == nil {
			return n
		}
	}
	w.t.Fatalf("%s has no count: %+v", key, d)
	return 0
}

// Members are those who are in the audience, on pages of any size, and the count is theirs: when it is defined, with each event,
// when two become one, and when they are divided.
func TestAudienceMembers(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 10 {
		w.feed(fmt.Sprintf(`{"type":"track","messageId":"v%d","anonymousId":"a%d","timestamp":"2026-01-01T00:00:00Z","event":"Viewed","properties":{"n":%d}}`, i, i, i))
	}
	w.defineAudience("viewers", `events("Viewed", p.n >= 3).any()`)
	check := func(what string, names ...string) {
		t.Helper()
		var want []string
		for _, name := range names {
			var p document.Profile
			w.get("/v1/profiles/"+name).into(t, &p)
			want = append(want, p.ID)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		for _, limit := range []int{1, 3, 200} {
			if got := w.members("viewers", limit); !slices.Equal(got, want) {
				t.Errorf("%s: pages of %d: %v, want %v", what, limit, got, want)
			}
		}
		if n := w.count("viewers"); n != int64(len(want)) {
			t.Errorf("%s: counts %d, want %d", what, n, len(want))
		}
	}
	all := []string{"anonymous_id:a3", "anonymous_id:a4", "anonymous_id:a5", "anonymous_id:a6", "anonymous_id:a7", "anonymous_id:a8", "anonymous_id:a9"}
	check("defined", all...)
	w.feed(`{"type":"track","messageId":"x","anonymousId":"a0","timestamp":"2026-01-02T00:00:00Z","event":"Viewed","properties":{"n":3}}`)
	check("an event", append(all, "anonymous_id:a0")...)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a3","b":"anonymous_id:a4"}`)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a1","b":"anonymous_id:a5"}`)
	check("merged", append(all, "anonymous_id:a0", "anonymous_id:a1")...)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a3","b":"anonymous_id:a4","withdraw":true}`)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a1","b":"anonymous_id:a5","withdraw":true}`)
	check("divided", append(all, "anonymous_id:a0")...)
	w.post("/v1/audiences:apply", `{"audiences":{},"prune":true}`).want(t, 200, "")
	w.get("/v1/audiences/viewers/members").want(t, 404, `"unknown_audience"`)
	w.get("/v1/audiences/viewers/members?cursor=x").want(t, 400, `"bad_parameter"`)
}

// Nobody ever defined an audience.
func TestMembersOfNothing(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/v1/audiences/x/members").want(t, 404, `"unknown_audience"`)
	w.get("/v1/audiences").want(t, 200, `"audiences":[]`)
}
