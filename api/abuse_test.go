package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/graph"
)

// target is a server on a real connection, for clients that mean it no good.
type target struct {
	*world
	address string
	heap    uint64 // in use before the attack
	open    []net.Conn
}

// attacked serves a world, with the limits that tune has shortened.
func attacked(t *testing.T, change func(*Config), tune func(*http.Server)) *target {
	t.Helper()
	w := newWorldWith(t, 4, graph.DefaultRules(), feed.Settings{On: true}, change)
	if tune != nil {
		tune(&w.server.http)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()
	a := &target{world: w, address: listener.Addr().String()}
	t.Cleanup(func() {
		a.drop()
		if err := errors.Join(w.server.Shutdown(context.Background()), <-served); err != nil {
			t.Error(err)
		}
	})
	a.honest(1) // what is made once does not count
	a.heap = heapInUse()
	return a
}

func heapInUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}

// flat fails if the heap has grown by more than most bytes.
func (a *target) flat(most uint64) {
	a.t.Helper()
	if now := heapInUse(); now > a.heap+most {
		a.t.Errorf("the heap grew from %d to %d KiB under attack: want at most %d more", a.heap>>10, now>>10, most>>10)
	}
}

// dial opens a connection; drop closes it.
func (a *target) dial() net.Conn {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.address)
	if err != nil {
		a.t.Fatal(err)
	}
	a.open = append(a.open, conn)
	return conn
}

// drop closes the connections of attackers.
func (a *target) drop() {
	for _, conn := range a.open {
		_ = conn.Close()
	}
	a.open = nil
}

// say opens a connection and begins a request; a connection that is closed for another meanwhile is what may happen.
func (a *target) say(text string) net.Conn {
	a.t.Helper()
	conn := a.dial()
	_, _ = io.WriteString(conn, text)
	return conn
}

// honest sends events and asks for a person and for health, n times, on connections of its own.
func (a *target) honest(n int) {
	a.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	for range n {
		a.expect(client, "POST", "/v1/track", `{"userId":"honest","event":"x"}`)
		a.expect(client, "GET", "/v1/profiles/user_id:honest", "")
		a.expect(client, "GET", "/livez", "")
	}
}

// expect sends a request, again if it has to, as libraries do.
func (a *target) expect(client *http.Client, method, path, body string) {
	a.t.Helper()
	for attempt := 1; ; attempt++ {
		r, err := http.NewRequest(method, "http://"+a.address+path, strings.NewReader(body))
		if err != nil {
			a.t.Fatal(err)
		}
		res, err := client.Do(r)
		if err != nil {
			a.t.Fatalf("an honest client: %v", err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		again := res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout
		switch {
		case err == nil && res.StatusCode == http.StatusOK:
			return
		case !again || attempt == 5:
			a.t.Fatalf("an honest client: %s: status %d: %s %v", path, res.StatusCode, text, err)
		}
	}
}

// metric reads a metric.
func (a *target) metric(name string) float64 {
	a.t.Helper()
	rec := httptest.NewRecorder()
	a.server.ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for line := range strings.Lines(rec.Body.String()) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				a.t.Fatal(err)
			}
			return n
		}
	}
	a.t.Fatalf("no metric %s", name)
	return 0
}

// await waits until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for start := time.Now(); !ok(); time.Sleep(time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("never: " + what)
		}
	}
}

// Connections that say nothing, or never end their header, or have had an answer and stay: they make room for clients with
// requests.
func TestConnectionsThatOnlyStay(t *testing.T) {
	const most, attackers = 32, 200
	for name, text := range map[string]string{
		"silent": "", "slow header": "POST /v1/batch HTTP/1.1\r\nHost: a\r\nX-Pad: " + strings.Repeat("x", 4<<10), "idle": "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
		"slow body": "POST /v1/profiles:batchGet HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", "body of an event": "POST /v1/page HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{",
		"body nobody reads": "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{", "chunk that never comes": "POST /nowhere HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			a := attacked(t, func(c *Config) { c.MaxConnections = most }, nil)
			first := a.say(text)
			for range attackers {
				a.say(text)
			}
			a.honest(10)
			if _, err := io.Copy(io.Discard, first); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Error(err)
			}
			a.flat(8 << 20)
			if open, closed := a.metric("kindred_http_connections"), a.metric("kindred_http_connections_closed_total"); open > most || closed < attackers-most {
				t.Errorf("%v connections are open, %v were closed for others", open, closed)
			}
		})
	}
}

// While all connections have whole requests under way, one more waits, and is served then.
func TestConnectionsThatAreServed(t *testing.T) {
	const most = 4
	a := attacked(t, func(c *Config) { c.MaxConnections = most }, nil)
	var busy []net.Conn
	for range most {
		conn := a.say("GET /v1/changes HTTP/1.1\r\nHost: a\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, len("HTTP/1.1 200"))); err != nil {
			t.Fatal(err)
		}
		busy = append(busy, conn)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		a.honest(1)
	}()
	await(t, "one more waits", func() bool { return a.metric("kindred_http_connections_waited_total") == 1 })
	if closed := a.metric("kindred_http_connections_closed_total"); closed > 0 {
		t.Errorf("%v streams were closed for it", closed)
	}
	_ = busy[0].Close()
	<-served
}

