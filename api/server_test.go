package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

func TestUnknownRoutes(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/v1", "/v1/batchx", "/v1/profile", "/v1/profiles/user_id:a/b", "/v1/profiles/user_id:a/orders/x", "/v2/batch"} {
		w.get(path).want(t, 404, `"unknown_route"`)
	}
	for path, allow := range map[string]string{"/v1/batch": "OPTIONS, POST", "/v1/track": "OPTIONS, POST", "/v1/export": "GET", "/v1/profiles/user_id:a": "GET", "/v1/profiles:batchGet": "POST"} {
		a := w.do(httptest.NewRequest("PATCH", path, nil))
		a.want(t, 405, `"method_not_allowed"`)
		if a.header.Get("Allow") != allow {
			t.Fatal(path, a.header)
		}
	}
	// None of these may redirect (P2).
	for _, path := range []string{"//v1//batch", "/v1/batch/", "/v1/./batch", "/x/../v1/batch", "///v1/batch//"} {
		w.post(path, `{"batch":[]}`).want(t, 200)
	}
	if a := w.do(httptest.NewRequest("HEAD", "/livez", nil)); a.status != 200 {
		t.Fatal(a)
	}
}

func TestProblemTable(t *testing.T) {
	seen := map[document.Code]bool{}
	for _, p := range document.Problems() {
		if seen[p.Code] || p.Status < 400 || p.Title == "" || p.Hint == "" || http.StatusText(p.Status) == "" || p.Status == 451 {
			t.Errorf("%+v", p)
		}
		seen[p.Code] = true
	}
}

func TestRequestIDs(t *testing.T) {
	w := newWorld(t, nil)
	for sent, kept := range map[string]bool{"abc-1.2_3": true, "": false, "a b": false, `x","evil":"`: false, strings.Repeat("x", 65): false} {
		r := httptest.NewRequest("GET", "/none", nil)
		r.Header.Set("X-Request-Id", sent)
		if got := w.do(r).header.Get("X-Request-Id"); (got == sent) != kept || got == "" {
			t.Errorf("%q: %q", sent, got)
		}
	}
}

// A request that is part of a trace has the trace's id, unless the client names the request.
func TestRequestsOfTraces(t *testing.T) {
	w := newWorld(t, nil)
	const trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for header, taken := range map[string]bool{
		"00-" + trace + "-" + parent + "-01":                   true,
		"cc-" + trace + "-" + parent + "-01-what-is-new":       true,
		"00-" + trace + "-" + parent + "-01-more":              false,
		"cc-" + trace + "-" + parent + "-01more":               false,
		"ff-" + trace + "-" + parent + "-01":                   false,
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01": false,
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":  false,
		"00-" + trace + "_" + parent + "-01":                   false,
		"00-" + trace + "-" + parent + "-0":                    false,
		"00-" + trace[1:] + "\x00-" + parent + "-01":           false,
		"":    false,
		trace: false,
		"00-ann@example.com" + trace[15:] + "-" + parent + "-01": false,
	} {
		r := httptest.NewRequest("GET", "/none", nil)
		r.Header.Set("Traceparent", header)
		a := w.do(r)
		if got := a.header.Get("X-Request-Id"); taken && got != trace || !taken && len(got) != len("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
			t.Errorf("%q: %q", header, got)
		}
		a.want(t, 404, `"urn:kindred:request:`+a.header.Get("X-Request-Id")+`"`)
		r.Header.Set("X-Request-Id", "mine")
		if got := w.do(r).header.Get("X-Request-Id"); got != "mine" {
			t.Errorf("%q beside an id of the client: %q", header, got)
		}
	}
}

