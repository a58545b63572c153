package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Every path that a library sends to takes its events, however the library's host was misconfigured, and none redirects (P2).
func TestLibraryPaths(t *testing.T) {
	w := newWorld(t, nil)
	n := 0
	event := func(typ string) string {
		n++
		return fmt.Sprintf(`{"type":%q,"event":"x","userId":"u","previousId":"p","messageId":"m%d"}`, typ, n)
	}
	const one = `"accepted":1`
	for _, path := range []string{"/v1/batch", "/v1/b", "/v1/import", "/batch", "/b", "/api/s/s2s/batch", "/beacon/v1/batch"} {
		w.post(path, `{"batch":[`+event("page")+`]}`).want(t, 200, one)
	}
	for _, typ := range []string{"identify", "track", "page", "screen", "group", "alias"} {
		for _, path := range []string{"/v1/" + typ, "/v1/" + typ[:1], "/api/s/" + typ, "/api/s/s2s/" + typ} {
			w.post(path, event(typ)).want(t, 200, one)
		}
		w.post("/v1/"+typ[:1], `{"userId":"u"`+strings.TrimPrefix(event(typ), `{"type":"`+typ+`"`)).want(t, 200)
	}
	for _, path := range []string{
		"/v1/v1/batch", "/v1/batch/v1/batch", "//v1//v1/batch/", "/batch/v1/batch", "/v1/b/v1/b", "/v1/import/v1/batch", "/api/s/v1/batch",
		"/v1/api/s/s2s/batch", "/v1/batch/batch", "/v1/v1/page", "/api/s/api/s/page", "/api/s/s2s/api/s/page", "/v1/v1/p", "/v1/projects/v1/p",
	} {
		w.post(path, event("page")).want(t, 200, one)
	}
	w.get("/v1/v1/projects/k/settings").want(t, 200, `"k"`)
	w.get("/v1/projects/projects/k/settings").want(t, 200, `"k"`)
	w.get("/sourceConfig/sourceConfig/?writeKey=k").want(t, 200, `"k"`)
	// Only what libraries call is found this way, and only below parts of their paths.
	for _, path := range []string{"/v1/v1/profiles/user_id:u", "/v1/v1/export", "/v1/batch/readyz", "/x/v1/batch", "/v1/x/batch", strings.Repeat("/v1", 9) + "/batch", "/v1/v1/%zz"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w.do(r).want(t, 404, `"unknown_route"`)
	}
	w.get("/v1/v1/batch").want(t, 405, `"method_not_allowed"`)
	w.get("/v1/profiles/user_id:u").want(t, 200, fmt.Sprintf(`"events":%d,`, n))
}

