package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// A line of an export with detail is what the profile's route answers, whole and in parts.
func TestLineIsTheProfile(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.feed(`{"type":"page","messageId":"n1","anonymousId":"b1"}`)
	for _, query := range []string{"", "&fields=traits.email,by_currency,events", "&fields=id"} {
		lines := strings.SplitAfter(w.get("/v1/export?detail=true"+query).body, "\n")
		if len(lines) != 3 {
			t.Fatal(lines)
		}
		for _, id := range []string{"user_id:u1", "anonymous_id:b1"} {
			one := w.get("/v1/profiles/" + id + "?" + strings.TrimPrefix(query, "&")).body
			if one != lines[0] && one != lines[1] {
				t.Errorf("%s%s: %s is none of %v", id, query, one, lines)
			}
		}
	}
	w.get("/v1/profiles/user_id:u1?fields=traits.email,events").want(t, 200, `","events":6,"traits":{"email":"Ann@Example.com"}}`)
	w.get("/v1/profiles/user_id:u1?fields=name").want(t, 400, `no member \"name\"`)
	w.get("/v1/export?fields=name").want(t, 400, `no member \"name\"`)
	w.get("/v1/export?detail=yes").want(t, 400, `"bad_parameter"`)
	w.post("/v1/profiles:batchGet", `{"ids":["user_id:u1"],"fields":["events"]}`).want(t, 200, `"profile":{"id":"`+w.id("user_id:u1")+`","events":6}}`)
	w.post("/v1/profiles:batchGet", `{"ids":["user_id:u1"],"fields":["name"]}`).want(t, 400, `"invalid_body"`)
	if a := w.get("/v1/export?format=csv&fields=events,currency"); a.body[:20] != "id,events,currency\r\n" {
		t.Error(a.body)
	}
}

// Every answer about a person is answered with 304 until a new event changes it.
func TestEntityTags(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	for i, path := range []string{"", "?fields=events", "/identifiers", "/events", "/orders"} {
		path = "/v1/profiles/user_id:u1" + path
		ask := func(tag string) answer {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("If-None-Match", tag)
			return w.do(r)
		}
		first := ask(`"none"`)
		tag := first.header.Get("ETag")
		if first.status != 200 || tag == "" {
			t.Fatalf("%s: %d, tag %q", path, first.status, tag)
		}
		if again := ask(`"other", ` + tag); again.status != 304 || again.body != "" || again.header.Get("ETag") != tag {
			t.Errorf("%s: %d %s", path, again.status, again.body)
		}
		w.feed(strings.ReplaceAll(`{"type":"track","event":"Order Completed","messageId":"tagN","userId":"u1","anonymousId":"aN","properties":{"order_id":"tN","revenue":1}}`,
			"N", string(rune('a'+i))))
		if later := ask(tag); later.status != 200 || later.header.Get("ETag") == tag {
			t.Errorf("%s: %d with the old tag, after an event", path, later.status)
		}
	}
}
