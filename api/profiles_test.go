package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/graph"
)

const goldenProfile = `{"id":"kID","identifiers":[` +
	`{"namespace":"user_id","value":"u1","first_seen":"2026-01-01T00:01:00.500Z","last_seen":"2026-01-01T00:04:00.000Z"},` +
	`{"namespace":"email","value":"ann@example.com","raw":"Ann@Example.com","first_seen":"2026-01-01T00:01:00.500Z","last_seen":"2026-01-01T00:05:00.000Z"},` +
	`{"namespace":"anonymous_id","value":"a1","first_seen":"2026-01-01T00:00:00.000Z","last_seen":"2026-01-01T00:01:00.500Z"},` +
	`{"namespace":"anonymous_id","value":"a2","first_seen":"2026-01-01T00:03:00.000Z","last_seen":"2026-01-01T00:05:00.000Z"}],` +
	`"events":6,"counts":{"identify":2,"track":3,"page":1},"first_seen":"2026-01-01T00:00:00.000Z","last_seen":"2026-01-01T00:05:00.000Z",` +
	`"traits":{"address":{"city":"New  York","zip":"1\"0"},"email":"Ann@Example.com"},` +
	`"orders":3,"revenue":24.99,"discount":1.00,"discounted_orders":1,"currency":"USD",` +
	`"by_currency":{"JPY":{"orders":1,"revenue":1999,"discount":0,"discounted_orders":0},"USD":{"orders":2,"revenue":24.99,"discount":1.00,"discounted_orders":1}}}` + "\n"

// goldenLine is a line of an export: the profile without the members that the change feed does not tell.
var goldenLine = strings.Replace(goldenProfile, `"raw":"Ann@Example.com",`, "", 1)

func (w *world) id(id string) string {
	w.t.Helper()
	name, err := lookup.ParseID(w.server.Registry, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return name.Key.String()
}

// sortCookies puts the order of equal classes, which the secret decides, as the golden text has it.
func (w *world) golden(text string) string {
	if w.id("anonymous_id:a1") < w.id("anonymous_id:a2") {
		i, j := strings.Index(text, `{"namespace":"anonymous_id","value":"a1"`), strings.Index(text, `,{"namespace":"anonymous_id","value":"a2"`)
		end := strings.Index(text, `],"events"`)
		text = text[:i] + text[j+1:end] + "," + text[i:j] + text[end:]
	}
	return strings.ReplaceAll(text, "kID", w.id("user_id:u1"))
}

func TestProfileGolden(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	want := w.golden(goldenProfile)
	for _, id := range []string{"user_id:u1", "email:ANN@example.com", "anonymous_id:a1", "anonymous_id:a2", w.id("anonymous_id:a2")} {
		if a := w.get("/v1/profiles/" + id); a.status != 200 || a.body != want {
			t.Fatalf("%s: status %d\n got %s\nwant %s", id, a.status, a.body, want)
		}
	}
	if !json.Valid([]byte(want)) {
		t.Fatal("the golden document is not JSON")
	}
}

func TestExportGolden(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.feed(`{"type":"page","messageId":"n1","anonymousId":"b1","timestamp":"2026-01-01T00:00:00Z"}`,
		`{"type":"page","messageId":"n2","userId":"u9","anonymousId":"b9","timestamp":"2026-01-01T00:00:00Z"}`,
		`{"type":"page","messageId":"n3","userId":"u8","anonymousId":"b9","timestamp":"2026-01-01T00:00:01Z"}`)
	// forget leaves b9 without an event of its own
	w.post("/v1/assertions", `{"verb":"forget","a":"anonymous_id:b9"}`).want(t, 200)
	if err := w.engine.Settle(context.Background()); err != nil {
		t.Fatal(err)
	}
	a := w.get("/v1/export")
	if a.header.Get("Kindred-Settled") != "true" || a.header.Get("Kindred-Identities") != "4" || a.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatal(a.header)
	}
	lines := strings.SplitAfter(a.body, "\n")
	if len(lines) != 5 || lines[4] != "" {
		t.Fatalf("%d lines: %s", len(lines), a.body)
	}
	found := false
	last := ""
	for _, line := range lines[:4] {
		var document struct {
			ID string `json:"id"`
		}
		if err := json.Unmarshal([]byte(line), &document); err != nil {
			t.Fatal(err)
		}
		if document.ID <= last {
			t.Fatal("not sorted")
		}
		last = document.ID
		found = found || line == w.golden(goldenLine)
	}
	if !found {
		t.Fatalf("got\n%swant a line\n%s", a.body, w.golden(goldenLine))
	}
	all := w.get("/v1/export?identifiers=all")
	if strings.Count(all.body, "\n") != 5 || !strings.Contains(all.body, `"events":0,"counts":{},"first_seen":null,"last_seen":null,"traits":{},"orders":0,"revenue":0,"discount":0,"discounted_orders":0,"currency":null}`) {
		t.Fatal(all.body)
	}
	rows, err := csv.NewReader(strings.NewReader(w.get("/v1/export?format=csv").body)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatal(err, rows)
	}
	for _, row := range rows[1:] {
		for _, column := range []int{1, 10, 11} {
			if !json.Valid([]byte(row[column])) {
				t.Fatalf("column %d is not JSON: %s", column, row[column])
			}
		}
		if row[0] == w.id("user_id:u1") && (row[4] != "24.99" || row[7] != "USD" || row[8] != "2026-01-01T00:00:00.000Z" || !strings.Contains(row[12], `"JPY"`)) {
			t.Fatal(row)
		}
	}
	w.get("/v1/export?format=xml").want(t, 400, `"bad_parameter"`)
	w.get("/v1/export?identifiers=some").want(t, 400, `"bad_parameter"`)
}

