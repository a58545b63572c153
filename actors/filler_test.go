package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// testAudiences are conditions over the events of a world.
func testAudiences(t *testing.T) (list []audience.Definition) {
	t.Helper()
	for _, a := range [][2]string{
		{"buyers", `{"signal":{"event":"Order Completed"},"count":{"at_least":1}}`},
		{"trackers", `{"signal":{"type":"track","where":[["n","ge",3]]},"count":{"at_least":2},"last":"3650d"}`},
		{"spenders", `{"signal":{"type":"track"},"sum":{"of":"n","at_least":4}}`},
		{"varied", `{"signal":{"type":"page"},"distinct":{"of":"s","at_least":2}}`},
		{"both", `{"all":[{"audience":"trackers"},{"not":{"audience":"buyers"}}]}`},
	} {
		where, err := audience.Parse([]byte(a[1]))
		if err != nil {
			t.Fatalf("%s: %v", a[0], err)
		}
		list = append(list, audience.Definition{Key: a[0], Where: where})
	}
	return list
}

// withProperties gives events the properties that testAudiences read.
func withProperties(events []graph.Event) {
	for i := range events {
		n := events[i].Seen % 7
		events[i].Properties = fmt.Appendf(nil, `{"n":%d,"s":"v%d"}`, n, n%3)
	}
}

func defineAll(t *testing.T, e *Engine, list []audience.Definition) *audiences.State {
	t.Helper()
	s, err := e.Define(context.Background(), func(now *audiences.State) (*audiences.State, error) { return now.Next(list) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// awaitFilled waits until what is defined serves.
func awaitFilled(t *testing.T, e *Engine) {
	t.Helper()
	f := &e.filler
	if err := f.fill(context.Background()); err != nil { // beside the engine's own: a part is done by either
		t.Fatal(err)
	}
}

// memberships are those of everybody whom the events name, as text.
func memberships(t *testing.T, e *Engine, events []graph.Event) string {
	t.Helper()
	var b strings.Builder
	for i := range events {
		for _, id := range events[i].Identifiers {
			p, err := e.Person(context.Background(), id.Key)
			if errors.Is(err, ErrUnknown) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %v\n", id.Value, p.Memberships(1_950_000_000_000))
		}
	}
	return b.String()
}

// TestDefineAfterEqualsDefineBefore: an audience that is defined in the middle of events has the members that it would have, had
// it been defined before them; merges change nothing about it (T2).
func TestDefineAfterEqualsDefineBefore(t *testing.T) {
	members := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 11))
		world := oracle.RandomWorld(rng)
		withProperties(world.Events)
		list := testAudiences(t)
		before := openEngine(t, storage.NewMemStore(), 4, world.Rules)
		defineAll(t, before, list)
		ingest(t, before, world, rng)
		awaitFilled(t, before)
		want := memberships(t, before, world.Events)

		after := openEngine(t, storage.NewMemStore(), 4, world.Rules)
		half := world
		half.Events, half.Assertions = slices.Clone(world.Events[:len(world.Events)/2]), nil
		ingest(t, after, half, rng)
		defineAll(t, after, list[:2:2])
		ingest(t, after, world, rng) // those of before are duplicates
		defineAll(t, after, list)
		awaitFilled(t, after)
		if got := memberships(t, after, world.Events); got != want {
			t.Fatalf("seed %d: defined after\n%s\ndefined before\n%s", seed, got, want)
		}
		members += strings.Count(want, "true")
	}
	if members == 0 {
		t.Error("nobody is in any audience: this proves nothing")
	}
}

// TestFillGoesOnAfterAStart: what waits when a process ends is filled by the next one, without being asked.
func TestFillGoesOnAfterAStart(t *testing.T) {
	world := oracle.RandomWorld(rand.New(rand.NewPCG(3, 3)))
	for i := range world.Events {
		world.Events[i].Properties = []byte(`{"n":4,"s":"x"}`)
	}
	var store *storage.MemStore
	for waits := false; !waits; { // until a process ends before it has filled them
		store = storage.NewMemStore()
		e := openEngine(t, store, 4, world.Rules)
		ingest(t, e, world, rand.New(rand.NewPCG(1, 1)))
		if _, err := e.Define(context.Background(), func(now *audiences.State) (*audiences.State, error) { return now.Next(testAudiences(t)) }); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		defined, err := audiences.Load(store)
		if err != nil || defined.Version != 1 {
			t.Fatalf("%+v, %v", defined, err)
		}
		waits = defined.Filled == 0
	}
	e := openEngine(t, store, 4, world.Rules)
	awaitFilled(t, e)
	if s := e.Audiences(); s.Filled != 1 || s.Serving.Len() != len(testAudiences(t)) {
		t.Errorf("filled up to %d, %d audiences serve", s.Filled, s.Serving.Len())
	}
	if got := memberships(t, e, world.Events); !strings.Contains(got, "true") {
		t.Error(got)
	}
}

// An event is marked where it comes in, and again by its shard if definitions changed meanwhile.
func TestDeliveryMarks(t *testing.T) {
	world := oracle.RandomWorld(rand.New(rand.NewPCG(5, 5)))
	e := openEngine(t, storage.NewMemStore(), 2, world.Rules)
	defineAll(t, e, testAudiences(t))
	event := world.Events[0]
	event.Type, event.Name, event.Properties = graph.TypeTrack, []byte("Order Completed"), []byte(`{"n":5}`)
	var d Delivery
	d.Add(&event)
	if event.Marked != 0 || event.Marks != nil {
		t.Errorf("marked by nobody: %d, %v", event.Marked, event.Marks)
	}
	d.Reset()
	d.MarkBy(e)
	d.Add(&event)
	if event.Marked != 1 || len(event.Marks) != 3 { // buyers, trackers, spenders
		t.Errorf("marked by version %d: %v", event.Marked, event.Marks)
	}
	defineAll(t, e, testAudiences(t)[:0])
	if err := e.submitAndWait(context.Background(), &d); err != nil {
		t.Fatal(err)
	}
}
