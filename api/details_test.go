package api

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

// Filters choose events by type, name and time, and pages are full whatever is left out.
func TestEventFilters(t *testing.T) {
	w := newWorld(t, nil)
	var events []string
	for i := range 30 {
		kind := []string{`"page","name":"Home"`, `"track","event":"Seen"`, `"track","event":"Clicked, twice"`}[i%3]
		events = append(events, fmt.Sprintf(`{"type":%s,"messageId":"m%02d","userId":"u","anonymousId":"a%d","timestamp":"2026-01-01T00:%02d:00Z"}`, kind, i, i%4, i))
	}
	w.feed(events...)
	ids := func(query url.Values) (ids []string) {
		for {
			var page document.Timeline
			w.get("/v1/profiles/user_id:u/events?"+query.Encode()).into(t, &page)
			for _, text := range page.Events {
				e, err := text.Decode()
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, e.MessageID)
			}
			if page.Next == "" {
				return ids
			}
			if len(page.Events) != 4 {
				t.Fatalf("%d events in a page that is not the last", len(page.Events))
			}
			query.Set("cursor", string(page.Next))
		}
	}
	for query, want := range map[string]func(i int) bool{
		"":                              func(int) bool { return true },
		"type=page":                     func(i int) bool { return i%3 == 0 },
		"type=page,identify&type=group": func(i int) bool { return i%3 == 0 },
		"name=Clicked, twice":           func(i int) bool { return i%3 == 2 },
		"name=Home&name=Seen":           func(i int) bool { return i%3 < 2 },
		"type=track&name=Home":          func(int) bool { return false },
		"since=2026-01-01T00:05:00Z":    func(i int) bool { return i >= 5 },
		"until=2026-01-01T00:05:00Z":    func(i int) bool { return i < 5 },
		"since=2026-01-01T01:05:00%2B01:00&until=2026-01-01T00:09:00Z&type=track": func(i int) bool { return i >= 5 && i < 9 && i%3 > 0 },
	} {
		var all []string
		for i := range 30 {
			if want(i) {
				all = append([]string{fmt.Sprintf("m%02d", i)}, all...)
			}
		}
		values, err := url.ParseQuery(strings.ReplaceAll(query, " ", "+"))
		if err != nil {
			t.Fatal(err)
		}
		values.Set("limit", "4")
		if got := ids(values); !slices.Equal(got, all) {
			t.Errorf("%s: %v, want %v", query, got, all)
		}
	}
	for _, bad := range []string{"type=pages", "type=", "since=yesterday", "until=2026-01-01", "cursor=x"} {
		w.get("/v1/profiles/user_id:u/events?"+bad).want(t, 400, `"bad_parameter"`)
	}
}

// Lines, tax and shipping of an order are those of its latest event that has them; orders come in pages, each once.
func TestOrderDetails(t *testing.T) {
	w := newWorld(t, nil)
	order := func(n int, event, more string) string {
		return fmt.Sprintf(`{"type":"track","event":%q,"messageId":"o%d%s","userId":"u","timestamp":"2025-%02d-%02dT00:00:00Z","properties":{"order_id":"n%d","currency":"EUR"%s}}`,
			event, n, event, 16-len(event), 1+n, n, more)
	}
	w.feed(
		order(1, "Order Completed", `,"revenue":10,"tax":1.5,"shipping":"4,95","products":[{"product_id":7,"name":"Wine","price":5.125,"quantity":2},{"sku":"s"},"odd"]`),
		order(1, "Order Updated", `,"total":16.45,"tax":"2.10"`),
		order(2, "Order Completed", `,"revenue":1,"items":{"5":{"item_id":"b","item_name":"B","quantity":0.5},"1":{"item_id":"a","price":3}}`),
		order(3, "Order Completed", `,"revenue":1,"tax":"much","products":"none"`),
	)
	w.get("/v1/profiles/user_id:u/orders?details=true").want(t, 200,
		`"id":"n1"`, `"tax":2.10,"shipping":4.95,"lines":[{"product_id":"7","name":"Wine","price":5.125,"quantity":2},{"sku":"s","quantity":1}]}`,
		`"id":"n2"`, `"lines":[{"product_id":"a","price":3,"quantity":1},{"product_id":"b","name":"B","quantity":0.5}]}`,
		`"id":"n3"`, `"net_from":"revenue"}`, `"next":null`)
	if a := w.get("/v1/profiles/user_id:u/orders"); strings.Contains(a.body, "lines") {
		t.Error(a.body)
	}
	var ids []string
	for cursor := ""; ; {
		var page document.Orders
		w.get("/v1/profiles/user_id:u/orders?limit=1&cursor="+cursor).into(t, &page)
		for i := range page.Orders {
			ids = append(ids, page.Orders[i].ID)
		}
		if cursor = string(page.Next); cursor == "" {
			break
		}
	}
	if !slices.Equal(ids, []string{"n3", "n2", "n1"}) {
		t.Error(ids)
	}
	for _, bad := range []string{"cursor=!", "cursor=AAAA", "limit=0", "details=1"} {
		w.get("/v1/profiles/user_id:u/orders?"+bad).want(t, 400, `"bad_parameter"`)
	}
}

