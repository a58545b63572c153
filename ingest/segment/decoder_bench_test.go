package segment

import (
	"testing"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/storage/row"
)

// Events of the shapes that most traffic has. track has 620 bytes.
var ordinary = map[string]string{
	"track": `{"type":"track","messageId":"ajs-next-1767225600000-5f0c1b9e-0e0f-4b7e-9a43-3d1f0f6c8a11","timestamp":"2026-01-01T00:00:00.123Z",` +
		`"anonymousId":"7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2","userId":"cus_711943423","event":"Product Viewed",` +
		`"properties":{"product_id":"P-10442","sku":"HG-10442-BLU","category":"Kitchen","name":"Oak chopping board","price":39.5,"currency":"USD"},` +
		`"context":{"library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-US","userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",` +
		`"page":{"path":"/p/10442","title":"Oak board","url":"https://harbour.example/p/10442"},"ip":"198.18.22.7"}}`,
	"page": `{"type":"page","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a5","timestamp":"2026-01-01T00:00:00.123Z","anonymousId":"7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2","userId":null,` +
		`"name":"Home","properties":{"path":"/","title":"Harbour","url":"https://harbour.example/"},"context":{"library":{"name":"analytics.js"},"locale":"en-US"}}`,
	"identify": `{"type":"identify","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a6","timestamp":"2026-01-01T00:00:00.123Z","anonymousId":"7D6A0A4E-2F63-4C8E-8F1D-64A3A8F1B0C2","userId":"cus_711943423",` +
		`"traits":{"email":"Ann.Moss42@Example.com","phone":"+12125550123","name":"Ann Moss","address":{"city":"Leeds"},"age":41},"context":{"library":{"name":"analytics-swift"},"device":{"id":"AEBE52E7-03EE-455A-B3C4-E57283966239","type":"ios"}}}`,
	"order": `{"type":"track","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a7","timestamp":"2026-01-01T00:00:00.123Z","anonymousId":"7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2","userId":"cus_711943423","event":"Order Completed",` +
		`"properties":{"order_id":"HG-000100000001","revenue":"39.50","total":47.65,"tax":3.16,"shipping":4.99,"discount":2,"coupon":"WELCOME","currency":"USD","products":[{"product_id":"P-1","price":39.5,"quantity":1}]}}`,
	"items": `{"type":"track","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a8","timestamp":"2026-01-01T00:00:00.123Z","userId":"cus_711943423","event":"Order Completed",` +
		`"properties":{"order_id":"HG-000100000001","discount":2,"products":[{"product_id":"P-1","price":39.5,"quantity":1},{"product_id":"P-2","price":"4.99","quantity":3}]}}`,
	"offer": `{"type":"track","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a9","timestamp":"2026-01-01T00:00:00.123Z","userId":"cus_711943423","event":"Offer Sent",` +
		`"properties":{"offer_id":"spring-711943423","offer_class":"welcome","until":"2026-02-01T00:00:00Z"}}`,
	"list": `{"type":"track","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1aa","timestamp":"2026-01-01T00:00:00.123Z","userId":"cus_711943423","event":"Product List Viewed",` +
		`"properties":{"list_id":"hot","products":[{"product_id":"P-1","category":"Kitchen"},{"product_id":"P-2","category":"Garden"},{"product_id":"P-3","category":"Kitchen"}]}}`,
}

func testRegistry(t testing.TB) *identifier.Registry {
	t.Helper()
	return testRegistryOf()
}

func testRegistryOf() *identifier.Registry {
	reg, err := identifier.New([16]byte{1, 2, 3}, identifier.Config{Namespaces: []graph.Namespace{
		{Name: "loyalty_card", Class: graph.ClassCustomer, Normaliser: graph.NormaliseTrim},
		{Name: "crm_id", Class: graph.ClassCustomer, Normaliser: graph.NormaliseLower},
	}})
	if err != nil {
		panic(err)
	}
	return reg
}

const now = 1767268800000 // 2026-01-01T12:00:00Z