// The server gives up the connection that it has waited for longest: one that brings a piece of its body is the last in turn,
// and one with a whole request is not in it.
func TestConnectionsInTurn(t *testing.T) {
	c := newConnections(2)
	stop := make(chan struct{})
	close(stop)
	closed := func(conn net.Conn) bool {
		_, known := c.open[conn]
		return !known
	}
	come := func(state ...http.ConnState) net.Conn {
		conn, peer := net.Pipe()
		t.Cleanup(func() { _ = errors.Join(conn.Close(), peer.Close()) })
		for _, s := range append([]http.ConnState{http.StateNew}, state...) {
			c.follow(conn, s)
		}
		return conn
	}
	body, idle := come(http.StateActive), come(http.StateActive, http.StateIdle)
	c.awaitBody(body, true)
	if !c.makeRoom(stop) || !closed(idle) || closed(body) {
		t.Fatal("the idle one is first in turn")
	}
	fresh := come()
	c.awaitBody(body, true) // a piece has come
	if !c.makeRoom(stop) || !closed(fresh) || closed(body) {
		t.Fatal("a body that comes is last in turn")
	}
	c.awaitBody(body, false)
	served := come(http.StateActive)
	if <-c.changed; c.makeRoom(stop) || closed(served) || closed(body) {
		t.Fatal("whole requests are not closed for another")
	}
	c.follow(served, http.StateClosed)
	if !c.makeRoom(stop) {
		t.Fatal("there is room")
	}
	c.follow(idle, http.StateIdle) // it was closed: what it still says counts for nothing
	c.awaitBody(fresh, true)
	if len(c.open) != 1 || c.waiting.Len() != 0 {
		t.Fatal(len(c.open), c.waiting.Len())
	}
}

// A header that is too long is refused as soon as it is.
func TestHugeHeaders(t *testing.T) {
	a := attacked(t, nil, nil)
	huge := "GET /livez HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: "+strings.Repeat("x", 1<<10)+"\r\n", 80)
	var attack sync.WaitGroup
	for range 50 {
		conn := a.dial()
		attack.Go(func() {
			_, _ = io.WriteString(conn, huge) // the server need not read all of it
			status := make([]byte, len("HTTP/1.1 431 "))
			if _, err := io.ReadFull(conn, status); err != nil || string(status) != "HTTP/1.1 431 " {
				t.Errorf("%q %v", status, err)
			}
		})
	}
	a.honest(5)
	attack.Wait()
	a.flat(8 << 20)
}

// A header that does not end in time loses its connection.
func TestSlowHeaders(t *testing.T) {
	slow := attacked(t, nil, func(s *http.Server) { s.ReadHeaderTimeout = time.Second })
	var attack sync.WaitGroup
	for range 50 {
		conn := slow.say("GET /livez HTTP/1.1\r\nHost: ")
		attack.Go(func() {
			if text, err := io.ReadAll(conn); err == nil && len(text) > 0 {
				t.Errorf("an answer to half a header: %q", text)
			}
		})
	}
	slow.honest(3)
	attack.Wait()
	slow.flat(8 << 20)
}

// Streams of changes are bounded; the rest of the API is served beside them.
func TestStreamsUnderAttack(t *testing.T) {
	const most, attackers = 4, 40
	a := attacked(t, func(c *Config) { c.MaxStreams = most }, nil)
	statuses := map[int]int{}
	for range attackers {
		res, err := http.Get("http://" + a.address + "/v1/changes")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		statuses[res.StatusCode]++
		if res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
	if statuses[200] != most || statuses[429] != attackers-most {
		t.Errorf("answers by status: %v", statuses)
	}
	a.honest(10)
	a.flat(8 << 20)
	refused := `kindred_http_requests_total{route="/v1/changes",status="429"}`
	if got := a.metric(refused); got != attackers-most {
		t.Errorf("%v refusals are counted", got)
	}
}

// Bodies that begin and then hang fill the room for bodies: they are cut for those that come.
func TestSlowBodies(t *testing.T) {
	const attackers = 100
	for name, body := range map[string]string{"short": "{", "grown": `{"userId":"` + strings.Repeat("x", 120<<10)} {
		t.Run(name, func(t *testing.T) {
			a := attacked(t, func(c *Config) { c.MaxBody, c.BodyBytes = 128<<10, 4<<20 }, nil)
			var attack sync.WaitGroup
			for range attackers {
				conn := a.say("POST /v1/page HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 130000\r\n\r\n")
				attack.Go(func() {
					_, _ = io.WriteString(conn, body)
					text, _ := io.ReadAll(conn)
					if status := string(text[:min(12, len(text))]); status != "HTTP/1.1 408" && status != "HTTP/1.1 429" && status != "" {
						t.Errorf("%q", text)
					}
				})
			}
			a.honest(3)
			if a.metric("kindred_ingest_bodies_cut_total") == 0 {
				t.Error("no body was cut")
			}
			a.flat(16 << 20)
			a.drop()
			attack.Wait()
		})
	}
}

// A body has as long as its connection allows where nobody needs its room.
func TestBodyTimeout(t *testing.T) {
	a := attacked(t, nil, func(s *http.Server) { s.ReadTimeout = time.Second })
	var attack sync.WaitGroup
	for range 50 {
		conn := a.say("POST /v1/page HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{")
		attack.Go(func() {
			if text, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 408 ") || !strings.Contains(string(text), `"body_timeout"`) {
				t.Errorf("%s %v", text, err)
			}
		})
	}
	a.honest(3)
	attack.Wait()
	a.flat(8 << 20)
}