func TestStatsAndHealth(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	var stats document.Stats
	w.get("/v1/stats").into(t, &stats)
	if stats.Events != 6 || stats.Identities != 1 || stats.Shards != 4 || stats.Rules.Name != "default" || stats.Version != "test" || stats.Merges == 0 {
		t.Fatalf("%+v", stats)
	}
	w.get("/livez").want(t, 200, `"status":"ok"`, `"version":"test"`)
	w.get("/healthz").want(t, 200)
	a := w.get("/metrics")
	a.want(t, 200, "kindred_merges 3\n", "kindred_profiles 1\n", "kindred_actors_resident ", "kindred_actors_bytes ", "kindred_log_bytes ",
		"kindred_ingest_request_duration_seconds_count 1", `kindred_http_requests_total{route="/v1/batch",status="200"} 1`, `kindred_build_info{rules="default",version="test"} 1`, "go_goroutines")
}

// TestShardAway: what is for a shard that is not here is refused, and taken once when it is sent again.
func TestShardAway(t *testing.T) {
	w := newWorld(t, nil)
	for id := range graph.ShardID(4) {
		w.engine.Lose(id)
	}
	body := `[{"type":"identify","userId":"7","messageId":"m","timestamp":"2026-01-02T03:04:05Z"}]`
	a := w.post("/v1/batch", body)
	a.want(t, 503, `"code":"shard_lost"`)
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	w.get("/v1/profiles/user_id:7").want(t, 503, `"code":"shard_lost"`)
	for id := range graph.ShardID(4) {
		if err := w.engine.Take(id); err != nil {
			t.Fatal(err)
		}
	}
	w.post("/v1/batch", body).want(t, 200, `"accepted":1`)
	w.get("/v1/profiles/user_id:7").want(t, 200)
}

// TestShardStopped: a shard that can't be recovered is told of, and the others answer.
func TestShardStopped(t *testing.T) {
	store := storage.NewMemStore()
	deployment, err := row.Initialise(store, row.Deployment{Shards: 4, Secret: row.Secret{1}, Created: 1})
	if err != nil {
		t.Fatal(err)
	}
	var batch storage.Batch
	batch.Set(row.AppendShardLower(nil, row.SpaceMeta, 2), []byte("no row"))
	if err := store.Commit(&batch); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil)
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := actors.Open(t.Context(), actors.Config{
		Store: store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory, Background: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Settle(t.Context()); err != nil { // so that the shards are recovered
		t.Fatal(err)
	}
	was := w.server.Engine
	w.server.Engine = engine
	w.get("/readyz").want(t, 503, `"not_ready"`, "1 of 4 shards have stopped", "start again")
	w.server.Engine = was
	if err := engine.Close(t.Context()); !errors.Is(err, storage.ErrCorrupt) {
		t.Errorf("close: %v", err)
	}
}

// TestNothingPersonal looks for identifiers in logs and metrics after all kinds of requests (P5).
func TestNothingPersonal(t *testing.T) {
	w := newWorld(t, nil)
	w.post("/v1/batch", `[{"type":"identify","userId":"sesame","traits":{"email":"sesame@example.com"}},{"type":"page","userId":"sesame","timestamp":"x"}]`)
	w.get("/v1/profiles/user_id:sesame")
	w.get("/v1/profiles/user_id:sesame2/why?with=email:sesame@example.com")
	w.get("/sesame")
	w.do(httptest.NewRequest("SESAME", "/sesame", nil))
	w.post("/v1/assertions", `{"verb":"forget","a":"user_id:sesame"}`)
	w.server.handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("sesame")) })
	w.get("/v1/profiles/user_id:sesame").want(t, 500, `"internal"`)
	w.server.handler, _ = w.server.router()
	if text := w.log.String(); strings.Contains(strings.ToLower(text), "sesame") || !strings.Contains(text, "*errors.errorString") || !strings.Contains(text, "route=/v1/profiles/{id} ") {
		t.Fatal(text)
	}
	if a := w.get("/metrics"); strings.Contains(strings.ToLower(a.body), "sesame") {
		t.Fatal(a.body)
	}
}

// TestPanicMidway: an answer that has begun must not look whole.
func TestPanicMidway(t *testing.T) {
	w := newWorld(t, nil)
	w.server.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("x")
	})
	defer func() {
		if cause := recover(); cause != http.ErrAbortHandler { //nolint:errorlint // it is thrown as it is
			t.Fatal(cause)
		}
	}()
	w.get("/")
}