// A trait names the event that set it, whatever event of the person came later; traits come in pages, by name.
func TestTraitOrigins(t *testing.T) {
	w := newWorld(t, nil)
	w.post("/v1/batch", `{"writeKey":"crm","batch":[{"type":"identify","messageId":"c1","userId":"u","timestamp":"2026-01-01T00:00:00Z","traits":{"plan":"pro","city":"Ghent"}}]}`).want(t, 200)
	w.post("/v1/batch", `{"writeKey":"shop","batch":[{"type":"identify","messageId":"s1","userId":"u","anonymousId":"a","timestamp":"2026-01-02T00:00:00Z","traits":{"plan":"basic"}},
		{"type":"identify","messageId":"s2","userId":"u","anonymousId":"a","timestamp":"2025-01-02T00:00:00Z","traits":{"plan":"none"}}]}`).want(t, 200)
	const plan = `"plan":{"value":"basic","updated_at":"2026-01-02T00:00:00.000Z","source":"shop","message_id":"s1"}`
	const city = `"city":{"value":"Ghent","updated_at":"2026-01-01T00:00:00.000Z","source":"crm","message_id":"c1"}`
	w.get("/v1/profiles/user_id:u/traits?verbose=true").want(t, 200, `"traits":{`+city+","+plan+`},"next":null}`)
	w.get("/v1/profiles/user_id:u/traits").want(t, 200, `"traits":{"city":"Ghent","plan":"basic"},"next":null}`)
	var page document.TraitPage
	w.get("/v1/profiles/user_id:u/traits?limit=1").into(t, &page)
	if len(page.Traits) != 1 || page.Traits["city"] == nil {
		t.Fatal(page)
	}
	w.get("/v1/profiles/user_id:u/traits?verbose=true&cursor="+string(page.Next)).want(t, 200, `"traits":{`+plan+`},"next":null}`)
	for _, bad := range []string{"cursor=!", "limit=1001", "verbose=1"} {
		w.get("/v1/profiles/user_id:u/traits?"+bad).want(t, 400, `"bad_parameter"`)
	}
}

// Identifiers come in pages, the highest-ranked first, each once; one that comes between two pages moves no other.
func TestIdentifiersInPages(t *testing.T) {
	w := newWorld(t, nil)
	w.post("/v1/batch", `{"batch":[{"type":"identify","userId":"u","anonymousId":"a1","traits":{"email":"u@example.com","phone":"+32470123456"}},
		{"type":"page","userId":"u","anonymousId":"a2"},{"type":"page","userId":"u","anonymousId":"a3"}]}`).want(t, 200)
	const path = "/v1/profiles/user_id:u/identifiers"
	var all document.Identifiers
	w.get(path).into(t, &all)
	paged := []document.Identifier{}
	for cursor, more := "", true; more; more = cursor != "" {
		var page document.Identifiers
		w.get(path+"?limit=2&cursor="+cursor).into(t, &page)
		if len(page.Identifiers) > 2 {
			t.Fatalf("a page of %d", len(page.Identifiers))
		}
		if len(paged) == 0 {
			w.post("/v1/page", `{"userId":"u","anonymousId":"a4"}`).want(t, 200)
		}
		paged, cursor = append(paged, page.Identifiers...), string(page.Next)
	}
	seen := map[string]int{}
	for _, id := range paged {
		seen[id.Value]++
	}
	if len(all.Identifiers) != 6 || all.Next != "" {
		t.Fatalf("%+v at once", all)
	}
	for _, id := range all.Identifiers {
		if seen[id.Value] != 1 {
			t.Errorf("%s: %d times in pages", id.Value, seen[id.Value])
		}
	}
	for _, bad := range []string{"cursor=!", "cursor=AAAA", "limit=0", "limit=10001"} {
		w.get(path+"?"+bad).want(t, 400, `"bad_parameter"`)
	}
}