// TestExportSpills sorts with so little memory that most of it goes through files.
func TestExportSpills(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SortBytes = 1; c.TempDir = t.TempDir() })
	var events []string
	for i := range 2000 {
		events = append(events, fmt.Sprintf(`{"type":"page","messageId":"m%d","userId":"user-%d"}`, i, i))
	}
	w.feed(events...)
	a := w.get("/v1/export")
	lines := strings.Split(strings.TrimSpace(a.body), "\n")
	if len(lines) != 2000 {
		t.Fatal(len(lines))
	}
	for i := 1; i < len(lines); i++ {
		if lines[i] <= lines[i-1] {
			t.Fatal("not sorted")
		}
	}
}

func TestProfileParts(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	id := w.id("user_id:u1")

	w.get("/v1/profiles/user_id:u1/identifiers").want(t, 200, `{"id":"`+id+`","identifiers":[{"namespace":"user_id","value":"u1"`)

	var orders struct {
		Orders []struct {
			ID, Status, Currency, Coupon string
			PlacedAt                     string `json:"placed_at"`
			Revenue, Net                 json.Number
			NetFrom                      string `json:"net_from"`
		}
	}
	w.get("/v1/profiles/email:ann@example.com/orders").into(t, &orders)
	if len(orders.Orders) != 3 || orders.Orders[0].ID != "o3" || orders.Orders[0].Revenue != "1999" || orders.Orders[2].Coupon != "TEN" ||
		orders.Orders[2].PlacedAt != "2026-01-01T00:02:00.000Z" || orders.Orders[2].NetFrom != "revenue" || orders.Orders[1].Status != "placed" {
		t.Fatalf("%+v", orders)
	}

	// events, the newest first, page by page
	var ids []string
	query := url.Values{"limit": {"2"}}
	for range 10 {
		var page struct {
			Events []struct {
				MessageID  string `json:"message_id"`
				Type, Name string
				Timestamp  string
				ReceivedAt string `json:"received_at"`
				Source     string
				Properties json.RawMessage
				Context    json.RawMessage
				Order      map[string]any
			}
			Next *string
		}
		w.get("/v1/profiles/anonymous_id:a2/events?"+query.Encode()).into(t, &page)
		for _, e := range page.Events {
			ids = append(ids, e.MessageID)
			if e.Source != "http" || e.ReceivedAt != "2026-01-02T03:04:05.678Z" {
				t.Fatalf("%+v", e)
			}
			if e.MessageID == "m1" && (e.Type != "page" || e.Name != "Home" || string(e.Properties) != `{"path":"/ \"x\""}` ||
				string(e.Context) != `{"page":{"path":"/"},"locale":"nl-BE"}`) {
				t.Fatalf("%+v", e)
			}
			if e.MessageID == "m3" && !reflect.DeepEqual(e.Order, map[string]any{
				"id": "o1", "change": "completed", "net": 19.99, "discount": 1.0, "currency": "USD", "net_from": "revenue", "coupon": "TEN",
			}) {
				t.Fatalf("%+v", e)
			}
		}
		if page.Next == nil {
			break
		}
		query.Set("cursor", *page.Next)
	}
	if want := []string{"m6", "m5", "m4", "m3", "m2", "m1"}; !reflect.DeepEqual(ids, want) {
		t.Fatalf("got %v, want %v", ids, want)
	}
	for _, bad := range []string{"limit=0", "limit=1001", "limit=x", "cursor=!", "cursor=AAAA", "limt=5"} {
		w.get("/v1/profiles/user_id:u1/events?"+bad).want(t, 400, `"bad_parameter"`)
	}

	var why document.Why
	w.get("/v1/profiles/anonymous_id:a1/why?with=anonymous_id:a2").into(t, &why)
	if !why.Same || why.A != (document.Name{Namespace: "anonymous_id", Value: "a1"}) || why.B != (document.Name{Namespace: "anonymous_id", Value: "a2"}) || len(why.Path) < 2 || why.Path[0].First == nil {
		t.Fatalf("%+v", why)
	}
	var how struct {
		ID    string
		Steps []document.Reason
	}
	w.get("/v1/profiles/anonymous_id:a1/how").into(t, &how)
	if how.ID != id || len(how.Steps) != 3 || how.Steps[0].Strength != "identify" || !strings.Contains(how.Steps[0].Text, "in event m") {
		t.Fatalf("%+v", how)
	}
	w.get("/v1/profiles/user_id:u1/why").want(t, 400, `"bad_parameter"`)
	w.get("/v1/profiles/user_id:u1/why?with=user_id:u404").want(t, 404, `"not_found"`)
	w.get("/v1/profiles/user_id:u1/assertions").want(t, 200, `"assertions":[]`)

	// two people, and what keeps them apart
	w.feed(`{"type":"track","event":"x","messageId":"t1","userId":"u2","anonymousId":"a1","timestamp":"2026-01-01T01:00:00Z"}`)
	w.get("/v1/profiles/user_id:u1/why?with=user_id:u2").into(t, &why)
	if why.Same || !strings.Contains(why.Text, "1 link of it was refused") {
		t.Fatalf("%+v", why)
	}
	refused := why.Path[len(why.Path)-1].Refused
	if refused == nil || refused.Kind != "limit" || refused.Namespace != "user_id" || refused.Max != 1 {
		t.Fatalf("%+v", why)
	}
	w.feed(`{"type":"page","messageId":"t2","userId":"far","timestamp":"2026-01-01T01:00:00Z"}`)
	w.get("/v1/profiles/user_id:u1/why?with=user_id:far").into(t, &why)
	if why.Same || len(why.Path) != 0 || !strings.Contains(why.Text, "no evidence") {
		t.Fatalf("%+v", why)
	}
}