func TestConfig(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Fatal("no engine, and no error")
	}
	w := newWorld(t, nil)
	_, err := New(Config{Engine: w.engine, Registry: w.server.Registry, MaxBody: 33 << 20, MaxEvents: -1, Decode: w.server.Decode, Origins: []string{"shop.example"}})
	if err == nil || !strings.Contains(err.Error(), "body limit") || !strings.Contains(err.Error(), "origin") || !strings.Contains(err.Error(), "events") {
		t.Fatal(err)
	}
}

func TestBackup(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	w := newWorld(t, nil)
	w.post("/v1/admin/backup", `{"dir":"/x"}`).want(t, 403, `"backup_disabled"`)
	w.reconfigure(func(c *Config) { c.Backup = w.store.Backup })
	w.feed(shopper...)
	w.post("/v1/admin/backup", `{"dir":"relative"}`).want(t, 409, `"backup_refused"`)
	w.post("/v1/admin/backup", fmt.Sprintf(`{"dir":%q}`, dir)).want(t, 200, `"dir"`)
	if names, err := os.ReadDir(dir); err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	w.post("/v1/admin/backup", fmt.Sprintf(`{"dir":%q}`, dir)).want(t, 409, `"backup_refused"`)
	begun, end := make(chan struct{}), make(chan struct{})
	w.reconfigure(func(c *Config) {
		c.Backup = func(string) error {
			begun <- struct{}{}
			<-end
			return &storage.Error{Class: storage.ErrDiskFull, Op: "back up to", Path: dir, Remedy: "free it"}
		}
	})
	first := make(chan answer)
	go func() { first <- w.post("/v1/admin/backup", fmt.Sprintf(`{"dir":%q}`, dir)) }()
	<-begun
	w.post("/v1/admin/backup", fmt.Sprintf(`{"dir":%q}`, dir)).want(t, 409, `"backup_running"`)
	close(end)
	(<-first).want(t, 507, `"disk_full"`, "free it")
}

