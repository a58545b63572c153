package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/storage"
	"github.com/klauspost/compress/zstd"
)

func gzipped(t testing.TB, text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zstded(t testing.TB, text []byte) []byte {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(text, nil)
}

// ingested is the answer to a request with events.
type ingested struct {
	Success           bool
	Accepted          int
	Duplicates        int
	WithoutIdentifier int `json:"without_identifier"`
	Rejected          []struct {
		Index         int
		MessageID     *string `json:"messageId"`
		Code, Message string
		Hint, Field   string
	}
	Results []struct {
		Index     int
		MessageID *string `json:"messageId"`
		Status    string
	}
	Warnings map[string]int
}

func TestBatchAnswer(t *testing.T) {
	w := newWorld(t, nil)
	body := `{"batch":[
		{"type":"page","messageId":"m1","userId":"u1"},
		{"type":"page","messageId":"m2"},
		{"type":"track","event":"Order Completed","messageId":"m3","userId":"u1","properties":{"order_id":"o","revenue":"free"}},
		{"type":"page","messageId":"m1","userId":"u1"},
		{"type":"page","messageId":"m4","userId":"u2","anonymousId":"null"},
		{"type":"walk","messageId":"m\u0035","userId":"u2"},
		{"type":"page" "messageId":"m6"},
		17
	]}`
	var got ingested
	w.post("/v1/batch?results=all", body).into(t, &got)
	if !got.Success || got.Accepted != 3 || got.Duplicates != 1 || got.WithoutIdentifier != 1 || len(got.Rejected) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		index int
		code  string
		id    string
	}{{5, "unknown_type", "m5"}, {6, "invalid_json", ""}, {7, "bad_type", ""}} {
		r := got.Rejected[i]
		id := ""
		if r.MessageID != nil {
			id = *r.MessageID
		}
		if r.Index != want.index || r.Code != want.code || id != want.id || r.Message == "" || r.Hint == "" {
			t.Errorf("%d: %+v", i, r)
		}
	}
	statuses := ""
	for i, r := range got.Results {
		if r.Index != i {
			t.Fatal(r)
		}
		statuses += r.Status + " "
	}
	if statuses != "accepted without_identifier accepted duplicate accepted rejected rejected rejected " {
		t.Fatal(statuses)
	}
	if len(got.Warnings) != 3 || got.Warnings["blocked"] != 1 || got.Warnings["anonymousId"] != 1 || got.Warnings["properties.revenue"] != 1 {
		t.Fatal(got.Warnings)
	}
	// Sent again, it is the same: nothing counts twice.
	w.post("/v1/batch", body).into(t, &got)
	if got.Accepted != 0 || got.Duplicates != 4 {
		t.Fatalf("%+v", got)
	}
	w.get("/v1/profiles/user_id:u1").want(t, 200, `"events":2`, `"orders":1`, `"orders_without_amount":1`)
	w.get("/metrics").want(t, 200,
		`kindred_ingest_events_total{result="accepted",source="http",type="page"} 2`, `kindred_ingest_events_total{result="duplicate",source="http",type="page"} 4`,
		`kindred_ingest_events_total{result="rejected",source="http",type="unknown"} 6`, `kindred_events_total{result="accepted"} 3`, "kindred_profiles 2")
}

func TestTypedRoutes(t *testing.T) {
	w := newWorld(t, nil)
	for _, typ := range []string{"identify", "track", "page", "screen", "group", "alias"} {
		extra := ""
		switch typ {
		case "track":
			extra = `,"event":"x"`
		case "alias":
			extra = `,"previousId":"old"`
		}
		var got ingested
		for i, form := range []string{`{"userId":"u"%s,"messageId":"%s1" } `, `{"type":null,"userId":"u"%s,"messageId":"%s2"}`} {
			w.post("/v1/"+typ, fmt.Sprintf(form, extra, typ)).into(t, &got)
			if got.Accepted != 1 {
				t.Fatalf("%s %d: %+v", typ, i, got)
			}
		}
		w.post("/v1//"+typ+"/", fmt.Sprintf(`{"type":%q,"userId":"u"%s,"messageId":"%s3"}`, typ, extra, typ)).into(t, &got)
		if got.Accepted != 1 {
			t.Fatalf("%+v", got)
		}
	}
	w.get("/v1/profiles/user_id:u").want(t, 200, `"counts":{"identify":3,"track":3,"page":3,"screen":3,"group":3,"alias":3}`)
	w.post("/v1/track", `{"type":"page","userId":"u"}`).want(t, 400, `"no_readable_event"`, `"type_mismatch"`, "/v1/page")
	w.post("/v1/page", `{}`).want(t, 200, `"without_identifier":1`)
	w.post("/v1/batch", `{}`).want(t, 400, `"unknown_type"`)
}

