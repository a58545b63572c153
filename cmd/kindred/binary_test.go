package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/file"
)

// binary returns the kindred to test: KINDRED_BIN, or one built now.
func binary(t *testing.T) string {
	t.Helper()
	if bin := os.Getenv("KINDRED_BIN"); bin != "" {
		return bin
	}
	bin := filepath.Join(t.TempDir(), "kindred")
	if out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// kindred runs a command to its end, and returns what it wrote to standard output.
func kindred(t *testing.T, bin string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(bin, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("kindred %v: %v\n%s%s", args, err, stdout.Bytes(), stderr.Bytes())
	}
	return stdout.Bytes()
}

// ingestFile ingests a whole file.
func ingestFile(t *testing.T, bin, dir, name string, more ...string) file.Summary {
	t.Helper()
	var summary file.Summary
	out := kindred(t, bin, append([]string{"ingest", "--data", dir, name}, more...)...)
	if err := json.Unmarshal(out, &summary); err != nil {
		t.Fatalf("summary: %v\n%s", err, out)
	}
	return summary
}

// generateFiles writes generated events to one file and the truth about them to another.
func generateFiles(t *testing.T, events, people int, seed uint64) (file, truth string) {
	t.Helper()
	cfg := generate.Default()
	cfg.Events, cfg.People, cfg.Seed = events, people, seed
	g, err := generate.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	known := g.KeepTruth()
	dir := t.TempDir()
	file, truth = filepath.Join(dir, "events.ndjson"), filepath.Join(dir, "truth.ndjson")
	out, err := cli.CreateOutfile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	var line []byte
	for {
		var ok bool
		if line, ok = g.Next(line[:0]); !ok {
			break
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Finish(nil); err != nil {
		t.Fatal(err)
	}
	out, err = cli.CreateOutfile(truth, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Finish(known.WriteTruth(out)); err != nil {
		t.Fatal(err)
	}
	return file, truth
}

// freshSeed returns a new seed and prints it, so that a failure can be repeated with KINDRED_SEED.
func freshSeed(t *testing.T) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("KINDRED_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("KINDRED_SEED: %v", err)
		}
	}
	t.Logf("seed %d; again with: KINDRED_SEED=%d go test ./cmd/kindred -count=1 -v -run %s", seed, seed, t.Name())
	return seed
}
