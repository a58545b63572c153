package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/peers/peer"
	"github.com/kindred-id/kindred/storage"
)

// small is a run of seconds.
func small(t *testing.T, only ...string) Config {
	return Config{
		Events: 2000, Rounds: 2, Seed: 1, Only: only, Workloads: []string{"retail"}, Identities: 10_000,
		Dir: t.TempDir(), Memory: storage.MinMemory, Live: 200 * time.Millisecond, KafkaRuns: 1,
	}
}

// Every section fills its part of the report, with as many steps as it announces.
func TestSections(t *testing.T) {
	for _, s := range Sections() {
		t.Run(s.Name, func(t *testing.T) {
			c := small(t, s.Name)
			c.Peers = []string{"pebble", "sqlite"} // package peer tests the servers
			if s.Name == "process" || s.Name == "scale" {
				c.Binary = program(t)
			}
			steps := 0
			c.Step = func(done, total int, what string) {
				if steps++; done+1 != steps || done >= total {
					t.Errorf("step %d of %d at %d: %s", done+1, total, steps, what)
				}
			}
			r, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if s.Name == "kafka" && len(r.Missing) > 0 { // make kafka has not run
				return
			}
			if !slices.Equal(r.Sections, []string{s.Name}) || steps == 0 {
				t.Errorf("sections %v, %d steps", r.Sections, steps)
			}
			for _, ratio := range ratios(r) {
				if ratio.Low <= 0 || ratio.Low > ratio.Median || ratio.Median > ratio.High {
					t.Errorf("a ratio of %+v", ratio)
				}
			}
		})
	}
}

// ratios are the main figures of a report.
func ratios(r *Report) (list []Spread) {
	for i := range r.Peers {
		list = append(list, r.Peers[i].Faster, r.Peers[i].CPU)
	}
	if r.Process != nil {
		list = append(list, r.Process.Ratio, r.Process.Disk)
	}
	for i := range r.Pressure {
		list = append(list, r.Pressure[i].Ratio)
	}
	if r.Pairs != nil {
		list = append(list, r.Pairs.Ratio)
	}
	for i := range r.Load {
		list = append(list, r.Load[i].P99, r.Load[i].Reached)
	}
	if r.Reads != nil {
		list = append(list, r.Reads.Ratio)
	}
	if r.Kafka != nil {
		for i := range r.Kafka.Live {
			list = append(list, r.Kafka.Live[i].FromLog.P99, r.Kafka.Live[i].FromSending.P999)
		}
	}
	for i := range r.Curves {
		for k := range r.Curves[i].Points {
			list = append(list, r.Curves[i].Points[k].Ratio)
		}
	}
	for i := range r.Scale {
		list = append(list, r.Scale[i].Ratio, r.Scale[i].Resident)
	}
	return list
}

// program builds bin/kindred.
func program(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	path := filepath.Join(t.TempDir(), "kindred")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "./cmd/kindred")
	build.Dir, build.Env = filepath.Join("..", "..", ".."), append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return path
}

// A peer whose people differ from the engine's ends the run: its time does not count.
func TestDifferentPeopleEndTheRun(t *testing.T) {
	c := small(t)
	env, err := environment(c)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Config: c, env: env, report: &Report{}}
	engine, ceiling := peer.Kinds()[0], peer.Kinds()[1]
	events := func(numbers ...string) []byte {
		var b strings.Builder
		for _, n := range numbers {
			b.WriteString(`{"type":"page","messageId":"m-` + n + `","timestamp":"2025-01-01T00:00:00Z","userId":"u-` + n + `","anonymousId":"a-1"}` + "\n")
		}
		return []byte(b.String())
	}
	var result PeerResult
	_, want, err := r.peerRound(t.Context(), engine, events("1", "2"), nil, &result)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.peerRound(t.Context(), ceiling, events("1", "2"), want, &result); err != nil {
		t.Errorf("equal people: %v", err)
	}
	if _, _, err := r.peerRound(t.Context(), ceiling, events("1", "2", "3"), want, &result); err == nil || !strings.Contains(err.Error(), "other people") {
		t.Errorf("a wrong union: %v", err)
	}
}
