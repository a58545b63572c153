package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/document/documenttest"
	"github.com/kindred-id/kindred/api/stream"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is the time of reception in tests: 2026-01-02T03:04:05.678Z.
const clock = 1767323045678

// world is a server on an engine on a store in memory.
type world struct {
	t      *testing.T
	store  *storage.MemStore
	engine *actors.Engine
	server *Server
	log    *bytes.Buffer
	now    atomic.Int64 // what the engine's clock shows
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	return newWorldUnder(t, 4, graph.DefaultRules(), change)
}

func newWorldUnder(t *testing.T, shards int, rules *graph.Rules, change func(*Config)) *world {
	t.Helper()
	return newWorldWith(t, shards, rules, feed.Settings{}, change)
}

func newWorldWith(t *testing.T, shards int, rules *graph.Rules, feed feed.Settings, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, store: storage.NewMemStore(), log: &bytes.Buffer{}}
	w.now.Store(clock)
	deployment, err := row.Initialise(w.store, row.Deployment{Shards: shards, Secret: row.Secret{1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	w.engine, err = actors.Open(context.Background(), actors.Config{
		Store: w.store, Deployment: deployment, Rules: rules, Memory: memory, Feed: feed, Clock: w.now.Load,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.engine.Close(context.Background()); err != nil && w.engine.Err() == nil {
			t.Error(err)
		}
	})
	registry, err := identifier.New(deployment.Secret, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c := Config{
		Engine: w.engine, Registry: registry, Version: "test",
		Logger: slog.New(slog.NewTextHandler(&lockedWriter{w: w.log}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if change != nil {
		change(&c)
	}
	if w.server, err = New(c); err != nil {
		t.Fatal(err)
	}
	return w
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(r *http.Request) answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	a := answer{rec.Code, rec.Header(), rec.Body.String()}
	if err := contractOf(w.t).check(r, a); err != nil {
		w.t.Errorf("not as openapi.json has it: %v", err)
	}
	switch { // encoders of answers that stand beside their handlers keep D1 of package document as well
	case a.status != http.StatusOK:
	case r.Pattern == "/v1/profiles:batchGet":
		documenttest.CheckSame[document.BatchGetAnswer](w.t, []byte(a.body))
	case r.Pattern == "/v1/batch" && !strings.Contains(a.body, `"dropped":`): // there, a null messageId is not left out
		documenttest.CheckSame[document.BatchAnswer](w.t, []byte(a.body))
	}
	if a.status >= 400 && !strings.HasSuffix(r.URL.Path, "/readyz") {
		w.checkProblem(a)
	}
	return a
}

// checkProblem checks P3.
func (w *world) checkProblem(a answer) {
	w.t.Helper()
	var p struct {
		Type, Title, Code, Hint, Instance string
		Status                            int
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		w.t.Fatalf("status %d, not a problem: %v: %s", a.status, err, a.body)
	}
	info := document.InfoOf(document.Code(p.Code))
	if info == nil || p.Status != a.status || info.Status != a.status || p.Type != "urn:kindred:problem:"+p.Code ||
		p.Title != info.Title || p.Hint == "" || p.Instance != "urn:kindred:request:"+a.header.Get("X-Request-Id") ||
		a.header.Get("Content-Type") != "application/problem+json" {
		w.t.Fatalf("status %d, not a good problem: %v %s", a.status, a.header, a.body)
	}
}

// reconfigure changes what the server serves with.
func (w *world) reconfigure(change func(*Config)) {
	w.t.Helper()
	c := w.server.Config
	c.Metrics = nil // each server has a registry of its own
	change(&c)
	server, err := New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	w.server = server
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.do(httptest.NewRequest("GET", path, nil))
}

func (w *world) post(path, body string) answer {
	w.t.Helper()
	return w.do(httptest.NewRequest("POST", path, strings.NewReader(body)))
}

// feed posts events that must all be taken, and waits until they have arrived everywhere.
func (w *world) feed(events ...string) {
	w.t.Helper()
	a := w.post("/v1/batch", `{"batch":[`+strings.Join(events, ",")+`]}`)
	if a.status != 200 || !strings.Contains(a.body, fmt.Sprintf(`"accepted":%d,"duplicates":0,"without_identifier":0,"rejected":[]`, len(events))) {
		w.t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := w.engine.Settle(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if a.status != 200 {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// want checks status and what the body holds.
func (a answer) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, part := range parts {
		if !strings.Contains(a.body, part) {
			t.Fatalf("no %s in %s", part, a.body)
		}
	}
}

// shopper is a person with two cookies, an e-mail address, orders and traits.
var shopper = []string{
	`{"type":"page","messageId":"m1","anonymousId":"a1","timestamp":"2026-01-01T00:00:00.000Z","name":"Home","properties":{"path":"/ \"x\""},"context":{"locale":"nl-BE","page": {"path":"/"},"ip":"198.18.0.1"}}`,
	`{"type":"identify","messageId":"m2","anonymousId":"a1","userId":"u1","timestamp":"2026-01-01T00:01:00.5Z",
	  "traits":{"email":"Ann@Example.com","address":{"city": "New  York",
	  "zip":"1\"0"},"age":41}}`,
	`{"type":"track","messageId":"m3","event":"Order Completed","userId":"u1","timestamp":"2026-01-01T00:02:00Z",
	  "properties":{"order_id":"o1","revenue":19.99,"discount":1,"coupon":"TEN","currency":"USD"}}`,
	`{"type":"track","messageId":"m4","event":"Order Completed","anonymousId":"a2","timestamp":"2026-01-01T00:03:00Z",
	  "properties":{"order_id":"o2","revenue":5,"currency":"USD"}}`,
	`{"type":"track","messageId":"m5","event":"Order Completed","userId":"u1","timestamp":"2026-01-01T00:04:00Z",
	  "properties":{"order_id":"o3","revenue":1999,"currency":"JPY"}}`,
	`{"type":"identify","messageId":"m6","anonymousId":"a2","timestamp":"2026-01-01T00:05:00Z","traits":{"email":"Ann@Example.com","age":null}}`,
}

// exportTo writes a whole export, and tells how many identities it has.
func exportTo(w io.Writer, engine *actors.Engine) (int64, error) {
	ctx := context.Background()
	export, err := (&stream.Exporter{Engine: engine}).Collect(ctx)
	if err != nil {
		return 0, err
	}
	return export.Lines, errors.Join(export.Write(ctx, w), export.Close())
}