func TestETag(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	tag := w.get("/v1/profiles/user_id:u1").header.Get("ETag")
	ask := func(value string) int {
		r := httptest.NewRequest("GET", "/v1/profiles/user_id:u1", nil)
		r.Header.Set("If-None-Match", value)
		a := w.do(r)
		if a.status == 304 && (a.body != "" || a.header.Get("ETag") != tag) {
			t.Fatal(a)
		}
		return a.status
	}
	if ask(tag) != 304 || ask(`"x", W/`+tag) != 304 || ask("*") != 304 || ask(`"x"`) != 200 {
		t.Fatal("If-None-Match is not heeded")
	}
	w.feed(`{"type":"page","messageId":"new","userId":"u1"}`)
	if ask(tag) != 200 {
		t.Fatal("a profile changed and its tag did not")
	}
}

// TestOddValues looks up what has to be escaped.
func TestOddValues(t *testing.T) {
	w := newWorld(t, nil)
	for i, value := range []string{"a/b", "a//b/", "a/../b", "./a", "a:b", "100%", "a b+c", "ü?#&=", "%2Fa", `"\a`, "a%00b"} {
		text, _ := json.Marshal(value)
		w.feed(fmt.Sprintf(`{"type":"page","messageId":"m%d","userId":%s}`, i, text))
		a := w.get("/v1/profiles/user_id:" + url.PathEscape(value))
		var document struct{ Identifiers []document.Name }
		a.into(t, &document)
		if document.Identifiers[0].Value != value {
			t.Fatalf("asked for %q, got %q", value, document.Identifiers[0].Value)
		}
		w.get("//v1//profiles/user_id:"+url.PathEscape(value)+"/orders/").want(t, 200)
	}
}

