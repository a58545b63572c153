package report

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/peers/harness"
)

func spread(v float64) harness.Spread { return harness.Spread{Median: v, Low: v / 2, High: v * 2} }

// full is a report of all sections.
func full() *harness.Report {
	live := func(part, ms float64) bench.Live {
		s := bench.LiveSpread{Median: spread(ms), P99: spread(4 * ms), P999: spread(9 * ms), Worst: spread(10 * ms)}
		return bench.Live{Part: part, Reached: spread(90_000), Runs: make([]bench.LiveRun, 10), FromLog: s, FromSending: s}
	}
	point := func(x, cpu float64) harness.Comparison {
		return harness.Comparison{X: x, CPU: spread(cpu), CPURate: spread(4), Ratio: spread(0.3), Parts: harness.Parts{"graph": cpu / 2, "shards": cpu / 2}}
	}
	load := func(part, us float64) harness.Load {
		return harness.Load{Part: part, Median: spread(us), P99: spread(5 * us), P999: spread(7 * us), Worst: spread(8 * us), Reached: spread(1)}
	}
	return &harness.Report{
		Command: "make bench-all", Commit: "0123abc", Sections: []string{"peers"},
		Shapes: []harness.WorkloadShape{{Name: "retail"}},
		Peers: []harness.PeerResult{
			{Workload: "retail", Peer: "kindred", Faster: spread(1), LessCPU: spread(1), Rate: spread(150_000)},
			{Workload: "retail", Peer: "ceiling", Faster: spread(0.4), LessCPU: spread(0.2), Rate: spread(400_000)},
		},
		Process:  &harness.Process{Ratio: spread(0.3), CPU: spread(4), Disk: spread(250)},
		Pressure: []harness.Pressure{{Name: "cold", Ratio: spread(0.6), CPU: spread(0.5), Goal: 0.5}},
		Pairs:    &harness.Comparison{Ratio: spread(0.1), CPURate: spread(9), Allocs: spread(7)},
		Load:     []harness.Load{load(0, 100), load(0.5, 300)},
		Reads:    &harness.Reads{Ratio: spread(0.4)},
		Kafka:    &bench.KafkaReport{Events: 1000, Ratio: 0.8, CPURatio: 0.7, Live: []bench.Live{live(0.2, 8), live(0.5, 20)}},
		Curves: []harness.Curve{
			{Name: "shards", X: "shards", Points: []harness.Comparison{point(1, 5), point(64, 8)}, Bends: []string{"From 1 to 64 shards it bends."}},
			{Name: "merges", X: "share of merges", Points: []harness.Comparison{point(0, 5)}},
		},
		Scale: []harness.ScalePoint{
			{Identities: 10_000, Cores: 1, Ratio: spread(1), Rate: spread(80_000), Resident: spread(2e8)},
			{Identities: 10_000, Cores: 2, Ratio: spread(1), Rate: spread(150_000), Resident: spread(3e8)},
		},
	}
}

// The page shows each section, and every picture that it names is there, without a figure that is no number.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, full()); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, want := range []string{
		"| command | make bench-all |", "| commit | 0123abc |", "## Beside peers", "## The engine", "## Latency of look-ups", "## From Apache Kafka",
		"80.0 (40.0 to 160.0)", "| ≤ 100 |", "| p99 < 1,000 |", "| ≥ 0.85, CPU ≤ 2.2,", "## What an event costs", "From 1 to 64 shards it bends.", "It does not bend", "## Throughput and memory",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if bad := regexp.MustCompile(`NaN|Inf|%!`).FindString(page); bad != "" {
		t.Errorf("the page has %q:\n%s", bad, page)
	}
	pictures := regexp.MustCompile(`\]\((results/[^)]+)\)`).FindAllStringSubmatch(page, -1)
	if len(pictures) != 7 {
		t.Errorf("pictures: %v", pictures)
	}
	for _, p := range pictures {
		svg, err := os.ReadFile(filepath.Join(dir, p[1]))
		if err != nil || !strings.Contains(string(svg), "<text") || strings.Contains(string(svg), "NaN") {
			t.Errorf("%s: %v", p[1], err)
		}
	}
	var back harness.Report
	if raw, err = os.ReadFile(filepath.Join(dir, "results", "results.json")); err == nil {
		err = json.Unmarshal(raw, &back)
	}
	if err != nil || back.Kafka.Live[1].FromLog.P99.Median != 80 {
		t.Errorf("results.json: %v, %+v", err, back.Kafka)
	}
}

// A run that ended early says so.
func TestWriteFailed(t *testing.T) {
	dir := t.TempDir()
	r := full()
	r.Failed, r.Missing = "scale: no space is left", []string{"redis"}
	if err := Write(dir, r); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "RESULTS.md"))
	if err != nil || !strings.Contains(string(raw), "The run ended early, after the sections here: scale: no space is left") ||
		!strings.Contains(string(raw), "not installed: redis.") {
		t.Errorf("%v\n%s", err, raw)
	}
}
