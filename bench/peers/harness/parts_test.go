package harness

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// sample is a sample of a stack, the innermost function first.
func sample(value int64, stack ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{value, 10e6 * value}}
	for _, name := range stack {
		s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
	}
	return s
}

// The innermost function that belongs to a part has the sample.
func TestShares(t *testing.T) {
	const ours = "github.com/kindred-id/kindred/"
	got := shares(&profile.Profile{Sample: []*profile.Sample{
		sample(40, "runtime.memmove", ours+"graph.(*Node).Handle", ours+"actors/shard.(*Shard).Step"),
		sample(30, "runtime.gcAssistAlloc", "runtime.mallocgc", ours+"graph.(*Node).Handle"),
		sample(20, "github.com/cockroachdb/pebble/v2.(*DB).Apply", ours+"storage.(*Pebble).Commit", ours+"actors.(*committer).run"),
		sample(10, "runtime.futex"),
	}})
	want := map[string]float64{"graph": 0.4, "marking the heap": 0.3, "tables and commits": 0.2, otherPart: 0.1}
	if len(got.Shares) != len(want) || got.Samples != 100 {
		t.Errorf("%+v", got)
	}
	for name, share := range want {
		if got.Shares[name] != share {
			t.Errorf("%s: %v, want %v", name, got.Shares[name], share)
		}
	}
}

// A bend is where an event costs a fifth more than at the point before; what grew is named, most first.
func TestBends(t *testing.T) {
	point := func(x, cpu, graph, shards float64) Comparison {
		return Comparison{
			X: x, CPU: Spread{Median: cpu}, Parts: Parts{"graph": graph, "shards": shards, otherPart: 1},
			Rounds: []Both{{Profile: &Profile{Samples: 100}}, {Profile: &Profile{Samples: 50}}},
		}
	}
	c := Curve{X: "identities", Points: []Comparison{point(1, 5, 2, 2), point(4, 5.5, 2.5, 2), point(1e6, 8, 3, 4), point(1e7, 6, 3, 2)}}
	const bend = "From 4 to 1000000 identities an event costs 1.45 times as much, 2.50 µs more, with 0.0 allocations instead of 0.0"
	if got := c.bends(); len(got) != 1 || got[0] != bend+": shards +2.00 µs, graph +0.50 µs (profiles of 150 and 150 samples)." {
		t.Errorf("%q", got)
	}
	c.Points[2].Rounds = c.Points[2].Rounds[:0]
	if got := c.bends(); len(got) != 1 || got[0] != bend+"; the profiles have too few samples to say why." {
		t.Errorf("%q", got)
	}
}

// A process's memory is its own, however much this one has had.
func TestMostResident(t *testing.T) {
	const large = 300 << 20
	memory := make([]byte, large)
	for i := 0; i < large; i += 4096 {
		memory[i] = 1
	}
	command := exec.Command("sleep", "0.05")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended, most := make(chan struct{}), make(chan int64, 1)
	go func() { most <- mostResident(command.Process.Pid, ended) }()
	if err := command.Wait(); err != nil {
		t.Fatal(err)
	}
	close(ended)
	if got := <-most; got <= 0 || got >= large/2 {
		t.Errorf("%d bytes of a process that sleeps; this one has %d", got, len(memory))
	}
}

// A failure keeps the sections before it, whole, and says what failed.
func TestFailureKeepsSections(t *testing.T) {
	c := small(t, "peers", "process", "pairs")
	c.Rounds, c.Peers, c.Binary = 1, []string{"none"}, "/nowhere/kindred"
	r, err := Run(t.Context(), c)
	if err == nil || r == nil {
		t.Fatalf("%v, %v", r, err)
	}
	if !slices.Equal(r.Sections, []string{"peers"}) || len(r.Peers) == 0 || !strings.HasPrefix(r.Failed, "process: ") || r.Process != nil {
		t.Errorf("sections %v, failed %q, process %v", r.Sections, r.Failed, r.Process)
	}
}
