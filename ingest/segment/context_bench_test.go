package segment

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// Contexts as libraries send them: of a browser that came by a campaign, of one as another library describes it, of a phone,
// and of a server.
var realContexts = []string{
	`{"page":{"path":"/c/tents","referrer":"https://www.google.com/","search":"?utm_source=google&utm_medium=cpc&utm_campaign=autumn-tents&gclid=Cj0KCQiA5%d",` +
		`"title":"Tents for two | Harbour","url":"https://harbour.example/c/tents?utm_source=google&utm_medium=cpc&utm_campaign=autumn-tents&gclid=Cj0KCQiA5%d"},` +
		`"userAgent":"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",` +
		`"userAgentData":{"brands":[{"brand":"Chromium","version":"131"}],"mobile":false,"platform":"Windows"},"locale":"en-US","timezone":"Europe/Brussels",` +
		`"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"campaign":{"source":"google","medium":"cpc","name":"autumn-tents"},` +
		`"consent":{"categoryPreferences":{"Advertising":true,"Analytics":true,"Functional":true}},"ip":"198.18.22.7"}`,
	`{"sessionId":17672256%d,"app":{"name":"RudderLabs JavaScript SDK","namespace":"com.rudderlabs.javascript","version":"3.34.1","installType":"npm"},` +
		`"library":{"name":"RudderLabs JavaScript SDK","version":"3.34.1"},"userAgent":"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",` +
		`"os":{"name":"","version":""},"locale":"nl-BE","screen":{"width":390,"height":844,"density":3,"innerWidth":390,"innerHeight":664},"campaign":{},"timezone":"GMT+0100",` +
		`"page":{"path":"/p/%d","referrer":"$direct","referring_domain":"","search":"","title":"Oak chopping board","url":"https://harbour.example/p/%d","tab_url":"https://harbour.example/p/%d","initial_referrer":"$direct","initial_referring_domain":""}}`,
	`{"app":{"name":"Harbour","version":"4.12.1","build":"4121","namespace":"example.harbour"},"device":{"id":"AEBE52E7-03EE-455A-B3C4-E5728396%04d","manufacturer":"Apple","model":"iPhone16,2","name":"iPhone","type":"ios"},` +
		`"library":{"name":"analytics-swift","version":"1.7.1"},"locale":"en-US","network":{"cellular":false,"wifi":true},"os":{"name":"iOS","version":"18.1.1"},"screen":{"width":1290,"height":2796},"timezone":"America/Chicago","ip":"198.18.22.7"}`,
	`{"library":{"name":"@segment/analytics-node","version":"3.1.0"}}`,
}

// contextEvents are events of so many people in turn, with a context each or with none.
func contextEvents(n, people int) (lines [][]byte) {
	for i := range n {
		person := i % people
		context := realContexts[person%len(realContexts)]
		var page []any
		for range countVerbs(context) {
			page = append(page, 1000+7*i%977)
		}
		lines = append(lines, fmt.Appendf(nil, `{"type":"track","messageId":"ajs-next-17672256%05d-5f0c1b9e-0e0f-4b7e-9a43-3d1f0f6c8a11","timestamp":"2026-01-01T00:00:00.123Z",`+
			`"anonymousId":"7d6a0a4e-2f63-4c8e-8f1d-64a3a8%06x","event":"Product Viewed","properties":{"product_id":"P-%d","category":"Kitchen","name":"Oak chopping board","price":39.5,"currency":"USD"},"context":`+context+`}`,
			append([]any{i, person, i % 977}, page...)...))
	}
	return lines
}

func countVerbs(format string) (n int) {
	for i := range format {
		if format[i] == '%' {
			n++
		}
	}
	return n
}

// BenchmarkContext measures what keeping the context costs: decoding and encoding in ns an event, and in bytes an event as a
// timeline block of so many events of one person is stored ("block"), and a log record of a hundred events ("log").
func BenchmarkContext(b *testing.B) {
	for _, c := range []struct {
		name    string
		options ContextOptions
	}{{"kept", ContextOptions{}}, {"ip", ContextOptions{IP: ipTruncated}}, {"none", ContextOptions{Keep: []string{}}}} {
		lines := contextEvents(4000, 400)
		b.Run(c.name, func(b *testing.B) {
			d := NewDecoder(testRegistry(b), Options{Context: c.options})
			enc := row.NewEncoder()
			var ev graph.Event
			var out []byte
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
				out = enc.Event(out[:0], &ev, true)
			}
		})
		for _, block := range []int{1, 4, 10} {
			b.Run(fmt.Sprintf("%s/block=%d", c.name, block), func(b *testing.B) {
				for b.Loop() {
					b.ReportMetric(storedBytes(b, c.options, contextEvents(4000, 4000/block), 4000/block, block), "B/event")
				}
			})
		}
		b.Run(c.name+"/log", func(b *testing.B) {
			for b.Loop() {
				b.ReportMetric(storedBytes(b, c.options, lines, 1, 100), "B/event")
			}
		})
	}
}

// storedBytes packs events as they are stored: every stride-th one goes into a block, of so many events.
func storedBytes(b *testing.B, o ContextOptions, lines [][]byte, stride, block int) float64 {
	d := NewDecoder(testRegistry(b), Options{Context: o})
	enc := row.NewEncoder()
	total := 0
	for start := 0; start < len(lines); start++ {
		if stride == 1 && start%block != 0 || start >= stride && stride > 1 {
			continue
		}
		var events [][]byte
		for i := start; i < len(lines) && len(events) < block; i += stride {
			var ev graph.Event
			if err := d.Event(lines[i], now, web, &ev); err != nil {
				b.Fatal(err)
			}
			events = append(events, enc.Event(nil, &ev, true))
		}
		total += len(row.AppendPacked(nil, enc.Block(nil, events)))
	}
	return float64(total) / float64(len(lines))
}
