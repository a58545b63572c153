package try

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/kindred-id/kindred/bench"
)

// The table has a row for each thing measured, in the units of its heads, and names the first error that clients saw.
func TestBenchClusterTable(t *testing.T) {
	ms := func(n float64) bench.Latencies {
		return bench.Latencies{Count: 4, Median: n * 1e3, P99: 2 * n * 1e3, Worst: 3 * n * 1e3}
	}
	r := bench.ClusterReport{
		Events: 20_000, Batch: 100, Shards: 12, Nodes: 3, Processors: 2, LoadAverage: [2]float64{1.5, 2.5},
		Rounds: []bench.ClusterRound{{
			LoadAverage: 1.5, Embedded: bench.HTTPLoad{PerSecond: 20_000, CPU: 30}, Cluster: bench.HTTPLoad{PerSecond: 9000, CPU: 60.5},
			Nodes: []float64{20, 20.5, 20}, Ratio: 2.02, Journal: 305, Appends: 0.037,
		}},
		Ratio: bench.Spread{Median: 2.02, Low: 1.9, High: 2.1}, Journal: bench.Spread{Median: 305, Low: 304, High: 306},
	}
	expect := func(rows ...string) {
		t.Helper()
		var out bytes.Buffer
		benchClusterTable(&out, &r)
		for _, row := range rows {
			if !regexp.MustCompile(`(?m)^` + row + ` *$`).Match(out.Bytes()) {
				t.Errorf("no row %q in:\n%s", row, &out)
			}
		}
	}
	expect(`20000 events, 100 a request, 12 shards, 3 nodes, 2 processors, load average 1.5 at the beginning, 2.5 at the end`,
		`1 +one process +20000 +30.0 +1.5`, `1 +three nodes +9000 +60.5 +20.0 \+ 20.5 \+ 20.0 +305 +0.037 +1.5`,
		`CPU, nodes to one process +2.02 +1.90 to 2.10`, `journal bytes/event +305 +304 to 306`)

	r.Lookups = &bench.ClusterLookup{Rate: 4500, Own: ms(1), Other: ms(2), Late: ms(0.25), Sent: ms(1.75), Errors: 2, First: "status 503"}
	r.HandOver = &bench.HandOver{Rate: 4400, Drain: bench.Silences{Latencies: ms(300)}, Sigterm: bench.Silences{Latencies: ms(400), Errors: 1, First: "status 500"}}
	r.FailOver = &bench.FailOver{Kills: 4, Detection: ms(2000), Rest: ms(200), Total: bench.Silences{Latencies: ms(2100)}}
	expect(`look-up, on the owner +4500 +4 +1.00 +2.00 +3.00`, `look-up, on another node +4500 +4 +2.00 +4.00 +6.00 +2, the first: status 503`,
		`the same, from when it began +4500 +4 +1.75 +3.50 +5.25`, `how late look-ups began +4500 +4 +0.25 +0.50 +0.75`,
		`without an answer: drained +4400 +4 +300.00 +600.00 +900.00`, `without an answer: SIGTERM +4400 +4 +400.00 +800.00 +1200.00 +1, the first: status 500`,
		`killed: until another node knows +0 +4 +2000.00 +4000.00 +6000.00`, `killed: from then to an answer +0 +4 +200.00 +400.00 +600.00`,
		`without an answer: killed +0 +4 +2100.00 +4200.00 +6300.00`)

	r.Copy = &bench.ClusterCopied{Shards: 12, Bytes: 50e6, Rate: 25e6, Ready: 5.25, Before: ms(1), During: ms(1.5)}
	r.Peace = &bench.ClusterWatch{Seconds: 60, Rate: 9000, Looks: 900, Missed: 1, Claims: 2, Losses: 3, Errors: 4, First: "status 500"}
	expect(`look-up, before a copy +0 +4 +1.00 +2.00 +3.00`, `look-up, beside a copy +0 +4 +1.50 +3.00 +4.50`,
		`an empty disk: 12 shards, 50.0 MB of rows at 25.0 MB/s, ready 5.2 s after the start`,
		`full ingest: 60 s at 9000 events/s, 900 looks, 1 at which a node was taken for dead; 3 shards were lost, 2 claimed; 4 errors status 500`)
}