// A browser asks before it sends, and reads of an answer what the headers expose: on the routes that take events, for the
// pages that may, and nowhere else.
func TestPagesOfOtherOrigins(t *testing.T) {
	ask := func(w *world, method, path, origin string) answer {
		r := httptest.NewRequest(method, path, strings.NewReader(`{"type":"page","userId":"u"}`))
		r.Host = "kindred.example"
		if origin != "" {
			r.Header.Set("Origin", origin)
			r.Header.Set("Sec-Fetch-Site", "cross-site")
		}
		return w.do(r)
	}
	check := func(a answer, status int, origin string) {
		t.Helper()
		a.want(t, status)
		if got := a.header.Get("Access-Control-Allow-Origin"); got != origin {
			t.Errorf("allows %q, want %q", got, origin)
		}
	}
	const shop, other = "https://shop.example", "https://other.example"
	w := newWorld(t, nil)
	for _, rt := range w.server.Routes() {
		for _, path := range append([]string{rt.Path}, rt.Aliases...) {
			path = strings.NewReplacer("{type}", "track", "{writeKey}", "k", "{id}", "user_id:u", "{name}", "x").Replace(path)
			a := ask(w, "OPTIONS", path, shop)
			if rt.Audience != route.Collect {
				check(a, 405, "")
				if rt.SameOrigin {
					check(ask(w, rt.Method, path, shop), 403, "")
				}
				continue
			}
			check(a, 204, shop)
			if h := a.header; h.Get("Access-Control-Allow-Methods") != rt.Method+", OPTIONS" || h.Get("Access-Control-Max-Age") != "7200" || h.Get("Vary") != "Origin" {
				t.Errorf("%s: %v", path, h)
			}
			for _, header := range []string{
				"authorization", "content-type", "anonymousid", "sentat", "x-retry-count", "x-write-key", "x-ip-policy", "rsa-retry-attempt",
				"rsa-retry-reason", "rsa-since-last-attempt", "rsa-since-first-attempt",
			} {
				if !slices.Contains(strings.Split(a.header.Get("Access-Control-Allow-Headers"), ", "), header) {
					t.Errorf("%s: a page may not send %s", path, header)
				}
			}
		}
	}
	check(ask(w, "GET", "/v1/profiles/user_id:u", shop), 403, "")
	check(ask(w, "GET", "/v1/profiles/user_id:u", "http://kindred.example"), 404, "") // a page of its own
	a := ask(w, "POST", "/v1/page", shop)
	check(a, 200, shop)
	if a.header.Get("Access-Control-Expose-Headers") != "Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, X-Request-Id" {
		t.Error(a.header)
	}
	check(ask(w, "POST", "/v1/page", "null"), 200, "null")         // a page in a sandbox, or a file
	check(ask(w, "POST", "/v1/identify", shop), 400, shop)         // a page can read what went wrong
	check(ask(w, "OPTIONS", "/v1/batch", ""), 204, "")             // no page: nothing to allow
	check(ask(w, "OPTIONS", "/v1/v1/batch", shop), 204, shop)      // a misconfigured host
	check(ask(w, "OPTIONS", "/v1/batch/v1/export", shop), 404, "") // not a route for libraries

	w.reconfigure(func(c *Config) { c.Origins = []string{"HTTPS://Shop.example:443/", "http://localhost:3000"} })
	check(ask(w, "OPTIONS", "/v1/page", shop), 204, shop)
	check(ask(w, "POST", "/v1/page", shop), 200, shop)
	check(ask(w, "POST", "/v1/page", "http://localhost:3000"), 200, "http://localhost:3000")
	check(ask(w, "POST", "/v1/page", "https://kindred.example"), 200, "https://kindred.example") // its own pages
	check(ask(w, "POST", "/v1/page", ""), 200, "")
	for _, origin := range []string{other, "null", "http://shop.example", "https://shop.example.evil.example", "https://shop.example:8443"} {
		check(ask(w, "OPTIONS", "/v1/page", origin), 403, "")
		a := ask(w, "POST", "/v1/page", origin)
		check(a, 403, "")
		a.want(t, 403, `"cross_origin"`, "--collect-origins")
	}
	w.reconfigure(func(c *Config) { c.Origins = []string{route.NoOrigin} })
	check(ask(w, "OPTIONS", "/v1/page", shop), 403, "")
	check(ask(w, "POST", "/v1/page", ""), 200, "")
}

