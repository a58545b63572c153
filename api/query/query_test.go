package query

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
)

// newQueries answers without an engine, scores or rules: what reaches an engine panics.
func newQueries(t *testing.T) *Queries {
	t.Helper()
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return &Queries{Lookup: &lookup.Lookup{Registry: registry}}
}

// Requests that can't be answered are refused before the engine is asked, each with the code that says which part is wrong.
func TestRefusals(t *testing.T) {
	q := newQueries(t)
	const id = "email:ann@example.com"
	tooMany := `{"ids":[` + strings.TrimSuffix(strings.Repeat(`"a",`, maxBatchIDs+1), ",") + `]}`
	for _, c := range []struct {
		name            string
		handler         route.Handler
		id, query, body string
		code            document.Code
		detail          string
	}{
		{"profile: id", q.getProfile, "ann", "", "", document.CodeBadID, ""},
		{"profile: namespace", q.getProfile, "emial:x", "", "", document.CodeUnknownNamespace, "email"},
		{"profile: scores that nobody computes", q.getProfile, id, "scores=true", "", document.CodeBadParameter, "computes none"},
		{"profile: scores", q.getProfile, id, "scores=1", "", document.CodeBadParameter, "true or false"},
		{"identifiers: id", q.getIdentifiers, "", "", "", document.CodeBadID, ""},
		{"orders: id", q.getOrders, ":", "", "", document.CodeBadID, ""},
		{"assertions: id", q.getAssertions, "x", "", "", document.CodeBadID, ""},
		{"how: id", q.getHow, "x", "", "", document.CodeBadID, ""},
		{"events: limit of 0", q.getEvents, id, "limit=0", "", document.CodeBadParameter, "from 1 to 1000"},
		{"events: limit above the bound", q.getEvents, id, "limit=1001", "", document.CodeBadParameter, "from 1 to 1000"},
		{"events: limit in words", q.getEvents, id, "limit=ten", "", document.CodeBadParameter, "limit"},
		{"events: cursor", q.getEvents, id, "cursor=abc", "", document.CodeBadParameter, "not a cursor"},
		{"events: id", q.getEvents, "x", "limit=1000", "", document.CodeBadID, ""},
		{"why: no other id", q.getWhy, id, "", "", document.CodeBadParameter, "with"},
		{"why: id", q.getWhy, "x", "with=" + id, "", document.CodeBadID, ""},
		{"rules", q.getRules, "", "", "", document.CodeUnknownRoute, ""},
		{"parameters", q.getParameters, "", "", "", document.CodeUnknownRoute, ""},
		{"batchGet: no body", q.batchGet, "", "", "", document.CodeInvalidBody, "empty"},
		{"batchGet: another member", q.batchGet, "", "", `{"id":["a"]}`, document.CodeInvalidBody, `"id"`},
		{"batchGet: no list", q.batchGet, "", "", `{"ids":"a"}`, document.CodeInvalidBody, "ids"},
		{"batchGet: two objects", q.batchGet, "", "", `{"ids":[]}{}`, document.CodeInvalidBody, "follows"},
		{"batchGet: too many", q.batchGet, "", "", tooMany, document.CodeTooManyIDs, "1001 ids"},
	} {
		r := httptest.NewRequest("POST", "/?"+c.query, strings.NewReader(c.body))
		r.SetPathValue("id", c.id)
		w := httptest.NewRecorder()
		if p := c.handler(w, r); p == nil || p.Code != c.code || !strings.Contains(p.Detail, c.detail) || w.Body.Len() > 0 {
			t.Errorf("%s: %+v, want %s with %q; the answer so far: %s", c.name, p, c.code, c.detail, w.Body)
		}
	}
}

// An id of a batchGet that can't be read costs its own entry alone, and entries are in the order of the ids.
func TestBatchGetReportsByID(t *testing.T) {
	q := newQueries(t)
	var ids []string
	for i := range batchGetAtOnce + 1 { // more than one piece
		ids = append(ids, fmt.Sprintf(`"n%d"`, i))
	}
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"ids":[`+strings.Join(ids, ",")+`,"no:x"]}`))
	w := httptest.NewRecorder()
	if p := q.batchGet(w, r); p != nil {
		t.Fatal(p)
	}
	body := w.Body.String()
	at := 0
	for _, id := range ids {
		i := strings.Index(body[at:], `{"requested":`+id+`,"status":"bad_id",`)
		if i < 0 {
			t.Fatalf("%s is missing after byte %d of %s", id, at, body)
		}
		at += i
	}
	if !strings.Contains(body[at:], `{"requested":"no:x","status":"unknown_namespace",`) || !strings.HasSuffix(body, "]}\n") || w.Code != http.StatusOK {
		t.Errorf("%d: %s", w.Code, body)
	}
}

// A cursor holds a position whole, and nothing else is taken for one.
func TestCursor(t *testing.T) {
	for _, p := range []actors.Position{
		{},
		{Stamp: graph.Stamp{Time: 1767323045678, Rank: 3, Tie: 1 << 63}, Seen: 7, Received: 1767323045999},
		{Stamp: graph.Stamp{Time: -1, Rank: 255, Tie: 1<<64 - 1}, Seen: 1<<64 - 1, Received: -1 << 63},
	} {
		if got, err := parseCursor(cursor(p)); err != nil || got != p {
			t.Errorf("%+v came back as %+v, %v", p, got, err)
		}
	}
	if p, err := parseCursor(""); err != nil || p != (actors.Position{}) {
		t.Errorf("no cursor: %+v, %v", p, err)
	}
	whole := cursor(actors.Position{Seen: 1})
	for _, text := range []string{whole[1:], whole + "A", whole[:len(whole)-1] + "=", strings.Repeat("+", len(whole)), "null"} {
		if p, err := parseCursor(text); err == nil {
			t.Errorf("%q is taken for %+v", text, p)
		}
	}
}
