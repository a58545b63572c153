package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// A million events of a hundred thousand people give exactly the people of the truth.
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
	t.Log(strings.TrimSpace(string(kindred(t, bin, "compare", export, truth))))
	kindred(t, bin, "verify", "--data", dir)
}
