package actors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

func estimate(t *testing.T, e *Engine, where *audience.Node, share float64) Estimate {
	t.Helper()
	draft, err := e.Audiences().Draft(where)
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Estimate(context.Background(), draft, share)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// membersOf are the people in an audience that serves.
func membersOf(t *testing.T, e *Engine, key string, events []graph.Event) map[graph.NodeKey]bool {
	t.Helper()
	people := map[graph.NodeKey]bool{}
	for i := range events {
		for _, id := range events[i].Identifiers {
			p, err := e.Person(context.Background(), id.Key)
			if err != nil || p.Profile.Events == 0 {
				continue
			}
			for _, m := range p.Memberships(e.Now()) {
				if m.Key == key && m.Holds {
					people[p.Profile.ID] = true
				}
			}
		}
	}
	return people
}

// TestEstimateIsTheDefinition: a draft over all people counts those whom the audience has once it is defined, whether people
// remember the signals of its conditions, a part of them, or none.
func TestEstimateIsTheDefinition(t *testing.T) {
	members := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 29))
		world := oracle.RandomWorld(rng)
		withProperties(world.Events)
		list := testAudiences(t)
		e := openEngine(t, storage.NewMemStore(), 4, world.Rules)
		first := world
		first.Events, first.Assertions = world.Events[:len(world.Events)/2], nil
		ingest(t, e, first, rng)
		counts := func() (text string) {
			for _, d := range list[:len(list)-1] { // the last refers to others
				got := estimate(t, e, d.Where, 1)
				text += fmt.Sprintln(d.Key, got.In, got.InKnown, got.Drawn, got.Known, got.Conditions[0].Alone)
			}
			return text
		}
		if _, err := e.Define(context.Background(), func(now *audiences.State) (*audiences.State, error) { return now.Next(list) }); err != nil {
			t.Fatal(err)
		}
		ingest(t, e, world, rng) // half of the events are marked, and nothing is filled
		partly := counts()
		both := estimate(t, e, list[len(list)-1].Where, 1)
		awaitFilled(t, e)
		if all := counts(); all != partly {
			t.Errorf("seed %d: with what people remember\n%s\nwith a part of it\n%s", seed, all, partly)
		}
		for _, d := range list {
			got, want := estimate(t, e, d.Where, 1), membersOf(t, e, d.Key, world.Events)
			if got.In != len(want) || !got.Whole {
				t.Errorf("seed %d, %s: %d in, want %d", seed, d.Key, got.In, len(want))
			}
			for _, id := range got.Members {
				if !want[id] {
					t.Errorf("seed %d, %s: %s is said to be in", seed, d.Key, id)
				}
			}
			members += len(want)
		}
		last := estimate(t, e, list[len(list)-1].Where, 1)
		if both.In != last.In || last.Conditions[1].Kept != last.In || last.Conditions[0].Kept != last.Conditions[0].Alone || len(last.Conditions) != 2 {
			t.Errorf("seed %d: %+v, then %+v", seed, both, last)
		}
		for _, m := range last.Misses {
			if p := membersOf(t, e, "both", world.Events); p[m.ID] {
				t.Errorf("seed %d: %s is in, and said to miss %s", seed, m.ID, m.Condition)
			}
		}

		none := openEngine(t, storage.NewMemStore(), 4, world.Rules) // nothing was ever defined
		ingest(t, none, world, rng)
		for _, d := range list[:len(list)-1] {
			if got, want := estimate(t, none, d.Where, 1), estimate(t, e, d.Where, 1); got.In != want.In || got.Drawn != want.Drawn {
				t.Errorf("seed %d, %s: %d of %d in where nothing is defined, want %d of %d", seed, d.Key, got.In, got.Drawn, want.In, want.Drawn)
			}
		}
	}
	if members == 0 {
		t.Error("nobody is in any audience: this proves nothing")
	}
}

// TestEstimateOfAShare looks at fewer people, and says so.
func TestEstimateOfAShare(t *testing.T) {
	world := oracle.RandomWorld(rand.New(rand.NewPCG(5, 31)))
	e := openEngine(t, storage.NewMemStore(), 4, world.Rules)
	ingest(t, e, world, rand.New(rand.NewPCG(1, 1)))
	where := testAudiences(t)[1].Where
	all, none := estimate(t, e, where, 1), estimate(t, e, where, 0)
	if none.Drawn != 0 || none.Whole || all.Drawn != len(sampled(t, e, 1)) || all.Drawn == 0 {
		t.Errorf("of all %+v, of none %+v", all, none)
	}
}
