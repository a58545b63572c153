package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
)

func benchWorld(b *testing.B) *world {
	w := newWorld(&testing.T{}, nil)
	b.Cleanup(func() { _ = w.engine.Close(context.Background()) })
	return w
}

// BenchmarkLine encodes one line of an export.
func BenchmarkLine(b *testing.B) {
	w := benchWorld(b)
	w.feed(shopper...)
	name, _ := lookup.ParseID(w.server.Registry, "user_id:u1")
	p, err := w.engine.Profile(context.Background(), name.Key)
	if err != nil {
		b.Fatal(err)
	}
	var line []byte
	var lines document.Lines
	b.ReportAllocs()
	for b.Loop() {
		line = lines.Append(line[:0], &p)
	}
	b.SetBytes(int64(len(line)))
}

// BenchmarkExport exports identities of two identifiers each, from a store in memory.
func BenchmarkExport(b *testing.B) {
	w := benchWorld(b)
	const people = 20_000
	for start := 0; start < people; start += 2000 {
		var events []string
		for i := start; i < start+2000; i++ {
			events = append(events, fmt.Sprintf(`{"type":"identify","messageId":"m%d","userId":"u%d","anonymousId":"a%d","traits":{"name":"n%d"}}`, i, i, i, i))
		}
		w.feed(events...)
	}
	for b.Loop() {
		if n, err := exportTo(io.Discard, w.engine); err != nil || n != people {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(people*b.N)/b.Elapsed().Seconds(), "identities/s")
}

// BenchmarkBatch takes a body of 100 events, durable in memory, by way of the handler.
func BenchmarkBatch(b *testing.B) {
	w := benchWorld(b)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		var body bytes.Buffer
		body.WriteString(`[`)
		for i := range 100 {
			n++
			fmt.Fprintf(&body, `%s{"type":"page","messageId":"m%d","userId":"u%d","properties":{"path":"/x","title":%q}}`, ","[:min(i, 1)], n, n%5000, strings.Repeat("x", 300))
		}
		body.WriteString(`]`)
		rec := httptest.NewRecorder()
		w.server.ServeHTTP(rec, httptest.NewRequest("POST", "/v1/batch", &body))
		if rec.Code != 200 {
			b.Fatal(rec.Body)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkGet looks up a resident profile by way of the handler.
func BenchmarkGet(b *testing.B) {
	w := benchWorld(b)
	w.feed(shopper...)
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		w.server.ServeHTTP(rec, httptest.NewRequest("GET", "/v1/profiles/user_id:u1", nil))
		if rec.Code != 200 {
			b.Fatal(rec.Body)
		}
	}
}