func TestBodies(t *testing.T) {
	w := newWorld(t, nil)
	n := 0
	send := func(body []byte, header ...string) answer {
		r := httptest.NewRequest("POST", "/v1/batch", bytes.NewReader(body))
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return w.do(r)
	}
	event := func() []byte {
		n++
		return fmt.Appendf(nil, `{"type":"page","messageId":"b%d","userId":"u1"}`, n)
	}
	const one = `"accepted":1`
	send(event()).want(t, 200, one)
	send(event(), "Content-Type", "text/plain").want(t, 200, one)
	send(event(), "Content-Type", "application/x-www-form-urlencoded").want(t, 200, one)
	send(append([]byte("[\n"), append(event(), ']')...)).want(t, 200, one)
	send(append([]byte("\xef\xbb\xbf"), event()...)).want(t, 200, one)
	send(gzipped(t, event()), "Content-Encoding", "gzip").want(t, 200, one)
	send(gzipped(t, event())).want(t, 200, one)
	send(zstded(t, event()), "Content-Encoding", "zstd").want(t, 200, one)
	send(zstded(t, event()), "Content-Encoding", "gzip").want(t, 200, one)
	send(event(), "Content-Encoding", "gzip").want(t, 200, one)
	send(append(gzipped(t, event()[:10]), gzipped(t, event()[10:])...)).want(t, 200, one)
	send(event(), "Content-Encoding", "br").want(t, 415, `"unknown_encoding"`)

	send(nil).want(t, 400, `"empty_body"`)
	send([]byte(" \n")).want(t, 400, `"empty_body"`)
	send(gzipped(t, nil)).want(t, 400, `"empty_body"`)
	send([]byte(`data=%7B%7D`)).want(t, 400, `"invalid_body"`)
	send([]byte(`{"batch":17}`)).want(t, 400, `"invalid_body"`, "batch")
	send([]byte(`{"batch":[`)).want(t, 400, `"invalid_body"`)
	send([]byte(`"text"`)).want(t, 400, `"invalid_body"`)
	send([]byte(`{"batch":[]}`)).want(t, 200, `"accepted":0`)
	send(gzipped(t, event())[:20]).want(t, 400, `"bad_encoding"`, "cut short")
	send(append(gzipped(t, event()), "junk"...)).want(t, 400, `"bad_encoding"`)
	send(zstded(t, event())[:12]).want(t, 400, `"bad_encoding"`)
	send([]byte("\x1f\x8bnope")).want(t, 400, `"bad_encoding"`)
	// after all that, the kept decompressors work
	send(gzipped(t, event())).want(t, 200, one)
	send(zstded(t, event())).want(t, 200, one)
}

