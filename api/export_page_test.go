package api

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// Pages have the lines of the whole export, each once, whatever their size; and one that is asked for again is the same.
func TestExportPages(t *testing.T) {
	w := newWorld(t, nil)
	var events []string
	for i := range 60 {
		events = append(events, fmt.Sprintf(`{"type":"identify","messageId":"m%d","userId":"u%d","anonymousId":"a%d","timestamp":"2026-01-01T00:00:%02dZ"}`, i, i, i/4, i))
	}
	w.feed(events...)
	for _, query := range []string{"", "&fields=events,last_seen", "&detail=true", "&seen_since=2026-01-01T00:00:30Z", "&identifiers=all"} {
		want := strings.SplitAfter(w.get("/v1/export?"+query).body, "\n")
		for _, limit := range []int{1, 7, 10_000} {
			var lines []string
			for cursor := "start"; cursor != ""; {
				path := fmt.Sprintf("/v1/export?limit=%d%s&cursor=%s", limit, query, cursor)
				page := w.get(path)
				if again := w.get(path); again.body != page.body || strings.Count(page.body, "\n") > limit {
					t.Fatalf("%s: %s, then %s", path, page.body, again.body)
				}
				lines = append(lines, strings.SplitAfter(page.body, "\n")...)
				cursor = page.header.Get("Kindred-Next")
			}
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
			slices.Sort(lines)
			slices.Sort(want)
			if all := slices.DeleteFunc(slices.Clone(want), func(l string) bool { return l == "" }); !slices.Equal(lines, all) {
				t.Errorf("%s, pages of %d: %d lines, want %d", query, limit, len(lines), len(all))
			}
		}
	}
	if csv := w.get("/v1/export?format=csv&cursor=start&limit=1").body; !strings.HasPrefix(csv, "id,") || strings.Count(csv, "\n") != 2 {
		t.Error(csv)
	}
	for _, bad := range []string{"limit=5", "cursor=!", "cursor=start&limit=50001", "seen_since=x"} {
		w.get("/v1/export?"+bad).want(t, 400, `"bad_parameter"`)
	}
}

// Lines are compressed as the client accepts it, and are the same lines.
func TestExportCompresses(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(shopper...)
	want := w.get("/v1/export").body
	for accept, encoding := range map[string]string{
		"": "", "br": "", "*": "", "gzip;q=0": "", "gzip": "gzip", "br, GZIP;q=0.5": "gzip", "gzip, zstd": "zstd", "zstd;q=0, gzip": "gzip",
	} {
		for _, path := range []string{"/v1/export", "/v1/export?cursor=start"} {
			r := httptest.NewRequest("GET", path, nil)
			r.Header.Set("Accept-Encoding", accept)
			a := httptest.NewRecorder() // the contract is of the lines, not of their compression
			w.server.ServeHTTP(a, r)
			var body io.Reader = a.Body
			var err error
			switch encoding {
			case "gzip":
				body, err = gzip.NewReader(body)
			case "zstd":
				body, err = zstd.NewReader(body)
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(body)
			if err != nil || string(text) != want || a.Header().Get("Content-Encoding") != encoding || !strings.Contains(strings.Join(a.Header().Values("Vary"), ","), "Accept-Encoding") {
				t.Errorf("%s of %s: %v, encoding %q, %q", accept, path, err, a.Header().Get("Content-Encoding"), text)
			}
		}
	}
}
