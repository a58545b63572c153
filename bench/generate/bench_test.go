package generate

import "testing"

func BenchmarkNext(b *testing.B) {
	for _, keep := range []bool{false, true} {
		name := "truth=no"
		if keep {
			name = "truth=yes"
		}
		b.Run(name, func(b *testing.B) {
			cfg := Default()
			cfg.People, cfg.Events = 1_000_000, 100_000_000
			g, err := New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			if keep {
				g.KeepTruth()
			}
			b.ReportAllocs()
			line := make([]byte, 0, 4096)
			bytes, lines := 0, 0
			for b.Loop() {
				line, _ = g.Next(line[:0])
				bytes += len(line)
				lines++
			}
			b.ReportMetric(float64(lines)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(bytes)/float64(lines), "bytes/event")
		})
	}
}