var web = []byte("web")

func TestOrdinaryEventsAllocateNothing(t *testing.T) {
	d := NewDecoder(testRegistry(t), Options{Sources: []string{"crm", "web"}})
	for name, text := range ordinary {
		raw := []byte(text)
		var ev graph.Event
		if allocs := testing.AllocsPerRun(100, func() {
			d.Reset()
			if err := d.Event(raw, now, web, &ev); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}); allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}

func BenchmarkDecodeEvent(b *testing.B) {
	for _, name := range []string{"track", "page", "identify", "order", "items", "offer", "list"} {
		b.Run(name, func(b *testing.B) {
			d := NewDecoder(testRegistry(b), Options{Sources: []string{"crm", "web"}})
			raw := []byte(ordinary[name])
			var ev graph.Event
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				d.Reset()
				if err := d.Event(raw, now, web, &ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// generated are events of a generated shop, whose shapes vary as those of real traffic do.
func generated(t testing.TB, n int) (lines [][]byte, bytes int64) {
	t.Helper()
	cfg := generate.Default()
	cfg.People, cfg.Events, cfg.Loyalty = 20_000, n, 0.3
	g, err := generate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for {
		line, ok := g.Next(nil)
		if !ok {
			return lines, bytes
		}
		lines = append(lines, line)
		bytes += int64(len(line))
	}
}

// Every event of the generator is taken, and of what its clients send nothing is dropped but the
// worthless identifiers that it plants on purpose.
func TestGeneratedEventsAreTaken(t *testing.T) {
	lines, _ := generated(t, 20_000)
	d := NewDecoder(testRegistry(t), Options{})
	orders := 0
	for _, line := range lines {
		var ev graph.Event
		if err := d.Event(line, now, web, &ev); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		checkEvent(t, &ev)
		if ev.Order.Kind != graph.OrderNone {
			orders++
		}
	}
	stats := d.Stats()
	if orders == 0 || stats.Blocked == 0 || stats.Invalid+stats.TooLong+stats.UnknownNamespaces+stats.ExcessTraits+stats.Clamped > 0 {
		t.Errorf("%d orders, %+v", orders, stats)
	}
}

func BenchmarkDecodeGenerated(b *testing.B) {
	lines, bytes := generated(b, 4_000)
	d := NewDecoder(testRegistry(b), Options{Sources: []string{"crm", "web"}})
	var ev graph.Event
	b.SetBytes(bytes / int64(len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if i++; i == len(lines) {
			i = 0
		}
		d.Reset()
		if err := d.Event(lines[i], now, web, &ev); err != nil {
			b.Fatal(err)
		}
	}
}

// chunkEvents is how many events a chunk of a file holds, about.
const chunkEvents = 400

// BenchmarkDecodeAndEncode is all that intake does with an event: it decodes chunks of events, and appends their
// encodings to one buffer. Its events are those of a generated shop, and those of clients that send whole contexts, with
// the context kept and not.
func BenchmarkDecodeAndEncode(b *testing.B) {
	shop, _ := generated(b, 8_000)
	for _, c := range []struct {
		name    string
		lines   [][]byte
		options Options
	}{
		{"shop", shop, Options{Sources: []string{"crm", "web"}}},
		{"context", contextEvents(8_000, 800), Options{}},
		{"without", contextEvents(8_000, 800), Options{Context: ContextOptions{Keep: []string{}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			d, enc := NewDecoder(testRegistry(b), c.options), row.NewEncoder()
			events := make([]graph.Event, chunkEvents)
			var out []byte
			b.ReportAllocs()
			at := 0
			for b.Loop() {
				i := at % chunkEvents
				if i == 0 {
					d.Reset()
					out = out[:0]
				}
				if err := d.Event(c.lines[at], now, web, &events[i]); err != nil {
					b.Fatal(err)
				}
				out = enc.Event(out, &events[i], true)
				if at++; at == len(c.lines) {
					at = 0
				}
			}
		})
	}
}
