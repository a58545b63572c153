package generate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The bytes of a stream are part of its version: a change of the bytes requires a new streamVersion.
func TestGolden(t *testing.T) {
	const want = "7509dbdbe88b2e8fcfe9d05822b77e0a193d3972bbcaa1ba86b937bb06230a13"
	cfg := Default()
	cfg.Loyalty = 0.2
	g := newGenerator(t, cfg)
	h := sha256.New()
	var line []byte
	for range 1000 {
		line, _ = g.Next(line[:0])
		h.Write(append(line, '\n'))
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		t.Errorf("first 1,000 lines of version %d have hash\n%s, want\n%s", streamVersion, got, want)
	}
}

func TestDeterministic(t *testing.T) {
	a, b := newGenerator(t, small()), newGenerator(t, small())
	b.KeepTruth() // watching changes nothing
	first, second := drain(a), drain(b)
	if !bytes.Equal(first, second) {
		t.Error("the same config gave two streams")
	}
	cfg := small()
	cfg.Seed++
	if bytes.Equal(first, drain(newGenerator(t, cfg))) {
		t.Error("another seed gave the same stream")
	}
}

func TestStreamEnds(t *testing.T) {
	for _, events := range []int{1, 2, 49, 1000} {
		cfg := small()
		cfg.Events, cfg.Redelivery, cfg.Disorder.Share = events, 0.5, 0.5
		g := newGenerator(t, cfg)
		if got := bytes.Count(drain(g), []byte("\n")); got != events {
			t.Errorf("%d lines, want %d", got, events)
		}
		if line, ok := g.Next([]byte("x")); ok || string(line) != "x" {
			t.Errorf("after the end: %q, %v", line, ok)
		}
	}
}

func TestEvents(t *testing.T) {
	events := testStream(t, small())
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	types, names, size := map[string]int{}, map[string]int{}, 0
	times := map[time.Time]bool{}
	for _, e := range distinct(events) {
		if ids, _ := e.identifiers(t); len(ids) == 0 {
			t.Fatalf("G3: no identifier: %s", e.line)
		}
		if !uuid.MatchString(e.MessageID) {
			t.Fatalf("message id %q", e.MessageID)
		}
		if times[e.Timestamp] {
			t.Fatalf("G2: two events at %s", e.Timestamp)
		}
		times[e.Timestamp] = true
		if !strings.Contains(e.line, e.Timestamp.UTC().Format(`"timestamp":"2006-01-02T15:04:05.000Z"`)) {
			t.Fatalf("time of %s", e.line)
		}
		if e.Context.Library.Name == "analytics.js" && (e.Context.IP == "" || e.Context.UserAgent == "" || e.Context.Locale == "" || e.Context.Page == nil || e.Context.Page.URL == "") {
			t.Fatalf("context of %s", e.line)
		}
		types[e.Type]++
		names[e.Event]++
		size += len(e.line)
	}
	for _, name := range eventTypes {
		if types[name] == 0 {
			t.Errorf("no %s events", name)
		}
	}
	for _, name := range []string{"Product Viewed", "Product Added", "Checkout Started", "Order Completed", "Order Updated", "Order Refunded", "Order Cancelled"} {
		if names[name] == 0 {
			t.Errorf("no %s", name)
		}
	}
	if share := float64(types["track"]) / float64(len(times)); share < 0.35 || share > 0.65 {
		t.Errorf("%.2f of the events are track", share)
	}
	if average := size / len(times); average < 580 || average > 680 {
		t.Errorf("events of %d bytes on average, want 580 to 680", average)
	}
	cfg := small()
	for _, e := range events {
		if e.Timestamp.Before(cfg.Start) || !e.Timestamp.Before(cfg.Start.Add(cfg.Span)) {
			t.Fatalf("time %s outside of the span", e.Timestamp)
		}
	}
}

// G4: at most Max younger events come before one, and none does where the share is 0.
func TestDisorderBound(t *testing.T) {
	for _, limit := range []int{1, 7, 300} {
		cfg := small()
		cfg.Events, cfg.Disorder = 5000, Disorder{Share: 0.3, Max: limit}
		events := distinct(testStream(t, cfg))
		worst := 0
		for i, e := range events {
			younger := 0
			for _, before := range events[max(0, i-3*limit-10):i] {
				if before.Timestamp.After(e.Timestamp) {
					younger++
				}
			}
			worst = max(worst, younger)
		}
		if worst > limit || worst <= limit/2 {
			t.Errorf("%d younger events came first, want up to %d", worst, limit)
		}
	}
}

func TestEverybodyComes(t *testing.T) {
	cfg := small()
	g := newGenerator(t, cfg)
	truth := g.KeepTruth()
	drain(g)
	var people bytes.Buffer
	if err := truth.WritePeople(&people); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(people.Bytes(), []byte("\n")); got != cfg.People {
		t.Errorf("%d people came, want %d", got, cfg.People)
	}
}

func TestCheck(t *testing.T) {
	for _, test := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.People = 0 }, "people 0: want 1 to 100000000"},
		{func(c *Config) { c.Events = -1 }, "events -1: want 1 to"},
		{func(c *Config) { c.Concurrent = 0 }, "concurrent 0: want 1 to 65536"},
		{func(c *Config) { c.Junk = 1.5 }, `share "junk" is 1.5: want 0 to 1`},
		{func(c *Config) { c.Refund = math.NaN() }, `share "refund" is NaN`},
		{func(c *Config) { c.Household = -0.1 }, `share "household" is -0.1`},
		{func(c *Config) { c.Disorder.Max = 0 }, "disorder of up to 0 events: want 1 to 100000"},
		{func(c *Config) { c.Disorder = Disorder{} }, ""},
		{func(c *Config) { c.Start = time.Time{} }, "start 0001-01-01T00:00:00Z: want a time between"},
		{func(c *Config) { c.Span = time.Second }, "span 1s is too short for 1000000 events"},
		{func(c *Config) { c.People, c.Alias = 0, 2 }, `share "alias" is 2`},
	} {
		cfg := Default()
		test.change(&cfg)
		_, err := New(cfg)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestSchedule(t *testing.T) {
	var s schedule[int]
	d := newDice(7)
	type item struct{ due, seq uint64 }
	var want []item
	for i := range 500 {
		due := uint64(d.below(40))
		s.add(due, i)
		want = append(want, item{due, uint64(i)})
	}
	slices.SortFunc(want, func(a, b item) int {
		if a.due != b.due {
			return int(a.due) - int(b.due)
		}
		return int(a.seq) - int(b.seq)
	})
	for _, w := range want {
		if w.due > 0 {
			if _, early := s.take(w.due - 1); early {
				t.Fatalf("item %d came early", w.seq)
			}
		}
		if got, ok := s.take(w.due); !ok || got != int(w.seq) {
			t.Fatalf("got %d, %v, want %d", got, ok, w.seq)
		}
	}
	if _, ok := s.take(1 << 60); ok {
		t.Error("an item that nobody added")
	}
}

// Steady state costs no allocation: the lines held back take their buffers from those let go.
func TestNextDoesNotAllocate(t *testing.T) {
	cfg := Default()
	cfg.Disorder.Max = 10
	g := newGenerator(t, cfg)
	line := make([]byte, 0, 1<<14)
	for range 200_000 {
		line, _ = g.Next(line[:0])
	}
	if n := testing.AllocsPerRun(10_000, func() { line, _ = g.Next(line[:0]) }); n > 0 {
		t.Errorf("%v allocations an event", n)
	}
}