func TestBadIDs(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	for id, code := range map[string]document.Code{
		"nobody":                              document.CodeBadID,
		strings.ToUpper(idOf(1)):              document.CodeBadID,
		idOf(1) + "0":                         document.CodeBadID,
		idOf(1)[:26] + "1":                    document.CodeBadID, // the same 128 bits
		idOf(1)[:26] + "%0A":                  document.CodeBadID,
		"user_id:":                            document.CodeBadID,
		"user_id:null":                        document.CodeBadID,
		"email:nobody":                        document.CodeBadID,
		"user_id:%00":                         document.CodeBadID,
		"user_id:%ff":                         document.CodeBadID,
		"user_id:" + strings.Repeat("x", 513): document.CodeBadID,
		"shoe_size:44":                        document.CodeUnknownNamespace,
		"user_id:u404":                        document.CodeNotFound,
		graph.NodeKey{Hi: 1}.String():         document.CodeNotFound,
	} {
		for _, part := range []string{"", "/identifiers", "/orders", "/events", "/how", "/assertions", "/why?with=user_id:u1"} {
			a := w.get("/v1/profiles/" + id + part)
			if !strings.Contains(a.body, `"code":"`+string(code)+`"`) {
				t.Errorf("%s%s: %d %s, want %s", id, part, a.status, a.body, code)
			}
		}
	}
}

func idOf(lo uint64) string { return graph.NodeKey{Hi: 1, Lo: lo << 8}.String() }

func TestBatchGet(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	var answer struct {
		Results []struct {
			Requested, Status string
			Profile           *struct{ ID string }
		}
	}
	ids := []string{"user_id:u1", "user_id:u404", "shoe_size:1", w.id("anonymous_id:a1"), "x"}
	for range 90 {
		ids = append(ids, "anonymous_id:a2")
	}
	body, _ := json.Marshal(map[string]any{"ids": ids})
	w.post("/v1/profiles:batchGet", string(body)).into(t, &answer)
	if len(answer.Results) != len(ids) {
		t.Fatal(len(answer.Results))
	}
	for i, want := range []string{"found", "not_found", "unknown_namespace", "found", "bad_id", "found"} {
		got := answer.Results[i]
		if got.Requested != ids[i] || got.Status != want || (got.Profile != nil) != (want == "found") {
			t.Fatalf("%d: %+v", i, got)
		}
	}
	w.post("/v1/profiles:batchGet", `{"ids":[]}`).want(t, 200, `{"results":[]}`)
	w.post("/v1/profiles:batchGet", `{"ids":["`+strings.Repeat(`x","`, 1000)+`x"]}`).want(t, 400, `"too_many_ids"`)
	w.post("/v1/profiles:batchGet", `{"idz":[]}`).want(t, 400, `"invalid_body"`, `\"idz\": the body has no member of this name`, `it has: ids`)
	w.post("/v1/profiles:batchGet", ``).want(t, 400, `"invalid_body"`)
	w.post("/v1/profiles:batchGet", `{"ids":[]} {}`).want(t, 400, `"invalid_body"`)
	w.post("/v1/profiles:batchGet", `{"ids":["`+strings.Repeat("x", 2<<20)+`"]}`).want(t, 413, `"body_too_large"`)
}