// TestServe runs a server on Pebble and on a real connection: many writers and readers, exports and
// assertions among them, then a shutdown, and a restart that has everything.
func TestServe(t *testing.T) {
	const writers, rounds, perBatch = 8, 15, 20
	dir := t.TempDir()
	memory, err := storage.SplitMemory(storage.MinMemory)
	if err != nil {
		t.Fatal(err)
	}
	store, deployment, err := row.Open(storage.Options{Dir: dir}, row.Deployment{Shards: 8})
	if err != nil {
		t.Fatal(err)
	}
	registry, err := identifier.New(deployment.Secret, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	engine, err := actors.Open(ctx, actors.Config{Store: store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(Config{Engine: engine, Registry: registry})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	base := "http://" + listener.Addr().String()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 32}, Timeout: time.Minute}

	do := func(method, path, body string) (int, string) {
		r, err := http.NewRequest(method, base+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Error(err)
		}
		return answer.StatusCode, string(text)
	}
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for n := range writers {
		writing.Go(func() {
			for round := range rounds {
				var body bytes.Buffer
				body.WriteString(`{"batch":[`)
				for i := range perBatch {
					if i > 0 {
						body.WriteByte(',')
					}
					// writer n's people each have one cookie and log in with it, from two writers
					person := (n/2)*1000 + round*perBatch + i
					fmt.Fprintf(&body, `{"type":"identify","messageId":"w%d-%d-%d","userId":"p%d","anonymousId":"c%d","traits":{"n":%d}}`, n, round, i, person, person, n)
				}
				body.WriteString(`]}`)
				status, text := do("POST", "/v1/batch", body.String())
				if status != 200 || !strings.Contains(text, fmt.Sprintf(`"accepted":%d`, perBatch)) {
					t.Errorf("status %d: %s", status, text)
				}
				// what was answered is there (P8)
				if status, text := do("GET", fmt.Sprintf("/v1/profiles/user_id:p%d", (n/2)*1000+round*perBatch), ""); status != 200 {
					t.Errorf("status %d: %s", status, text)
				}
			}
		})
	}
	for n := range 4 {
		reading.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				path := []string{"/v1/stats", "/metrics", "/v1/export", fmt.Sprintf("/v1/profiles/user_id:p%d/events", i%300), fmt.Sprintf("/v1/profiles/user_id:p%d/why?with=anonymous_id:c%d", i%300, i%300)}[(i+n)%5]
				if status, text := do("GET", path, ""); status != 200 && status != 404 && status != 429 {
					t.Errorf("%s: status %d: %s", path, status, text)
				}
				if status, text := do("POST", "/v1/assertions", `{"verb":"force","a":"user_id:p1","b":"anonymous_id:c2","dry_run":true}`); status != 200 {
					t.Errorf("status %d: %s", status, text)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	_, export := do("GET", "/v1/export", "")
	if got := strings.Count(export, "\n"); got != writers/2*rounds*perBatch {
		t.Errorf("%d identities, want %d", got, writers/2*rounds*perBatch)
	}
	for line := range strings.Lines(export) {
		var p struct{ Events int }
		if err := json.Unmarshal([]byte(line), &p); err != nil || p.Events != 2 {
			t.Fatal(err, line)
		}
	}
	client.CloseIdleConnections()
	if err := server.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	rec := httptest.NewRecorder()
	server.ServeHTTP(rec, httptest.NewRequest("GET", "/readyz", nil))
	if rec.Code != 503 || !strings.Contains(rec.Body.String(), "stopping") {
		t.Fatal(rec.Code, rec.Body)
	}
	if err := errors.Join(engine.Close(ctx), store.Close()); err != nil {
		t.Fatal(err)
	}

	store, _, err = row.Open(storage.Options{Dir: dir}, row.Deployment{})
	if err != nil {
		t.Fatal(err)
	}
	engine, err = actors.Open(ctx, actors.Config{Store: store, Deployment: deployment, Rules: graph.DefaultRules(), Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if _, err := exportTo(&again, engine); err != nil {
		t.Fatal(err)
	}
	if again.String() != export {
		t.Error("the export after a restart is another one")
	}
	if err := errors.Join(engine.Close(ctx), store.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestShutdownDrains: a request under way is answered before Shutdown returns.
func TestShutdownDrains(t *testing.T) {
	w := newWorld(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()
	reader, writer := io.Pipe()
	status := make(chan int, 1)
	transport := &http.Transport{}
	go func() {
		answer, err := (&http.Client{Transport: transport}).Post("http://"+listener.Addr().String()+"/v1/page", "application/json", reader)
		if err != nil {
			t.Error(err)
			status <- 0
			return
		}
		answer.Body.Close()
		status <- answer.StatusCode
	}()
	if _, err := writer.Write([]byte(`{"userId":"late",`)); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(w.get("/metrics").body, "kindred_http_requests_in_flight 2") { // it, and this one
		time.Sleep(time.Millisecond)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Shutdown(context.Background()) }()
	for !w.server.draining.Load() {
		time.Sleep(time.Millisecond)
	}
	if _, err := writer.Write([]byte(`"messageId":"m"}`)); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	if got := <-status; got != 200 {
		t.Fatalf("status %d", got)
	}
	if err := errors.Join(<-stopped, <-served); err != nil {
		t.Fatal(err)
	}
	transport.CloseIdleConnections()
	w.get("/v1/profiles/user_id:late").want(t, 200)
}

// TestNewRequestIDs: an id that the server makes is a random UUID, and no two requests have the same.
func TestNewRequestIDs(t *testing.T) {
	w := newWorld(t, nil)
	seen := map[string]bool{}
	for range 100 {
		text := w.get("/livez").header.Get("X-Request-Id")
		id, err := uuid.Parse(text)
		if err != nil || id.Version() != 4 || id.Variant() != uuid.RFC4122 || id.String() != text {
			t.Fatalf("id %q: want a UUID of version 4: %v", text, err)
		}
		if seen[text] {
			t.Fatalf("id %q: two requests have it", text)
		}
		seen[text] = true
	}
}
