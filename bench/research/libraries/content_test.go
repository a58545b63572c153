package libraries

import (
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/gowebpki/jcs"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// BenchmarkContent hashes the content of events, independently of the order of keys. Ours includes decoding the event and
// normalising and hashing its identifiers; the library only writes the canonical form of RFC 8785.
func BenchmarkContent(b *testing.B) {
	lines, size := events(b)
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, hash func(line []byte) (uint64, error)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size / len(lines)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if h, err := hash(lines[i%len(lines)]); err != nil || h == 0 {
					b.Fatal(h, err)
				}
			}
		})
	}
	d := segment.NewDecoder(registry, segment.Options{})
	var ev graph.Event
	run("segment", func(line []byte) (uint64, error) {
		d.Reset()
		err := d.Event(line, 1_800_000_000_000, nil, &ev)
		return ev.Seen, err
	})
	run("jcs", func(line []byte) (uint64, error) {
		canonical, err := jcs.Transform(line)
		return xxhash.Sum64(canonical), err
	})
}