// TestBadInput sends what may break a reader: each event gets its own reason, and the good one
// beside it is taken.
func TestBadInput(t *testing.T) {
	w := newWorld(t, nil)
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf(`{"id":"x%d","type":"user_id","collection":"users"}`, i))
	}
	hundred := `{"type":"page","context":{"externalIds":[` + strings.Join(many[:100], ",") + `]}}`
	cases := []struct{ name, event, want string }{
		{"invalid JSON", `{"type":"page","userId":}`, `"invalid_json"`},
		{"wrong type", `{"type":"page","userId":{}}`, `"bad_type"`},
		{"wrong properties", `{"type":"page","userId":"u","properties":"x"}`, `"rejected":[],"dropped":[{"index":0,`},
		{"no properties in PHP", `{"type":"page","userId":"u","properties":[]}`, `"rejected":[]}`},
		{"missing type", `{"userId":"u"}`, `"unknown_type"`},
		{"no identifier", `{"type":"page"}`, `"without_identifier":1`},
		{"deep nesting", `{"type":"page","userId":"u","properties":` + strings.Repeat(`{"a":`, 1000) + `1` + strings.Repeat(`}`, 1000) + `}`, `"too_deep"`},
		{"deep arrays", `{"type":"page","userId":"u","properties":{"a":` + strings.Repeat(`[`, 100000) + strings.Repeat(`]`, 100000) + `}}`, `"too_deep"`},
		{"bad UTF-8", "{\"type\":\"page\",\"userId\":\"\xff\xfe\"}", `"bad_utf8"`},
		{"NUL", "{\"type\":\"page\",\"userId\":\"a\x00b\"}", `"invalid_json"`},
		{"escaped NUL", `{"type":"page","userId":"a\u0000b"}`, `"without_identifier":1`},
		{"year 1", `{"type":"page","userId":"u","timestamp":"0001-01-01T00:00:00Z"}`, `"rejected":[],"dropped":[{"index":0,"messageId":`},
		{"no time", `{"type":"page","userId":"u","timestamp":"yesterday"}`, `"code":"bad_timestamp","field":"timestamp","message":"\"yesterday\" is not a time"`},
		{"negative money", `{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","revenue":-1}}`, `"bad_money"`},
		{"textual money", `{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","revenue":"lots"}}`, `"bad_money"`},
		{"currency", `{"type":"track","event":"Order Completed","userId":"u","properties":{"order_id":"1","revenue":1,"currency":"??"}}`, `"bad_currency"`},
		{"100 identifiers", hundred, `"rejected":[]`},
		{"101 identifiers", strings.Replace(hundred, "]}}", ","+many[100]+"]}}", 1), `"too_many_identifiers"`},
		{"identifier of 1 MB", `{"type":"page","userId":"` + strings.Repeat("x", 1e6) + `"}`, `"too_long":1`},
		{"event of 2 MB", `{"type":"page","userId":"u","properties":{"x":"` + strings.Repeat("x", 2<<20) + `"}}`, `"event_too_large"`},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			body := fmt.Sprintf(`{"batch":[%s,{"type":"page","messageId":"good%d","userId":"good"}]}`, c.event, i)
			a := w.post("/v1/batch", body)
			a.want(t, 200, c.want)
			if !strings.Contains(a.body, `"accepted":`) || strings.Contains(a.body, `"accepted":0`) {
				t.Fatal(a.body)
			}
		})
	}
	w.get("/v1/profiles/user_id:good").want(t, 200, fmt.Sprintf(`"events":%d,`, len(cases)))
}

func TestLimits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody = 1 << 20; c.MaxEvents = 3 })
	large := strings.Repeat(" ", 1<<20) + `{}`
	w.post("/v1/batch", large).want(t, 413, `"body_too_large"`)
	r := httptest.NewRequest("POST", "/v1/batch", io.MultiReader(strings.NewReader(large))) // of unknown length
	w.do(r).want(t, 413, `"body_too_large"`)
	bomb := make([]byte, 256<<20)
	for name, body := range map[string][]byte{"gzip": gzipped(t, bomb), "zstd": zstded(t, bomb)} {
		if len(body) > 1<<20 {
			t.Fatalf("the %s bomb is of %d bytes", name, len(body))
		}
		w.do(httptest.NewRequest("POST", "/v1/batch", bytes.NewReader(body))).want(t, 413, `"body_too_large"`)
	}
	// A request with too many events is refused as a whole: a library takes 200 for "all of it was taken".
	w.post("/v1/batch", `[`+strings.Repeat(`{"type":"page","userId":"u"},`, 3)+`{"type":"page","userId":"u"}]`).
		want(t, 413, `"too_many_events"`, "4 events, of which none was taken", "at most 3")
	w.get("/v1/profiles/user_id:u").want(t, 404)
	w.get("/metrics").want(t, 200, `kindred_ingest_events_total{result="too_many_events",source="http",type="unknown"} 4`)
	w.post("/v1/batch?results=some", `{}`).want(t, 400, `"bad_parameter"`)
	// A malformed context of the batch is dropped from the events without a context of their own.
	w.post("/v1/batch", `{"context":17,"batch":[{"type":"page","userId":"u","messageId":"c1"},{"type":"page","userId":"u","messageId":"c2","context":{}}]}`).
		want(t, 200, `"accepted":2`, `"dropped":[{"index":0,"messageId":"c1","code":"bad_type","field":"context","message":"is a number, want an object",`, `"warnings":{"context":1}`)
}

