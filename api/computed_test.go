package api

import (
	"bytes"
	"encoding/csv"
	"slices"
	"testing"
	"time"
)

// defineTraits defines computed traits and waits until they serve.
func (w *world) defineTraits(body string) {
	w.t.Helper()
	w.post("/v1/traits:apply", body).want(w.t, 200, `"version":`)
	for range 10_000 {
		if s := w.engine.Audiences(); s.Filled == s.Version {
			return
		}
		time.Sleep(time.Millisecond)
	}
	w.t.Fatal("the computed traits are not filled")
}

// Computed traits follow from events that came before they were defined and after, of all that is known of one person; profiles, exports and
// Segment's API have them.
func TestComputedTraits(t *testing.T) {
	w := newWorld(t, nil)
	view := func(id, cookie, sku string) {
		w.feed(`{"type":"track","messageId":"` + id + `","anonymousId":"` + cookie + `","timestamp":"2026-01-01T00:00:0` + id + `Z","event":"Viewed","properties":{"sku":"` + sku + `"}}`)
	}
	w.get("/v1/traits").want(t, 200, `{"version":0,"filled":0,"traits":[]}`)
	view("1", "a", "x")
	view("2", "a", "y")
	view("3", "b", "x")
	w.defineTraits(`{"traits":{"views":"events(\"Viewed\").count()","newest":"events('Viewed').newest(p.sku, 2)","paid":"orders().net(\"EUR\")","last":"events(\"Viewed\").last_time()"}}`)
	w.get("/v1/traits").want(t, 200, `"traits":[{"key":"last","text":"events(\"Viewed\").last_time()","of":{"signal":{"event":"Viewed"},"value":"last_time"},"serves":true},{"key":"newest"`)
	computed := func(who, want string) {
		t.Helper()
		w.get("/v1/profiles/anonymous_id:"+who+"?fields=computed").want(t, 200, `,"computed":`+want+`}`)
	}
	computed("a", `{"last":"2026-01-01T00:00:02.000Z","newest":["y","x"],"paid":0,"views":2}`)
	view("4", "a", "z")
	computed("a", `{"last":"2026-01-01T00:00:04.000Z","newest":["z","y"],"paid":0,"views":3}`)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a","b":"anonymous_id:b"}`)
	computed("b", `{"last":"2026-01-01T00:00:04.000Z","newest":["z","x"],"paid":0,"views":4}`)
	w.assert(t, `{"verb":"force","a":"anonymous_id:a","b":"anonymous_id:b","withdraw":true}`)
	computed("b", `{"last":"2026-01-01T00:00:03.000Z","newest":["x"],"paid":0,"views":1}`)

	w.get("/v1/profiles/anonymous_id:b?computed=true").want(t, 200, `"currency":null,"computed":{"last":`)
	w.get("/v1/profiles/anonymous_id:b").want(t, 200, `"currency":null}`)
	w.get("/v1/export?computed=true").want(t, 200, `"computed":{"last":"2026-01-01T00:00:03.000Z","newest":["x"],"paid":0,"views":1}}`)
	rows, err := csv.NewReader(bytes.NewReader([]byte(w.get("/v1/export?format=csv&fields=computed").body))).ReadAll()
	if err != nil || len(rows) != 3 || !slices.Equal(rows[0], []string{"id", "computed"}) {
		t.Error(rows, err)
	}
	traits := segmentPath + "anonymous_id:b/traits"
	w.get(traits+"?class=computed_trait").want(t, 200, `{"traits":{"last":"2026-01-01T00:00:03.000Z","newest":["x"],"paid":0,"views":1},`)
	w.get(traits+"?class=audience").want(t, 200, `{"traits":{},`)
	w.get(traits+"?include=views&verbose=true").want(t, 200, `{"views":{"value":1,"source_id":"kindred","updated_at":"`)

	// A wrong definition changes nothing, and a deleted one is gone.
	for body, says := range map[string]string{
		`{"traits":{"v":"orders().count() > 1"}}`:           "computed trait v: line 1, column",
		`{"traits":{"v":"orders().net(\"E\")"}}`:            "is no currency",
		`{"traits":{"V":"orders().count()"}}`:               "lower-case letters",
		`{"traits":{"v":"events(\"x\").newest(p.a, 999)"}}`: "give 1 to 64",
	} {
		w.post("/v1/traits:apply", body).want(t, 400, `"bad_audience"`, says)
	}
	w.defineAudience("reachable", `has_identifier("email")`)
	w.post("/v1/traits:apply", `{"traits":{"reachable":"orders().count()"}}`).want(t, 400, "is that of an audience")
	w.post("/v1/audiences:apply", `{"audiences":{"views":"has_identifier(\"email\")"}}`).want(t, 400, "is that of an audience")
	w.defineTraits(`{"traits":{"paid":"orders().count()"},"prune":true}`)
	computed("b", `{"paid":0}`)
	w.get("/v1/audiences").want(t, 200, `"key":"reachable"`)
}
