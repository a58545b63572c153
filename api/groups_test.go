package api

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// A group has the traits that the latest events set, with their sources, whatever the order of events.
func TestGroup(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(
		`{"type":"group","messageId":"g2","userId":"u1","groupId":"acme","timestamp":"2026-01-01T00:02:00Z","traits":{"plan":"pro","old":null}}`,
		`{"type":"group","messageId":"g1","userId":"u1","groupId":"acme","timestamp":"2026-01-01T00:01:00Z","traits":{"plan":"free","name":"Acme","old":1}}`,
		`{"type":"group","messageId":"g3","userId":"u2","groupId":"a/b c","groupType":"team","timestamp":"2026-01-01T00:03:00Z"}`)
	w.post("/v1/group", `{"messageId":"g1","userId":"u1","groupId":"acme","timestamp":"2026-01-01T00:01:00Z","traits":{"plan":"free","name":"Acme","old":1}}`).
		want(t, 200, `"duplicates":1`)
	w.post("/v1/group", `{"messageId":"g4","userId":"u1","groupId":"`+strings.Repeat("x", 513)+`","traits":"gold"}`).
		want(t, 200, `"accepted":1`, `"field":"groupId"`, `"code":"identifier_too_long"`, `"field":"traits"`, `"code":"bad_type"`)
	w.get("/v1/groups/acme").want(t, 200, `{"id":"acme","type":null,"events":2,"first_seen":"2026-01-01T00:01:00.000Z","last_seen":"2026-01-01T00:02:00.000Z",`+
		`"identifiers":1,"people":1,"traits":{"name":"Acme","plan":"pro"}}`)
	w.get("/v1/groups/acme?verbose=true").want(t, 200, `"traits":{"name":{"value":"Acme","updated_at":"2026-01-01T00:01:00.000Z","source":`,
		`"plan":{"value":"pro","updated_at":"2026-01-01T00:02:00.000Z","source":`, `"message_id":"g2"}`)
	w.get("/v1/groups/a%2Fb%20c?type=team").want(t, 200, `"id":"a/b c","type":"team"`, `"traits":{}`)
	w.get("/v1/groups/a%2Fb%20c").want(t, 404, `"unknown_group"`)
	w.get("/v1/groups/nobody").want(t, 404, `"unknown_group"`)
	w.get("/v1/groups/nobody/members").want(t, 404, `"unknown_group"`)
	w.get("/v1/groups/acme?verbose=1").want(t, 400, `"bad_parameter"`)
	w.get("/v1/groups/acme/members?limit=0").want(t, 400, `"bad_parameter"`)
	w.get("/v1/groups/acme/members?cursor=x").want(t, 400, `"bad_parameter"`)
	w.get("/v1/groups?cursor=x").want(t, 400, `"bad_parameter"`)
	// A person has no group of a groupId that names no group.
	w.feed(`{"type":"group","messageId":"g5","userId":"u3","groupId":"\t"}`, `{"type":"group","messageId":"g6","userId":"u3","groupId":"null"}`,
		`{"type":"group","messageId":"g7","userId":"u3","groupId":" padded "}`)
	w.get("/v1/profiles/user_id:u3/groups").want(t, 200, `"groups":[{"id":"padded","type":null,"events":1,`)
	w.get("/v1/profiles/user_id:u1/groups").want(t, 200, `"groups":[{"id":"acme","type":null,"events":2,`)
	w.get("/v1/profiles/user_id:u2/groups").want(t, 200, `"groups":[{"id":"a/b c","type":"team","events":1,`)
}

// membersOf walks through the pages of a group's people.
func (w *world) membersOf(t *testing.T, group string, limit int) (ids []string) {
	t.Helper()
	cursor := ""
	for {
		var page document.GroupMembers
		w.get(fmt.Sprintf("/v1/groups/%s/members?limit=%d&cursor=%s", group, limit, cursor)).into(t, &page)
		if len(page.Members) > limit {
			t.Fatalf("%d people in a page of %d", len(page.Members), limit)
		}
		for _, m := range page.Members {
			ids = append(ids, fmt.Sprintf("%s %d %s", m.ID, m.Events, m.LastSeen))
		}
		if cursor = string(page.Next); cursor == "" {
			slices.Sort(ids)
			return ids
		}
	}
}

// Two people who turn out to be one are one member, with what both said; after an undo they are two.
func TestGroupMembersFollowMergesAndUndo(t *testing.T) {
	w := newWorld(t, nil)
	var events []string
	for n := range 7 {
		events = append(events, fmt.Sprintf(`{"type":"group","messageId":"g%d","anonymousId":"a%d","groupId":"acme","timestamp":"2026-01-01T00:0%d:00Z"}`, n, n, n))
	}
	w.feed(events...)
	apart := w.membersOf(t, "acme", 3)
	if len(apart) != 7 {
		t.Fatalf("%d people, want 7: %s", len(apart), apart)
	}
	w.feed(`{"type":"group","messageId":"login1","userId":"u1","anonymousId":"a1","groupId":"acme","timestamp":"2026-01-01T01:00:00Z"}`,
		`{"type":"identify","messageId":"login2","userId":"u1","anonymousId":"a2","timestamp":"2026-01-01T01:01:00Z"}`)
	for limit := 1; limit <= 8; limit++ {
		together := w.membersOf(t, "acme", limit)
		if want := w.id("user_id:u1") + " 3 2026-01-01T01:00:00.000Z"; len(together) != 6 || !slices.Contains(together, want) {
			t.Errorf("limit %d: %s, want 6 people with %s", limit, strings.Join(together, ", "), want)
		}
	}
	w.get("/v1/groups/acme").want(t, 200, `"events":8,`, `"identifiers":8,"people":6,`)
	w.post("/v1/assertions", `{"verb":"cannot","a":"user_id:u1","b":"anonymous_id:a2"}`).want(t, 200)
	for _, limit := range []int{1, 2, 50} {
		divided := w.membersOf(t, "acme", limit)
		if want := w.id("user_id:u1") + " 2 2026-01-01T01:00:00.000Z"; len(divided) != 7 || !slices.Contains(divided, want) {
			t.Errorf("limit %d: %s, want 7 people with %s", limit, strings.Join(divided, ", "), want)
		}
	}
	w.get("/v1/groups/acme").want(t, 200, `"people":7,`)
	w.post("/v1/assertions", `{"verb":"cannot","a":"user_id:u1","b":"anonymous_id:a2","withdraw":true}`).want(t, 200)
	if again := w.membersOf(t, "acme", 2); len(again) != 6 {
		t.Errorf("the undo is undone: %s", again)
	}
}

// All groups come in pages, each once.
func TestGroupsAreListed(t *testing.T) {
	w := newWorld(t, nil)
	var want, got []string
	for n := range 9 {
		id := fmt.Sprintf("g%d", n)
		w.feed(fmt.Sprintf(`{"type":"group","messageId":"m%d","userId":"u1","groupId":"%s","traits":{"n":%d}}`, n, id, n))
		want = append(want, fmt.Sprintf(`%s {"n":%d}`, id, n))
	}
	for cursor := ""; ; {
		var page document.Groups
		w.get("/v1/groups?limit=2&cursor="+cursor).into(t, &page)
		for _, g := range page.Groups {
			got = append(got, fmt.Sprintf(`%s {"n":%s}`, g.ID, g.Traits["n"]))
		}
		if cursor = string(page.Next); cursor == "" {
			break
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
}
