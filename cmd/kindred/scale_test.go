package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/cmd/kindred/try"
)

// A million events of a hundred thousand people come out as exactly the people that they show.
func TestScale(t *testing.T) {
	if testing.Short() {
		t.Skip("a million events")
	}
	bin := binary(t)
	file, truth := generateFiles(t, 1_000_000, 100_000, 1)
	dir, export := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "export.ndjson")
	summary := ingestFile(t, bin, dir, file, "--rules", "open")
	t.Logf("%.0f events/s: %d read, %d accepted, %d duplicates, %d merges, %d identities in %.1f s",
		summary.EventsPerSecond, summary.Read, summary.Accepted, summary.Duplicates, summary.Merges, summary.Identities, summary.Seconds)
	kindred(t, bin, "export", "--data", dir, export)
	var report strings.Builder
	if err := try.Compare(&report, export, truth); err != nil {
		t.Fatalf("%v\n%s", err, report.String())
	}
	t.Log(strings.TrimSpace(report.String()))
	kindred(t, bin, "verify", "--data", dir)
}
