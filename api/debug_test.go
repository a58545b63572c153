package api

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/debug"
	"github.com/kindred-id/kindred/api/document"
)

// watching is an open stream of the debugger.
type watching struct {
	t     *testing.T
	body  io.ReadCloser
	lines *bufio.Reader
}

// watch opens a stream, and returns once it listens.
func watch(t *testing.T, url, query string) *watching {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/debug/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	w := &watching{t, res.Body, bufio.NewReader(res.Body)}
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	if line, err := w.lines.ReadString('\n'); err != nil || line != ": listening\n" {
		t.Fatalf("%q, %v", line, err)
	}
	return w
}

// next returns the name and the data of the next event.
func (w *watching) next() (name string, data []byte) {
	w.t.Helper()
	for {
		line, err := w.lines.ReadString('\n')
		if err != nil {
			w.t.Fatal(err)
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch key {
		case "event":
			name = value
		case "data":
			return name, []byte(value)
		}
	}
}

// event returns the next event.
func (w *watching) event() (e document.DebugEvent) {
	w.t.Helper()
	name, data := w.next()
	if err := json.Unmarshal(data, &e); err != nil || name != "event" {
		w.t.Fatalf("%s %s: %v", name, data, err)
	}
	return e
}

// The text of an event, its reading and its effects are shown, for taken and refused events.
func TestDebugEvents(t *testing.T) {
	w := newWorld(t, nil)
	server := httptest.NewServer(w.server)
	t.Cleanup(server.Close)
	all := watch(t, server.URL, "")
	w.feed(visit("c1", 1))
	w.feed(visit("c1", 2))
	w.post("/v1/track", `{"type":"track","event":"x","userId":"u1","messageId":"u1-1","timestamp":"2026-01-01T10:00:00Z","context":3}`)
	w.feed(login("c1", "u1"))
	w.post("/v1/identify", login("c1", "u1"))
	w.post("/v1/track", `{"type":"track","userId":"u1","messageId":"bad-1","timestamp":"2026-01-01T10:00:00Z","event":"Order Completed","properties":{"order_id":"o1","total":{}}}`)
	w.post("/v1/track", `{"event":"x","messageId":"none-1"}`)

	first := all.event()
	if first.Result != "accepted" || first.Type != "page" || first.MessageID != "c1-1" || first.Raw != visit("c1", 1) || first.RawBytes != len(first.Raw) ||
		first.Person == nil || first.Person.Events < 1 || first.Person.ID != w.id("anonymous_id:c1") && first.Person.ID == "" || len(first.Merges) > 0 {
		t.Errorf("%+v", first)
	}
	var parsed document.Event
	if err := json.Unmarshal(first.Parsed, &parsed); err != nil || parsed.MessageID != "c1-1" || len(parsed.Identifiers) != 1 {
		t.Errorf("%s: %v", first.Parsed, err)
	}
	all.event()
	if e := all.event(); e.Reason == nil && len(e.Dropped) == 0 {
		t.Errorf("a context that is a number: %+v", e)
	}
	joined := all.event()
	person := w.id("user_id:u1")
	if len(joined.Merges) != 1 || joined.Merges[0].Into != person || len(joined.Merges[0].From) != 2 || len(joined.Merges[0].By) != 2 ||
		joined.Person == nil || joined.Person.ID != person || joined.Person.Identifiers != 2 {
		t.Errorf("a login: %+v, want a merge into %s", joined, person)
	}
	if e := all.event(); e.Result != "duplicate" || e.Person == nil || e.Person.ID != person {
		t.Errorf("a duplicate: %+v", e)
	}
	if e := all.event(); e.Reason == nil && len(e.Dropped) == 0 {
		t.Errorf("an order without a total: %+v", e)
	}
	if e := all.event(); e.Result != "without_identifier" || e.Reason == nil || e.Reason.Hint == "" || e.Person != nil || e.Parsed != nil {
		t.Errorf("nobody: %+v", e)
	}
}

// A filter lets through what it names, and a wrong one is refused.
func TestDebugFilter(t *testing.T) {
	w := newWorld(t, nil)
	server := httptest.NewServer(w.server)
	t.Cleanup(server.Close)
	streams := map[string]*watching{}
	for _, query := range []string{"?type=identify", "?result=without_identifier", "?identifier=user_id:u1", "?source=shop"} {
		streams[query] = watch(t, server.URL, query)
	}
	w.feed(visit("c1", 1))
	w.post("/v1/track", `{"event":"x","messageId":"none-1"}`)
	w.post("/v1/batch", `{"writeKey":"shop","batch":[`+visit("c2", 2)+`]}`)
	w.feed(login("c1", "u1"))
	for query, want := range map[string]string{
		"?type=identify": "c1+u1", "?result=without_identifier": "none-1", "?identifier=user_id:u1": "c1+u1", "?source=shop": "c2-2",
	} {
		if e := streams[query].event(); e.MessageID != want {
			t.Errorf("%s: %s, want %s", query, e.MessageID, want)
		}
	}
	for query, status := range map[string]int{"?type=x": 400, "?result=x": 400, "?identifier=x:y": 400, "?colour=x": 400} {
		if a := w.get("/v1/debug/events" + query); a.status != status {
			t.Errorf("%s: %d", query, a.status)
		}
	}
}

// Listeners are bounded, and a stop ends their streams. A listener that has gone leaves room.
func TestDebugListeners(t *testing.T) {
	w := newWorld(t, nil)
	server := httptest.NewServer(w.server)
	t.Cleanup(server.Close)
	var open []*watching
	for range 8 {
		open = append(open, watch(t, server.URL, ""))
	}
	w.get("/v1/debug/events").want(t, 429, "busy")
	open[0].body.Close()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		res, err := http.Get(server.URL + "/v1/debug/events")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a listener that has gone holds its place")
		}
	}
	if err := w.server.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(open[1].body); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

// Above its rate, a listener is told how many events it was not shown; ingest takes all of them, though nobody reads.
func TestDebugSamples(t *testing.T) {
	w := newWorld(t, nil)
	server := httptest.NewServer(w.server)
	t.Cleanup(server.Close)
	slow := watch(t, server.URL, "")
	const events = 5 * debug.Rate
	var batch []string
	for n := range events {
		batch = append(batch, visit(fmt.Sprint("c", n), n))
	}
	w.post("/v1/batch", `{"batch":[`+strings.Join(batch, ",")+`]}`).want(t, 200, fmt.Sprintf(`"accepted":%d`, events))
	shown, left := 0, uint64(0)
	for shown+int(left) < events {
		name, data := slow.next()
		if name == "event" {
			shown++
			continue
		}
		var n document.DebugNotice
		if err := json.Unmarshal(data, &n); err != nil || n.Rate != debug.Rate || n.Sampled+n.Missed == 0 {
			t.Fatalf("%s: %v", data, err)
		}
		left += n.Sampled + n.Missed
	}
	if shown+int(left) != events || left == 0 || shown < debug.Rate {
		t.Errorf("%d shown and %d told of as left out, of %d", shown, left, events)
	}
}
