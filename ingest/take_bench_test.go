package ingest

import (
	"testing"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// BenchmarkTake compares an intake with its parts alone, a decoder and a delivery: the difference is the cost of the
// verdicts, in ns an event.
func BenchmarkTake(b *testing.B) {
	const perChunk = 400
	c := generate.Default()
	c.Events, c.People, c.Loyalty = 20*perChunk, 1000, 0
	g, err := generate.New(c)
	if err != nil {
		b.Fatal(err)
	}
	var lines [][]byte
	for line, ok := g.Next(nil); ok; line, ok = g.Next(nil) {
		lines = append(lines, line)
	}
	registry, err := identifier.New([16]byte{1, 2, 3}, identifier.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("parts", func(b *testing.B) {
		d, delivery, events := segment.NewDecoder(registry, segment.Options{}), new(actors.Delivery), make([]graph.Event, perChunk)
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			if n%perChunk == 0 {
				d.Reset()
				delivery.Reset()
			}
			e := &events[delivery.Len()]
			if err := d.Event(lines[n%len(lines)], received, nil, e); err == nil {
				delivery.Add(e)
			}
			n++
		}
	})
	for name, tap := range map[string]*Tap{"intake": nil, "intake, closed tap": {}, "intake, open tap": openTap()} {
		b.Run(name, func(b *testing.B) {
			in := NewIntake(Into{Registry: registry, Tap: tap})
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				if n%perChunk == 0 {
					in.Tally()
					in.Tally()
					in.Reset()
				}
				in.Take(lines[n%len(lines)], Arrival{Received: received})
				n++
			}
		})
	}
}

func openTap() *Tap {
	tap := new(Tap)
	tap.Watch(func(*Traced) {})
	return tap
}
