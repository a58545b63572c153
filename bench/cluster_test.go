package bench

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"
)

// answersAt makes answers that ended at these milliseconds, each 1 ms after it was asked for.
func answersAt(start time.Time, ms ...int) (answers []answered) {
	for _, at := range ms {
		ended := start.Add(time.Duration(at) * time.Millisecond)
		answers = append(answers, answered{ended.Add(-time.Millisecond), ended})
	}
	return answers
}

// The silence around a kill is from the last answer that may be of the dead to the first that can't be. An answer at that very moment is
// of the dead. Without one on both sides there is no figure.
func TestAround(t *testing.T) {
	start := time.Unix(0, 0)
	for _, c := range []struct {
		answers     []int
		at          int
		last, first int // -1: an error
	}{
		{[]int{10, 20, 2500, 2510}, 100, 20, 2500},
		{[]int{10, 100, 2500}, 100, 100, 2500},
		{[]int{10, 20}, 20, -1, -1},
		{[]int{30, 40}, 20, -1, -1},
		{nil, 20, -1, -1},
	} {
		last, first, err := around(answersAt(start, c.answers...), start.Add(time.Duration(c.at)*time.Millisecond))
		if c.last < 0 {
			if err == nil {
				t.Errorf("%v around %d: no error", c.answers, c.at)
			}
			continue
		}
		if got := []int64{last.Sub(start).Milliseconds(), first.Sub(start).Milliseconds()}; err != nil || !slices.Equal(got, []int64{int64(c.last), int64(c.first)}) {
			t.Errorf("%v around %d: %v, %v; want %d and %d", c.answers, c.at, got, err, c.last, c.first)
		}
	}
}

// The silence of a hand-over is the longest between two answers in a row, those on both edges included, and none outside of it.
func TestLongest(t *testing.T) {
	start := time.Unix(0, 0)
	for _, c := range []struct {
		answers     []int
		from, until int
		want        int // -1: an error
	}{
		{[]int{10, 900, 910, 950, 1000, 1010}, 905, 990, 50},           // that before 900 is not of the hand-over
		{[]int{10, 20, 500, 510, 520}, 25, 505, 480},                   // from before it began
		{[]int{10, 20, 30, 700, 2000}, 25, 40, 670},                    // to after it ended, and no further
		{[]int{10, 20, 30}, 25, 40, -1},                                // it has not ended
		{[]int{30, 40, 50}, 25, 40, -1},                                // it began before all
		{[]int{10, 20, 320, 330, 530, 540, 550, 1000}, 15, 545, 300},   // the longest of several
		{[]int{10, 20, 320, 330, 730, 740, 750, 10_000}, 15, 745, 400}, // wherever it is
	} {
		at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
		got, err := longest(answersAt(start, c.answers...), at(c.from), at(c.until))
		switch {
		case c.want < 0 && err == nil:
			t.Errorf("%v: no error", c.answers)
		case c.want >= 0 && (err != nil || got != time.Duration(c.want)*time.Millisecond):
			t.Errorf("%v from %d until %d: %v, %v; want %d ms", c.answers, c.from, c.until, got, err, c.want)
		}
	}
}

// Shards answer again once each of them answered what was asked for after the fault: what was under way may be of the dead.
func TestAskedAfter(t *testing.T) {
	start := time.Unix(0, 0)
	p := &probing{probes: []*shardProbe{{answers: answersAt(start, 10, 20)}, {answers: answersAt(start, 10, 30)}}}
	for _, c := range []struct {
		at   int
		want bool
	}{{5, true}, {18, true}, {19, false}, {25, false}} {
		if got := p.askedAfter(start.Add(time.Duration(c.at) * time.Millisecond)); got != c.want {
			t.Errorf("asked after %d ms: %v, want %v", c.at, got, c.want)
		}
	}
	p.probes = append(p.probes, &shardProbe{})
	if p.askedAfter(start) {
		t.Error("a shard without an answer has answered")
	}
}

// Refusals are counted from a step on, without those of a caller that gave up.
func TestRefusals(t *testing.T) {
	var r refusals
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	r.add(gone, errors.New("given up"))
	r.add(t.Context(), nil)
	if n, first := r.since(0); n != 0 || first != "" {
		t.Errorf("%d refusals, %q; want none", n, first)
	}
	r.add(t.Context(), errors.New("no shard"))
	r.add(t.Context(), errors.New("another"))
	if n, first := r.since(1); n != 1 || first != "no shard" {
		t.Errorf("%d refusals, %q; want 1 and the first of all", n, first)
	}
	if n, first := r.since(2); n != 0 || first != "" {
		t.Errorf("%d refusals, %q; want none since", n, first)
	}
}

// An inflow makes batches of as many events as it was told, and other ones each time.
func TestInflow(t *testing.T) {
	f, err := newInflow(&ClusterConfig{Config: Config{People: 1000}, Batch: 7, Connections: 3}, 100)
	if err != nil {
		t.Fatal(err)
	}
	first, second := string(f.body()), string(f.body())
	for _, body := range []string{first, second} {
		var batch struct{ Batch []json.RawMessage }
		if err := json.Unmarshal([]byte(body), &batch); err != nil || len(batch.Batch) != 7 {
			t.Errorf("%d events, %v; want 7", len(batch.Batch), err)
		}
	}
	if first == second {
		t.Error("the same batch again")
	}
}

// The rate of copies is that of all their rows, from the beginning of the first to the end of the last. Copies without rows are
// journals that are followed from their beginning, and don't count.
func TestCopiesOf(t *testing.T) {
	const log = `time=2026-11-30T12:00:00.000Z level=INFO msg="node started" bytes=7 took=1s
time=2026-11-30T12:00:02.000Z level=INFO msg="a copy of a shard is made" shard=1 next=7 bytes=4000000 took=1.5s
time=2026-11-30T12:00:02.500Z level=INFO msg="a copy of a shard is made" shard=2 next=9 bytes=6000000 took=500ms
time=2026-11-30T12:00:09.000Z level=INFO msg="a copy of a shard is made" shard=3 next=0 bytes=0 took=1ms
`
	shards, bytes, rate, err := copiesOf(log)
	if shards != 2 || bytes != 10_000_000 || rate != 5e6 || err != nil {
		t.Errorf("%d shards, %d bytes, %v a second, %v; want 2, 10000000, 5e6", shards, bytes, rate, err)
	}
	if _, _, _, err := copiesOf(""); err == nil {
		t.Error("a log without copies has a rate")
	}
}
