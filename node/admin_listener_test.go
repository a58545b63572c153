package node

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAdminAddress(t *testing.T) {
	for address, want := range map[string]string{
		"": "", "6060": "127.0.0.1:6060", ":6060": "127.0.0.1:6060", "localhost:1": "localhost:1", "[::1]:1": "[::1]:1", "127.9.9.9:1": "127.9.9.9:1",
		"0.0.0.0:6060": "not an address of loopback", "example.com:1": "not an address of loopback", "[::]:1": "not an address of loopback",
		"::1": "want a port, or HOST:PORT",
	} {
		got, err := adminAddress(address)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || want == "" && got != "" {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

// The level can be seen and set; nothing answers a page, or a request under another name.
func TestAdminRoutes(t *testing.T) {
	var level slog.LevelVar
	handler := local(adminRoutes(&level, slog.New(slog.DiscardHandler)))
	ask := func(method, path, body, host string, header ...string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Host = host
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		text, _ := io.ReadAll(w.Result().Body)
		return w.Code, string(text)
	}
	for _, c := range []struct {
		method, path, body, host string
		header                   []string
		status                   int
		says                     string
	}{
		{"GET", "/debug/log-level", "", "localhost:6060", nil, 200, "info\n"},
		{"PUT", "/debug/log-level", "debug\n", "127.0.0.1:6060", nil, 200, "debug\n"},
		{"PUT", "/debug/log-level", "loud", "[::1]:6060", nil, 400, "want debug, info, warn or error"},
		{"PUT", "/debug/log-level", strings.Repeat("x", levelMax+1), "localhost", nil, 400, "want debug"},
		{"GET", "/debug/pprof/", "", "localhost:6060", nil, 200, "goroutine"},
		{"GET", "/debug/pprof/goroutine?debug=1", "", "localhost:6060", nil, 200, "goroutine profile"},
		{"GET", "/debug/pprof/", "", "rebound.example:6060", nil, 403, "loopback host"},
		{"PUT", "/debug/log-level", "error", "localhost", []string{"Origin", "http://shop.example"}, 403, "not from a page"},
		{"GET", "/debug/pprof/", "", "localhost", []string{"Sec-Fetch-Site", "cross-site"}, 403, "not from a page"},
		{"GET", "/", "", "localhost", nil, 404, ""},
	} {
		if status, text := ask(c.method, c.path, c.body, c.host, c.header...); status != c.status || !strings.Contains(text, c.says) {
			t.Errorf("%s %s as %s: %d %s", c.method, c.path, c.host, status, text)
		}
	}
	if level.Level() != slog.LevelDebug {
		t.Errorf("level %s", level.Level())
	}
	if handler := adminRoutes(nil, slog.New(slog.DiscardHandler)); handler == nil {
		t.Error("no routes without a level")
	}
}
