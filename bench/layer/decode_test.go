package layer

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Events of the shapes that most traffic has.
const (
	trackEvent = `{"type":"track","messageId":"ajs-next-1767225600000-5f0c1b9e-0e0f-4b7e-9a43-3d1f0f6c8a11","timestamp":"2026-01-01T00:00:00.123Z",` +
		`"anonymousId":"7d6a0a4e-2f63-4c8e-8f1d-64a3a8f1b0c2","userId":"cus_711943423","event":"Product Viewed",` +
		`"properties":{"product_id":"P-10442","sku":"HG-10442-BLU","category":"Kitchen","name":"Oak chopping board","price":39.5,"currency":"USD"},` +
		`"context":{"library":{"name":"analytics.js","version":"2.11.1"},"locale":"en-US",` +
		`"page":{"path":"/p/10442","title":"Oak board","url":"https://harbour.example/p/10442"},"ip":"198.18.22.7"}}`
	identifyEvent = `{"type":"identify","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a6","timestamp":"2026-01-01T00:00:00.123Z",` +
		`"anonymousId":"7D6A0A4E-2F63-4C8E-8F1D-64A3A8F1B0C2","userId":"cus_711943423",` +
		`"traits":{"email":"Ann.Moss42@Example.com","phone":"+12125550123","name":"Ann Moss","address":{"city":"Leeds"},"age":41}}`
	orderEvent = `{"type":"track","messageId":"9b1b6a52-3a30-4a0e-9df8-0de86d77b1a8","timestamp":"2026-01-01T00:00:00.123Z",` +
		`"userId":"cus_711943423","event":"Order Completed","properties":{"order_id":"HG-000100000001","discount":2,"currency":"USD",` +
		`"products":[{"product_id":"P-1","price":39.5,"quantity":1},{"product_id":"P-2","price":"4.99","quantity":3}]}}`
)

// decode reads one event from its bytes.
func decode(b *testing.B, text string) {
	registry, err := identifier.New([16]byte{1, 2, 3}, identifier.Config{})
	if err != nil {
		b.Fatal(err)
	}
	d, raw, source := segment.NewDecoder(registry, segment.Options{}), []byte(text), []byte("web")
	const received = 1767268800000 // 2026-01-01T12:00:00Z
	var event graph.Event
	b.SetBytes(int64(len(raw)))
	w := startWatch(b)
	for b.Loop() {
		d.Reset()
		if err := d.Event(raw, received, source, &event); err != nil {
			b.Fatal(err)
		}
	}
	w.stop()
}
