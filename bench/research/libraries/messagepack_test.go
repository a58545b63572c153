package libraries

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

// packed is an event in MessagePack.
func packed(t testing.TB) []byte {
	const text = `{"timestamp":"2026-11-01T09:05:00.000Z","messageId":"m2","type":"track","event":"Product Viewed","anonymousId":"3f1c",` +
		`"context":{"page":{"path":"/p/1","url":"https://shop.example/p/1","title":"One"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",` +
		`"library":{"name":"analytics.js","version":"2.1.0"},"locale":"en-GB"},"properties":{"product_id":"507f1f77bcf86cd799439011","sku":"G-32",` +
		`"category":"Games","name":"Monopoly: 3rd Edition","price":18.99,"quantity":1,"url":"https://shop.example/p/1"}}`
	var event any
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		t.Fatal(err)
	}
	b, err := msgpack.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// BenchmarkMessagePack converts a record to JSON. Ours also splits it into its events.
func BenchmarkMessagePack(b *testing.B) {
	data := packed(b)
	run := func(name string, convert func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := convert(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	d := record.NewDecoder(record.Options{Format: record.MessagePack})
	var batch segment.Batch
	run("record", func() error {
		d.Reset()
		return d.Decode(b.Context(), data, &batch)
	})
	var out bytes.Buffer
	run("msgp", func() error {
		out.Reset()
		_, err := msgp.UnmarshalAsJSON(&out, data)
		return err
	})
	in := bytes.NewReader(nil)
	r := msgp.NewReader(in)
	run("msgp with a bound of depth", func() error {
		out.Reset()
		in.Reset(data)
		r.Reset(in)
		r.SetMaxRecursionDepth(100)
		_, err := r.WriteToJSON(&out)
		return err
	})
	run("vmihailenco and encoding/json", func() error {
		var v any
		if err := msgpack.Unmarshal(data, &v); err != nil {
			return err
		}
		_, err := json.Marshal(v)
		return err
	})
}
