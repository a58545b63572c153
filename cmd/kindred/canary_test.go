package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// canaries name a person, or open a door, and are in no other text. None may be in any output of a server but the answers
// about that person.
var canaries = []string{
	"canary.person@planted.example", "canary.person", "+4915555501234", "15555501234", "canary-user-7741", "canary-cookie-9921",
	"wk_canary0canary0canary0canary", "canary-token", "Canarina", "canary-order-1", "canary-group-1",
}

const canaryEvent = `{"type":"identify","messageId":"%s","userId":"canary-user-7741","anonymousId":"canary-cookie-9921","timestamp":"2026-01-01T00:00:00Z",` +
	`"traits":{"email":"canary.person@planted.example","phone":"+4915555501234","firstName":"Canarina"}%s}`

// plant sends the canaries to a server by every route, in what is taken, in what is rejected, in paths, queries and
// headers: plant ADDR.
func plant(ts *testscript.TestScript, _ bool, args []string) {
	good := fmt.Sprintf(canaryEvent, "m1", "")
	address := "canary.person@planted.example"
	id := url.PathEscape("email:" + address)
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/v1/identify", good},
		{"POST", "/v1/batch", `{"batch":[` + good + `,{"type":"track","event":"Order Completed","userId":"canary-user-7741","messageId":"m2",` +
			`"properties":{"order_id":"canary-order-1","total":"` + address + `","currency":"+4915555501234"}},{"type":"canary-user-7741"}]}`},
		{"POST", "/v1/batch", `{"batch":[` + fmt.Sprintf(canaryEvent, address, `,"context":{"ip":"`+address+`"}`)},
		{"POST", "/v1/track", `{"userId":"canary-user-7741","event":`},
		{"POST", "/v1/track", `{"userId":{"canary-user-7741":1},"event":"x","timestamp":"canary-user-7741","messageId":"m3","anonymousId":"canary-cookie-9921"}`},
		{"POST", "/v1/alias", `{"previousId":"canary-cookie-9921","userId":"canary-user-7741","messageId":"m4"}`},
		{"POST", "/v1/group", `{"groupId":"canary-group-1","groupType":"canary-token","userId":"canary-user-7741","messageId":"m5","traits":{"name":"Canarina"}}`},
		{"POST", "/v1/group", `{"groupId":{"canary-group-1":1},"userId":"canary-user-7741","messageId":"m6","traits":"Canarina"}`},
		{"GET", "/v1/groups/canary-group-1?type=canary-token", ""},
		{"GET", "/v1/groups/canary-group-1/members?cursor=canary-token", ""},
		{"GET", "/v1/groups?cursor=canary-group-1", ""},
		{"POST", "/v1/" + id, good},
		{"GET", "/v1/profiles/" + id, ""},
		{"GET", "/v1/profiles/" + id + "?" + address, ""},
		{"GET", "/v1/profiles/email:" + url.PathEscape("canary.person@"), ""},
		{"GET", "/v1/profiles/" + url.PathEscape("canary-user-7741:"+address), ""},
		{"GET", "/v1/profiles/" + id + "/timeline?cursor=canary-token", ""},
		{"GET", "/" + address, ""},
		{"DELETE", "/v1/profiles/" + id, ""},
		{"CANARY", "/v1/profiles/" + id, ""},
		{"POST", "/v1/assertions", `{"kind":"force","a":"email:` + address + `","b":"user_id:canary-user-7741","actor":"` + address + `","reason":"canary-user-7741"}`},
		{"POST", "/v1/assertions", `{"kind":"canary-user-7741","a":"email:` + address + `"}`},
		{"GET", "/v1/export", ""},
		{"GET", "/v1/why?a=" + id + "&b=" + id, ""},
	} {
		req, err := http.NewRequest(r.method, "http://"+args[0]+r.path, strings.NewReader(r.body))
		ts.Check(err)
		req.Header.Set("Authorization", "Bearer wk_canary0canary0canary0canary")
		req.Header.Set("X-Write-Key", "wk_canary0canary0canary0canary")
		req.Header.Set("X-Request-Id", "canary.person@planted.example")
		req.Header.Set("User-Agent", "canary-user-7741")
		res, err := http.DefaultClient.Do(req)
		ts.Check(err)
		_, err = io.Copy(io.Discard, res.Body)
		ts.Check(err)
		ts.Check(res.Body.Close())
	}
}

// unseen fetches pages, and fails if one of them has a canary: unseen URL....
func unseen(ts *testscript.TestScript, _ bool, args []string) {
	for _, page := range args {
		res, err := http.Get(page)
		ts.Check(err)
		body, err := io.ReadAll(res.Body)
		ts.Check(err)
		ts.Check(res.Body.Close())
		if res.StatusCode != http.StatusOK || len(body) == 0 {
			ts.Fatalf("%s: %s", page, res.Status)
		}
		if seen := canaryIn(body); seen != "" {
			ts.Fatalf("%s shows %s:\n%s", page, seen, body)
		}
	}
}

// noCanary fails if a file, stdout or stderr has a canary, or is empty: nocanary FILE....
func noCanary(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		text := ts.ReadFile(name)
		if text == "" {
			ts.Fatalf("%s is empty: nothing was looked at", name)
		}
		if seen := canaryIn([]byte(text)); seen != "" {
			ts.Fatalf("%s shows %s:\n%s", name, seen, text)
		}
	}
}

// canaryIn returns a canary that is in a text, or nothing. Escaped forms count.
func canaryIn(text []byte) string {
	for _, canary := range canaries {
		for _, form := range []string{canary, url.QueryEscape(canary), url.PathEscape(canary)} {
			if bytes.Contains(bytes.ToLower(text), bytes.ToLower([]byte(form))) {
				return canary
			}
		}
	}
	return ""
}

// The search finds each canary in each of the forms in which it may come out.
func TestCanaryIn(t *testing.T) {
	if seen := canaryIn([]byte("request route=/v1/profiles/{id} status=404")); seen != "" {
		t.Errorf("found %s where there is none", seen)
	}
	for _, canary := range canaries {
		for _, text := range []string{"msg=not found: " + strings.ToUpper(canary), "GET /" + url.PathEscape(canary)} {
			if canaryIn([]byte(text)) == "" {
				t.Errorf("%q not found in %q", canary, text)
			}
		}
	}
}
