package api

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/egress/replica"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// newFed is a world with a change feed.
func newFed(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, 4, graph.DefaultRules(), feed.Settings{On: true}, nil)
}

func visit(cookie string, n int) string {
	return fmt.Sprintf(`{"type":"page","anonymousId":%q,"messageId":"%s-%d","timestamp":"2026-01-01T10:00:00Z"}`, cookie, cookie, n)
}

func login(cookie, user string) string {
	return fmt.Sprintf(`{"type":"identify","anonymousId":%q,"userId":%q,"messageId":"%s+%s","timestamp":"2026-01-01T11:00:00Z","traits":{"city":"Ghent"}}`, cookie, user, cookie, user)
}

// sse is a server-sent event.
type sse struct{ event, data, id string }

// parse takes a stream apart.
func parse(t *testing.T, body string) (events []sse) {
	t.Helper()
	for block := range strings.SplitSeq(body, "\n\n") {
		var e sse
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "event":
				e.event = value
			case "data":
				e.data = value
			case "id":
				e.id = value
			case "":
			default:
				t.Fatalf("line %q of a stream", line)
			}
		}
		events = append(events, e)
	}
	return events
}

// The stream tells everything, and a stream from any id that it gave tells the rest.
func TestChanges(t *testing.T) {
	w := newFed(t)
	for n := range 300 {
		w.feed(visit(fmt.Sprint("c", n%100), n))
	}
	w.feed(login("c1", "ann"), login("c2", "ann"))
	a := w.get("/v1/changes?cursor=start&follow=false")
	if a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, %v", a.status, a.header)
	}
	replay := func(replica *replica.Replica, stream []sse) {
		t.Helper()
		for _, s := range stream {
			if s.data == "" {
				continue
			}
			e, err := egress.Parse([]byte(s.data))
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind.String() != s.event {
				t.Fatalf("event %q is a %s", s.event, e.Kind)
			}
			replica.Apply(&e.FeedEntry)
		}
	}
	stream := parse(t, a.body)
	var whole replica.Replica
	replay(&whole, stream)
	lines := func(r *replica.Replica) string {
		var b []byte
		for _, p := range r.Profiles() {
			b = (&document.Lines{}).Append(b, &p)
		}
		return string(b)
	}
	if export := w.get("/v1/export").body; lines(&whole) != export {
		t.Fatalf("the stream tells\n%s\nand the export\n%s", lines(&whole), export)
	}
	ids := 0
	for i, s := range stream {
		if s.id == "" {
			continue
		}
		ids++
		var resumed replica.Replica
		replay(&resumed, stream[:i+1])
		r := httptest.NewRequest("GET", "/v1/changes?follow=false&cursor=start", nil)
		r.Header.Set("Last-Event-ID", s.id)
		replay(&resumed, parse(t, w.do(r).body))
		if lines(&resumed) != lines(&whole) {
			t.Fatalf("resumed at id %d of the stream:\n%s", ids, lines(&resumed))
		}
	}
	if ids < 4 {
		t.Errorf("%d ids in a stream of %d entries", ids, len(stream))
	}
	for _, s := range parse(t, w.get("/v1/changes?cursor=start&follow=false&kinds=merged,linked").body) {
		if s.data != "" && s.event != "merged" && s.event != "linked" {
			t.Errorf("a %s was not asked for", s.event)
		}
	}
}

// With scores=true an entry that says something new of orders carries the scores that the profile has then, and no
// other entry does; without it none does.
func TestChangesScores(t *testing.T) {
	w := newWorldWith(t, 4, graph.DefaultRules(), feed.Settings{On: true}, func(c *Config) {
		var err error
		if c.Scores, err = scoring.Open(c.Engine, score.Terms{}); err != nil {
			t.Fatal(err)
		}
	})
	w.feed(shopper...)
	scoresIn := func(document string) string {
		var d struct {
			Data   struct{ Scores json.RawMessage } `json:"data"`
			Scores json.RawMessage                  `json:"scores"`
		}
		if err := json.Unmarshal([]byte(document), &d); err != nil {
			t.Fatalf("%v: %s", err, document)
		}
		text := string(cmp.Or(string(d.Data.Scores), string(d.Scores)))
		return regexp.MustCompile(`"as_of":"[^"]*"`).ReplaceAllString(text, "")
	}
	told := ""
	for _, s := range parse(t, w.get("/v1/changes?cursor=start&follow=false&scores=true").body) {
		if s.data == "" {
			continue
		}
		e, err := egress.Parse([]byte(s.data))
		if err != nil {
			t.Fatal(err)
		}
		if scores := scoresIn(s.data); egress.TellsOrders(&e) {
			told = cmp.Or(scores, told)
		} else if scores != "" {
			t.Errorf("a %s that tells of no order has scores", s.event)
		}
	}
	want := scoresIn(w.get("/v1/profiles/user_id:u1?scores=true").body)
	if told == "" || told != want {
		t.Errorf("the feed tells the scores\n%s\nand the profile has\n%s", told, want)
	}
	if body := w.get("/v1/changes?cursor=start&follow=false").body; strings.Contains(body, `"scores"`) {
		t.Errorf("scores were not asked for: %s", body)
	}
}

func TestChangesRefusals(t *testing.T) {
	w := newFed(t)
	for _, c := range []struct {
		query  string
		status int
	}{
		{"?cursor=yesterday", 400}, {"?kinds=shouted", 400}, {"?follow=maybe", 400}, {"?until=now", 400}, {"?scores=maybe", 400},
	} {
		if a := w.get("/v1/changes" + c.query); a.status != c.status {
			t.Errorf("%s: status %d, want %d", c.query, a.status, c.status)
		}
	}
	if a := newWorld(t, nil).get("/v1/changes"); a.status != 409 || !strings.Contains(a.body, `"feed_off"`) {
		t.Errorf("without a feed: %d %s", a.status, a.body)
	}
}

// A stream goes on while things happen, and ends with the server.
func TestChangesFollow(t *testing.T) {
	w := newFed(t)
	w.feed(visit("before", 1))
	server := httptest.NewServer(w.server)
	defer server.Close()
	res, err := http.Get(server.URL + "/v1/changes")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	next := func() string {
		select {
		case line, ok := <-lines:
			if !ok {
				return "the end"
			}
			return line
		case <-time.After(10 * time.Second):
			t.Fatal("the stream says nothing")
			return ""
		}
	}
	if first := next(); !strings.HasPrefix(first, "id: 1.") {
		t.Fatalf("the stream begins with %q, want its place", first)
	}
	next()
	for n := range 3 {
		w.feed(visit("during", n))
		for line := next(); ; line = next() {
			if strings.HasPrefix(line, "data: ") {
				if !strings.Contains(line, `"value":"during"`) && n == 0 {
					t.Errorf("the stream tells of %s", line)
				}
				break
			}
		}
	}
	w.server.streams.Close()
	for line := next(); line != "the end"; line = next() {
		if strings.HasPrefix(line, "data: ") {
			t.Errorf("the stream tells of %s after its end", line)
		}
	}
}

// Streams are bounded.
func TestChangesAtOnce(t *testing.T) {
	w := newFed(t)
	server := httptest.NewServer(w.server)
	defer server.Close()
	defer w.server.streams.Close()
	const streamsAtOnce = 16
	for i := range streamsAtOnce + 1 {
		res, err := http.Get(server.URL + "/v1/changes")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if want := map[bool]int{true: 200, false: 429}[i < streamsAtOnce]; res.StatusCode != want {
			t.Fatalf("stream %d: status %d, want %d", i, res.StatusCode, want)
		}
	}
}