// Bodies that are no events, from many clients that do not finish them, hold no more memory than they may together: what is
// above it is refused at once. Events and questions are answered meanwhile, and the room is free again after the attack.
func TestOtherBodiesUnderAttack(t *testing.T) {
	const attackers, length = 100, 1<<20 - 1
	for _, path := range []string{"/v1/assertions", "/v1/profiles:batchGet"} {
		t.Run(path, func(t *testing.T) {
			a := attacked(t, nil, func(s *http.Server) { s.ReadTimeout = 3 * time.Second })
			var attack sync.WaitGroup
			var busy atomic.Int64
			begun := `{"ids":["` + strings.Repeat("x", length-20)
			for range attackers {
				conn := a.say(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", path, length))
				attack.Go(func() {
					_, _ = io.WriteString(conn, begun)
					if text, _ := io.ReadAll(conn); strings.Contains(string(text), `"busy"`) {
						busy.Add(1)
					}
				})
			}
			a.honest(2)
			a.flat(2 * otherBodyBytes)
			attack.Wait()
			if busy.Load() == 0 || a.metric("kindred_http_bodies_refused_total") == 0 {
				t.Error("no body was refused")
			}
			a.drop()
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
			a.expect(client, "POST", "/v1/profiles:batchGet", `{"ids":["user_id:honest"]}`)
			if used := a.server.gates.Bodies.Used(); used != 0 {
				t.Errorf("%d bytes are not given back", used)
			}
		})
	}
}

// Bodies that inflate, nest, or carry more than allowed, from many clients at once: each gets the answer of its limit.
func TestBodiesUnderAttack(t *testing.T) {
	zeros := make([]byte, 16<<20)
	fields := func(n int, format string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return strings.Join(all, ",")
	}
	deep := strings.Repeat(`[`, 100_000) + strings.Repeat(`]`, 100_000)
	for _, c := range []struct {
		name, body string
		status     int
		answer     string
	}{
		{"gzip bomb", string(gzipped(t, zeros)), 413, `"body_too_large"`},
		{"zstd bomb", string(zstded(t, zeros)), 413, `"body_too_large"`},
		{"deep event", `[{"type":"page","userId":"u","properties":{"a":` + deep + `}}]`, 400, `"too_deep"`},
		{"deep body", deep, 400, `"too_deep"`},
		{"long identifier", `[{"type":"page","userId":"` + strings.Repeat("x", 1<<19) + `"}]`, 200, `"too_long":1`},
		{"long value", `[{"type":"page","userId":"u","name":"` + strings.Repeat("x", 2<<20) + `"}]`, 400, `"event_too_large"`},
		{"long key", `[{"type":"identify","userId":"u","traits":{"` + strings.Repeat("x", 2<<20) + `":1}}]`, 400, `"event_too_large"`},
		{"many events", `[` + fields(21_000, `{"type":"page","userId":"u%d"}`) + `]`, 413, `"too_many_events"`},
		{"many traits", `[{"type":"identify","userId":"traits","messageId":"t","traits":{` + fields(20_000, `"t%d":1`) + `}}]`, 200, `"success":true`},
		{"many identifiers", `[{"type":"page","context":{"externalIds":[` + fields(5000, `{"id":"x%d","type":"user_id","collection":"users"}`) + `]}}]`, 400, `"too_many_identifiers"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := attacked(t, nil, nil)
			var attack sync.WaitGroup
			for range 6 {
				attack.Go(func() { a.storm(c.body, c.status, c.answer) })
			}
			a.honest(3)
			attack.Wait()
			a.flat(16 << 20)
		})
	}
}

// storm sends a body twice. A body may also find no room, be cut for one that finds none, or lose its connection while it is
// still being sent.
func (a *target) storm(body string, status int, want string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	for range 2 {
		res, err := client.Post("http://"+a.address+"/v1/batch", "application/json", strings.NewReader(body))
		if err != nil {
			continue
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		again := res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusRequestTimeout
		if !again && (res.StatusCode != status || !strings.Contains(string(text), want)) {
			a.t.Errorf("status %d: %.300s, want %d and %s", res.StatusCode, text, status, want)
		}
	}
}