func TestOriginLists(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "*": true, "none": true, "https://a.example": true, "https://a.example,*": true, "capacitor://localhost": true, "http://[::1]:80": true,
		"none,https://a.example": false, "a.example": false, "https://": false, "https://a.example/x": false, "https://u@a.example": false,
		"https://a.example?x": false, "https://a.example#x": false, "https://%zz": false,
	} {
		list := strings.Split(text, ",")
		if text == "" {
			list = nil
		}
		if _, err := route.NewOrigins(list); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Libraries for browsers send nothing without settings that name the host, so any key gets them, and they name the host that
// was asked.
func TestLibrarySettings(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct{ path, host, proto, key, apiHost, protocol string }{
		{"/v1/projects/k1/settings", "kindred.example:8080", "", "k1", "kindred.example:8080/v1", "http"},
		{"//v1/projects/k1/settings/", "kindred.example", "https", "k1", "kindred.example/v1", "https"},
		{"/projects/k%2F1%22/settings", "[::1]:80", "HTTPS, http", `k/1"`, "[::1]:80/v1", "https"},
		{"/v1/projects/k1/settings", "kindred.example", "gopher", "k1", "kindred.example/v1", "http"},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Host = c.host
		r.Header.Set("X-Forwarded-Proto", c.proto)
		a := w.do(r)
		var got document.Settings
		a.into(t, &got)
		if s := got.Integrations.Segment; s.APIKey != c.key || s.APIHost != c.apiHost || s.Protocol != c.protocol {
			t.Errorf("%s: %+v", c.path, s)
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Error("settings that name the host of one request may be kept for another")
		}
		a.want(t, 200, `"metrics":{"sampleRate":0}`)
	}
	r := httptest.NewRequest("GET", "/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey=k2", nil)
	r.SetBasicAuth("k2", "")
	w.do(r).want(t, 200, `"source":{"id":"k2","name":"k2","writeKey":"k2","enabled":true,`,
		`"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}`, `"connections":[],"destinations":[],"dataplanes":{}`)
	w.get("/sourceConfig").want(t, 200, `"enabled":true`)

	w.post("/v1/m", `{"series":[]}`).want(t, 200, `{"success":true}`)
	w.post("/v1/m", strings.Repeat("x", 8<<20)).want(t, 200) // unread, so of any size
}

func TestPixels(t *testing.T) {
	w := newWorld(t, nil)
	image := func(path string) {
		t.Helper()
		a := w.get(path)
		a.want(t, 200)
		if a.header.Get("Content-Type") != "image/gif" || !strings.HasPrefix(a.body, "GIF89a") || len(a.body) != 43 || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %q", path, a.header, a.body)
		}
	}
	image("/pixel/v1/track?writeKey=mail&anonymousId=a1&userId=u1&event=Order%20Completed&messageId=m1&properties.order_id=o1&properties.revenue=12.50&properties.currency=EUR&context.page.url=https%3A%2F%2Fshop.example%2F")
	image("/pixel/v1/track?writeKey=mail&anonymousId=a1&userId=u1&event=Order%20Completed&messageId=m1&properties.order_id=o1&properties.revenue=12.50&properties.currency=EUR&context.page.url=https%3A%2F%2Fshop.example%2F")
	image("/pixel/v1/page?anonymousId=a1&name=Home&messageId=m2")
	data := base64.StdEncoding.EncodeToString([]byte(`{"type":"track","event":"Opened","messageId":"m3","properties":{"n":12345678901234567890},"userId":"u1"}`))
	image("/api/px/t?writekey=mail&data=" + strings.ReplaceAll(data, "+", "%2B"))
	image("/api/px/identify?userId=u1&traits.email=Ann%40Example.com&messageId=m4&process_headers=true&cookie_domain=x")
	image("/api/px/page?messageId=m5") // names nobody: as with other events, no error of the page
	w.get("/v1/profiles/email:ann@example.com").want(t, 200, `"events":4,`, `"orders":1`, `"revenue":12.50`, `"value":"u1"`, `"value":"a1"`)
	w.get("/v1/profiles/user_id:u1/events").want(t, 200, `12345678901234567890`, `"source":"mail"`, `"Opened"`)
	if a := w.do(httptest.NewRequest("HEAD", "/pixel/v1/page?anonymousId=a1&messageId=m6", nil)); a.status != 200 {
		t.Error(a)
	}
	w.get("/v1/profiles/user_id:u1").want(t, 200, `"events":4,`)

	w.get("/api/px/shout?userId=u1").want(t, 404, `"unknown_route"`)
	w.get("/api/px/page?data=%25").want(t, 400, `"bad_parameter"`, "Base64")
	w.get("/api/px/page?data=eyJiYXRjaCI6W119").want(t, 400, `"bad_parameter"`, "one event") // {"batch":[]}
	w.get("/api/px/page?batch=").want(t, 400, `"bad_parameter"`)
	w.get("/api/px/page?data=MTc").want(t, 400, `"bad_parameter"`, "object")
	w.get("/api/px/page?userId=u1&properties..x=1").want(t, 400, `"bad_parameter"`)
	w.get("/api/px/page?userId=u1&properties"+strings.Repeat(".x", 16)+"=1").want(t, 400, `"bad_parameter"`)
	w.get("/api/px/page?userId=u1&type=track").want(t, 400, `"no_readable_event"`, `"status":400`)
	w.get("/metrics").want(t, 200, `kindred_http_requests_total{route="/api/px/{type}",status="200"} 3`)
}

