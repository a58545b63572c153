package api

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

const segmentPath = "/v1/spaces/any/collections/users/profiles/"

// The paths of Segment's Profile API answer in its form, and cursors lead through all of it.
func TestSegmentProfileAPI(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.feed(`{"type":"group","messageId":"g1","userId":"u1","groupId":"acme","timestamp":"2026-01-01T00:06:00Z"}`,
		`{"type":"group","messageId":"g2","userId":"u1","groupId":7,"timestamp":"2026-01-01T00:07:00Z"}`)
	for _, id := range []string{"user_id:u1", "email:ANN@example.com", w.id("anonymous_id:a1")} {
		w.get(segmentPath+id+"/traits?include=email,none").want(t, 200,
			`{"traits":{"email":"Ann@Example.com"},"cursor":{"url":"","has_more":false,"next":"","limit":10}}`)
	}
	w.get(segmentPath+"user_id:u1/traits?exclude=address&verbose=true").want(t, 200, `{"email":{"value":"Ann@Example.com","source_id":`, `"updated_at":"2026-01-01T00:05:00.000Z"}}`)
	for _, part := range []string{"traits", "external_ids", "events", "metadata", "links"} { // readers of Segment send what its API has
		w.get(segmentPath+"user_id:u1/"+part+"?verbose=true&start=2020-01-01T00:00:00Z&collection=users&limit=5").want(t, 200)
	}
	w.get(segmentPath+"user_id:u1/traits?class=audience").want(t, 200, `{"traits":{},`)
	w.get(segmentPath+"user_id:u1/metadata").want(t, 200, `"segment_id":"`+w.id("user_id:u1")+`","created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:07:00.000Z"}`)
	w.get(segmentPath+"user_id:u1/external_ids?include=email").want(t, 200,
		`{"data":[{"collection":"users","type":"email","id":"ann@example.com","encoding":"none","created_at":"2026-01-01T00:01:00.500Z"}],"cursor":`)
	w.get(segmentPath+"user_id:u1/links").want(t, 200, `"to_collection":"accounts","external_ids":[{"collection":"accounts","type":"group_id","id":"7"`, `"id":"acme"`)
	w.get(segmentPath+"anonymous_id:a9/links").want(t, 404, `"code":"not_found"`)

	w.get("/v1/profiles/user_id:u1/groups?limit=1").want(t, 200,
		`"groups":[{"id":"7","type":null,"events":1,"first_seen":"2026-01-01T00:07:00.000Z","last_seen":"2026-01-01T00:07:00.000Z"}],"next":"`)
	w.get("/v1/profiles/user_id:u1/groups?cursor=!").want(t, 400, `"bad_parameter"`)

	var ids, kinds []string
	for path := segmentPath + "user_id:u1/external_ids?limit=1"; path != ""; {
		var page document.SegmentExternalIDs
		w.get(path).into(t, &page)
		for _, id := range page.Data {
			ids = append(ids, id.Type)
		}
		if path = page.Cursor.URL; page.Cursor.HasMore != (path != "") || len(page.Data) != 1 {
			t.Fatal(page)
		}
	}
	if !slices.Equal(ids, []string{"user_id", "email", "anonymous_id", "anonymous_id"}) {
		t.Error(ids)
	}
	for path := segmentPath + "user_id:u1/events?limit=3&end=2026-01-01T00:06:30Z"; path != ""; {
		var page document.SegmentEvents
		w.get(path).into(t, &page)
		for i := range page.Data {
			kinds = append(kinds, page.Data[i].Type)
		}
		path = page.Cursor.URL
	}
	if len(kinds) != 7 || kinds[0] != "group" || kinds[6] != "page" {
		t.Error(kinds)
	}
	var groups []string
	for path := segmentPath + "user_id:u1/links?limit=1"; path != ""; {
		var page document.SegmentLinks
		w.get(path).into(t, &page)
		groups = append(groups, page.Data[0].ExternalIDs[0].ID)
		path = page.Cursor.URL
	}
	if fmt.Sprint(groups) != "[7 acme]" {
		t.Error(groups)
	}
}

// A problem has Segment's member error beside the others, in the handler and before it.
func TestSegmentProblems(t *testing.T) {
	w := newWorld(t, nil)
	for path, code := range map[string]string{
		"user_id:nobody/traits": "not_found", "nonsense/events": "bad_id", "user_id:1/traits?limit=201": "bad_parameter",
		"user_id:1/events?sort=asc": "bad_parameter", "user_id:1/links?next=!": "bad_parameter", "user_id:1/events?next=AAAA": "bad_parameter",
		"user_id:1/metadata?limit=1": "not_found",
	} {
		a := w.get(segmentPath + path)
		if !strings.Contains(a.body, `"error":{"code":"`+code+`","message":"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	r := httptest.NewRequest("GET", segmentPath+"user_id:1/traits", nil)
	r.Header.Set("Origin", "https://shop.example")
	w.do(r).want(t, 403, `"error":{"code":"cross_origin","message":"`)
	w.do(httptest.NewRequest("DELETE", segmentPath+"user_id:1/traits", nil)).want(t, 405, `"method_not_allowed"`)
}