// A body with as many events as allowed is taken whole where memory is least, be its events as short or as long as they may.
// A client that is told to come back for ever would never be rid of it.
func TestFullBody(t *testing.T) {
	w := newWorld(t, nil)
	for name, pad := range map[string]string{"short": "", "long": strings.Repeat("x", 140)} {
		var body strings.Builder
		for i := range defaultMaxEvents {
			body.WriteByte("[,"[min(i, 1)])
			fmt.Fprintf(&body, `{"type":"page","userId":"u%d","messageId":"%s%d","name":"%s"}`, i%1000, name, i, pad)
		}
		body.WriteByte(']')
		if body.Len() > defaultMaxBody {
			t.Fatalf("%d bytes", body.Len())
		}
		var got ingested
		w.post("/v1/batch", body.String()).into(t, &got)
		if got.Accepted != defaultMaxEvents {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Fields left out are told one by one up to a bound, and all of them are counted.
func TestDroppedFields(t *testing.T) {
	w := newWorld(t, nil)
	var events []string
	for i := range 120 {
		events = append(events, fmt.Sprintf(`{"type":"page","userId":"u","messageId":"m%d","properties":7}`, i))
	}
	a := w.post("/v1/batch", `[`+strings.Join(events, ",")+`]`)
	a.want(t, 200, `"accepted":120`, `"rejected":[]`, `{"index":99,"messageId":"m99","code":"bad_type","field":"properties","message":"is a number, want an object"`,
		`,{"count":20}],"warnings":{"properties":120}`)
	if strings.Contains(a.body, `"index":100`) {
		t.Error(a.body)
	}
	// Those of an event that names nobody are told as well, and those of a rejected one are not.
	w.post("/v1/batch", `[{"type":"page","messageId":"a","properties":7},{"type":"rage","userId":"u","context":7},{"type":"page","userId":"u"}]`).
		want(t, 200, `"dropped":[{"index":0,"messageId":"a"`, `"warnings":{"properties":1}`)
	if a := w.post("/v1/identify", `{"type":"page","userId":"u","properties":7}`); strings.Contains(a.body, `"dropped"`) || strings.Contains(a.body, `"warnings"`) {
		t.Error(a.body)
	}
	w.get("/metrics").want(t, 200, `kindred_ingest_dropped_total{code="bad_type",field="properties"} 121`)
}

func TestSources(t *testing.T) {
	w := newWorld(t, nil)
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for i, c := range []struct {
		path, authorization, writeKey, body, want string
	}{
		{want: "http"},
		{authorization: basic("web:"), writeKey: "no", body: "no", want: "web"},
		{authorization: strings.ToLower(basic("x"))[:6] + basic("web")[6:], want: "web"},
		{authorization: "Basic ???", body: "app", want: "app"},
		{authorization: "Bearer token", body: "app", want: "app"},
		{writeKey: "id:secret", body: "id:***", want: "id"},
		{path: "?writeKey=q", want: "q"},
		{body: strings.Repeat("k", 65), want: "sha256:"},
		{body: `a\nb`, want: "sha256:"},
	} {
		r := httptest.NewRequest("POST", "/v1/batch"+c.path, strings.NewReader(
			fmt.Sprintf(`{"writeKey":"%s","batch":[{"type":"page","messageId":"m","userId":"s%d"}]}`, c.body, i)))
		r.Header.Set("Authorization", c.authorization)
		r.Header.Set("X-Write-Key", c.writeKey)
		w.do(r).want(t, 200, `"accepted":1`)
		if a := w.get(fmt.Sprintf("/v1/profiles/user_id:s%d/events", i)); !strings.Contains(a.body, `"source":"`+c.want) || strings.Contains(a.body, "secret") {
			t.Fatalf("%d: %s", i, a.body)
		}
	}
}

// TestNoRoom fills the memory for events under way: what comes then is sent back, and taken later.
func TestNoRoom(t *testing.T) {
	w := newWorld(t, nil)
	hold := make(chan struct{})
	entered := make(chan struct{}, w.engine.Shards())
	w.feed(`{"type":"page","messageId":"hold","userId":"u1"}`)
	name, err := lookup.ParseID(w.server.Registry, "user_id:u1")
	if err != nil {
		t.Fatal(err)
	}
	viewed := make(chan error)
	go func() {
		viewed <- w.engine.Read(context.Background(), name.Key, func(*actors.View) error {
			entered <- struct{}{}
			<-hold
			return nil
		})
	}()
	<-entered // the shard of u1 is busy
	// Events of 1 MB each until there is no room.
	event := func(i int) string {
		return fmt.Sprintf(`{"type":"page","messageId":"r%d","userId":"u1","properties":{"x":%q}}`, i, strings.Repeat("x", 1<<20-2000))
	}
	answers := make(chan answer)
	n, busy := 0, answer{}
	for busy.status == 0 {
		r := httptest.NewRequest("POST", "/v1/batch", strings.NewReader(event(n)))
		go func() {
			rec := httptest.NewRecorder()
			w.server.ServeHTTP(rec, r)
			answers <- answer{rec.Code, rec.Header(), rec.Body.String()}
		}()
		n++
		if n > 200 {
			t.Fatal("200 MB under way and still there is room")
		}
		select {
		case busy = <-answers:
		default:
		}
	}
	busy.want(t, 429, `"code":"busy"`)
	w.checkProblem(busy)
	if busy.header.Get("Retry-After") != "1" {
		t.Fatal(busy.header)
	}
	close(hold)
	if err := <-viewed; err != nil {
		t.Fatal(err)
	}
	for range n - 1 {
		if a := <-answers; a.status != 200 && a.status != 429 {
			t.Fatal(a)
		}
	}
	w.post("/v1/batch", event(n+1)).want(t, 200, `"accepted":1`)
}

// TestNoRoomForBodies is the same with bodies that are still being sent (P4).
func TestNoRoomForBodies(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxBody = 128 << 10; c.BodyBytes = 1 })
	reader, writer := io.Pipe()
	first := make(chan answer)
	go func() {
		rec := httptest.NewRecorder()
		w.server.ServeHTTP(rec, httptest.NewRequest("POST", "/v1/page", reader))
		first <- answer{rec.Code, rec.Header(), rec.Body.String()}
	}()
	if _, err := writer.Write(append([]byte(`{"userId":"slow"`), bytes.Repeat([]byte(" "), 100<<10)...)); err != nil {
		t.Fatal(err)
	}
	large := `{"userId":"u"` + strings.Repeat(" ", 100<<10) + `}`
	a := w.post("/v1/page", large)
	a.want(t, 429, `"code":"busy"`)
	if _, err := writer.Write([]byte("}")); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	(<-first).want(t, 200, `"accepted":1`)
	w.post("/v1/page", large).want(t, 200, `"accepted":1`)
}

func TestStoreFails(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	w.get("/readyz").want(t, 200, `"status":"ready"`)
	w.store.Fate = func(int) storage.CommitFate { return storage.CommitLost }
	a := w.post("/v1/page", `{"userId":"lost"}`)
	a.want(t, 503, `"engine_failed"`)
	if a.header.Get("Retry-After") == "" {
		t.Fatal("no Retry-After")
	}
	w.get("/v1/profiles/user_id:u1").want(t, 503, `"engine_failed"`)
	w.get("/v1/export").want(t, 503, `"engine_failed"`)
	w.get("/v1/stats").want(t, 503)
	w.get("/readyz").want(t, 503, `"status":"not_ready"`, `"name":"engine","ok":false`)
	w.get("/livez").want(t, 200)
	w.get("/metrics").want(t, 200, "kindred_engine_up 0")
}

func FuzzBody(f *testing.F) {
	for _, event := range shopper {
		f.Add([]byte(event), byte(0))
		f.Add([]byte(`{"batch":[`+event+`]}`), byte(1))
		f.Add([]byte(`[`+event+`]`), byte(2))
		f.Add(gzipped(f, []byte(event)), byte(3))
		f.Add(zstded(f, []byte(event)), byte(0))
	}
	f.Add([]byte("[]"), byte(1))
	f.Add([]byte("\xef\xbb\xbf{}"), byte(2))
	f.Add([]byte("{\"type\":\"page\"\x00}"), byte(0))
	w := newWorld(&testing.T{}, func(c *Config) { c.MaxBody = 64 << 10 })
	f.Cleanup(func() { _ = w.engine.Close(context.Background()) })
	paths := []string{"/v1/batch", "/v1/batch?results=all", "/v1/track", "/v1/identify"}
	f.Fuzz(func(t *testing.T, body []byte, path byte) {
		w.t = t
		a := w.do(httptest.NewRequest("POST", paths[int(path)%len(paths)], bytes.NewReader(body)))
		switch a.status {
		case 200, 400, 413, 415:
		default:
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		if !json.Valid([]byte(a.body)) {
			t.Fatalf("not JSON: %q", a.body)
		}
		if a.status != 200 {
			return
		}
		var got ingested
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		// An event that was taken is answered for, and is a duplicate when sent again.
		var again ingested
		if err := json.Unmarshal([]byte(w.do(httptest.NewRequest("POST", paths[int(path)%len(paths)], bytes.NewReader(body))).body), &again); err != nil {
			t.Fatal(err)
		}
		if again.Accepted != 0 || again.Duplicates != got.Accepted+got.Duplicates {
			t.Fatalf("%+v, then %+v", got, again)
		}
	})
}

// sentAt corrects a live body, of the batch, the event, or the header; and not a file's.
func TestSentAt(t *testing.T) {
	w := newWorld(t, nil)
	seen := func(id string) string {
		var profile struct {
			FirstSeen string `json:"first_seen"`
		}
		w.get("/v1/profiles/user_id:"+id).into(t, &profile)
		return profile.FirstSeen
	}
	const event = `{"type":"page","userId":"%s","messageId":"%s","timestamp":"2015-01-01T00:00:10Z"%s}`
	of := func(id, more string) string { return fmt.Sprintf(event, id, id, more) }
	const sentAt = `"sentAt":"2015-01-01T00:00:20Z"`
	w.post("/v1/batch", `{`+sentAt+`,"batch":[`+of("batch", "")+`]}`).want(t, 200, `"warnings":{"corrected":1}`)
	w.post("/v1/page", of("event", ","+sentAt)).want(t, 200, `"warnings":{"corrected":1}`)
	r := httptest.NewRequest("POST", "/v1/page", strings.NewReader(of("header", "")))
	r.Header.Set("SentAt", "2015-01-01T00:00:20Z")
	w.do(r).want(t, 200, `"warnings":{"corrected":1}`)
	w.post("/v1/batch?live=false", `{`+sentAt+`,"batch":[`+of("file", "")+`]}`).want(t, 200, `"rejected":[]}`)
	w.post("/v1/batch?live=perhaps", `{}`).want(t, 400, `"bad_parameter"`)
	w.post("/v1/batch", `{"sentAt":"soon","batch":[`+of("soon", "")+`]}`).want(t, 200, `"dropped":[{"index":0,"messageId":"soon","code":"bad_timestamp","field":"sentAt",`, `"warnings":{"sentAt":1}`)
	w.post("/v1/batch", `{"sentAt":[],"batch":[{"type":"rage"},`+of("list", "")+`,`+of("next", "")+`]}`).
		want(t, 200, `"dropped":[{"index":1,"messageId":"list","code":"bad_timestamp","field":"sentAt",`, `"warnings":{"sentAt":1}`)
	for id, corrected := range map[string]bool{"batch": true, "event": true, "header": true, "file": false, "soon": false} {
		if at := seen(id); (at != "2015-01-01T00:00:10.000Z") != corrected {
			t.Errorf("%s: %s", id, at)
		}
	}
}