func TestSnowplow(t *testing.T) {
	w := newWorld(t, nil)
	text, err := os.ReadFile("../ingest/snowplow/testdata/browser-shop.txt")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "\n----\n")
	_, body, _ := strings.Cut(head, "\n")
	w.post("/com.snowplowanalytics.snowplow/tp2", body).want(t, 200, `"accepted":11,"duplicates":0`)
	w.post("/com.snowplowanalytics.snowplow/tp2", body).want(t, 200, `"accepted":0,"duplicates":11`)
	w.get("/v1/profiles/email:ann@example.com").want(t, 200, `"events":11,`, `"orders":1`, `"revenue":132.60`, `"value":"cus_1"`, `"a8b3c1d2-1111-4222-8333-944455556666"`)
	w.get("/v1/profiles/user_id:cus_1/events").want(t, 200, `"source":"shop"`, `"Checkout Started"`, `"2026-01-02T03:03:06.000Z"`) // a minute before it was sent

	a := w.get("/i?e=pv&eid=p-1&duid=d-9&aid=mail&dtm=1767261600000&page=Home")
	if a.want(t, 200); !strings.HasPrefix(a.body, "GIF89a") {
		t.Errorf("%q", a.body)
	}
	w.get("/v1/profiles/anonymous_id:d-9/events").want(t, 200, `"name":"Home"`, `"source":"mail"`)
	w.get("/i?e=xx&duid=d-9").want(t, 400, `"no_readable_event"`)
	w.post("/com.snowplowanalytics.snowplow/tp2", `{"batch":[]}`).want(t, 400, `"invalid_body"`, "Snowplow")
	w.post("/com.snowplowanalytics.snowplow/tp2", ``).want(t, 400, `"empty_body"`)
	w.post("/com.snowplowanalytics.snowplow/tp2", `{"data":[{"e":"pv","duid":"d-9","eid":"p-2"},{"e":"ue","eid":"p-3","duid":"d-9","ue_pr":"{"}]}`).
		want(t, 200, `"accepted":1`, `"index":1`, `unstruct_event`)
}

// The testdata of package segment says what becomes of the bodies that libraries send; this test adds what the routes do with
// headers, keys and null ids.
func TestLibraryBodies(t *testing.T) {
	w := newWorld(t, nil)
	// Segment's library for Go names itself only around the batch.
	w.post("/v1/batch", `{"messageId":"b","batch":[{"type":"track","event":"x","userId":"go","messageId":"g1"}],"context":{"library":{"name":"analytics-go","version":"3.0.0"}}}`).want(t, 200, `"accepted":1`)
	w.get("/v1/profiles/user_id:go/events").want(t, 200, `"analytics-go"`)
	// A visitor of Segment's library for browsers has a userId that is null.
	r := httptest.NewRequest("POST", "/v1/p", strings.NewReader(`{"type":"page","userId":null,"anonymousId":"v1","messageId":"n1","writeKey":"k"}`))
	r.Header.Set("Content-Type", "text/plain")
	w.do(r).want(t, 200, `"accepted":1`)
	w.get("/v1/profiles/anonymous_id:v1").want(t, 200, `"identifiers":[{"namespace":"anonymous_id","value":"v1",`)
	if a := w.get("/v1/profiles/anonymous_id:v1"); strings.Contains(a.body, "user_id") {
		t.Error(a.body)
	}
	// Jitsu's library masks the key in the body, and names it whole in a header.
	r = httptest.NewRequest("POST", "/api/s/page", strings.NewReader(`{"type":"page","anonymousId":"j1","messageId":"j1","writeKey":"id:***"}`))
	r.Header.Set("X-Write-Key", "shop:secret")
	w.do(r).want(t, 200, `"accepted":1`)
	w.get("/v1/profiles/anonymous_id:j1/events").want(t, 200, `"source":"shop"`)
	// RudderStack's library for Node compresses what it calls a form.
	r = httptest.NewRequest("POST", "/v1/batch", strings.NewReader(string(gzipped(t, []byte(`{"batch":[{"type":"page","userId":"r1","messageId":"r1"}]}`)))))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Content-Encoding", "gzip")
	w.do(r).want(t, 200, `"accepted":1`)
	// As a page is left, its browser sends a text, names the key in the query, and drops the answer.
	r = httptest.NewRequest("POST", "/beacon/v1/batch?writeKey=web", strings.NewReader(`{"batch":[{"type":"page","anonymousId":"b1","messageId":"b1"}]}`))
	r.Header.Set("Content-Type", "text/plain")
	w.do(r).want(t, 200, `"accepted":1`)
	w.get("/v1/profiles/anonymous_id:b1/events").want(t, 200, `"source":"web"`)
	// An answer that a client is to repeat says when, in whole seconds.
	for id := range graph.ShardID(4) {
		w.engine.Lose(id)
	}
	a := w.post("/v1/batch", `[{"type":"page","userId":"r1","messageId":"r2"}]`)
	a.want(t, 503)
	var seconds int
	if err := json.Unmarshal([]byte(a.header.Get("Retry-After")), &seconds); err != nil || seconds < 1 {
		t.Error(a.header)
	}
}
