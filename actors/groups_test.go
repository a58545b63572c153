package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
)

// checkGroups compares groups, and who is in them page by page, with what the oracle says of the same events and people.
func checkGroups(t *testing.T, e *Engine, events []graph.Event, people []graph.Profile, rng *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	want := oracle.Groups(events, people)
	got := make([]oracle.Group, 0, len(want))
	for i := range want {
		g, err := e.Group(ctx, want[i].Key)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, oracle.Group{Group: g, People: groupPeople(t, e, g.Key, 1+rng.IntN(4))})
		n, counted, err := e.CountGroupPeople(ctx, &g, int(g.Members))
		if err != nil || !counted || n != len(want[i].People) {
			t.Errorf("%d people counted (%t, %v), want %d", n, counted, err, len(want[i].People))
		}
		if _, counted, err = e.CountGroupPeople(ctx, &g, int(g.Members)-1); err != nil || counted {
			t.Errorf("more members are counted than may be: %v", err)
		}
	}
	if got, want := oracle.DumpGroups(got), oracle.DumpGroups(want); got != want {
		t.Fatalf("groups:\n%s", oracle.Diff(want, got))
	}
	listed := 0
	if err := e.Groups(ctx, Place{}, false, func(Place, graph.Group) error { listed++; return nil }); err != nil || listed != len(want) {
		t.Fatalf("%d groups are listed (%v), want %d", listed, err, len(want))
	}
}

// groupPeople walks through the pages of a group's people, and returns them by id.
func groupPeople(t *testing.T, e *Engine, group graph.NodeKey, limit int) (all []graph.Membership) {
	t.Helper()
	var after graph.NodeKey
	for {
		page, next, err := e.GroupPeople(context.Background(), group, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Fatalf("%d people in a page of %d", len(page), limit)
		}
		if all = append(all, page...); next.IsZero() {
			slices.SortFunc(all, func(a, b graph.Membership) int { return a.Member.Compare(b.Member) })
			return all
		}
		after = next
	}
}

// A group that no event names is not there, and has nobody.
func TestNoGroup(t *testing.T) {
	world := oracle.RandomWorld(rand.New(rand.NewPCG(1, 7)))
	e := openEngine(t, storage.NewMemStore(), 4, world.Rules)
	key := graph.MakeNodeKey(0, 1, 1)
	if _, err := e.Group(context.Background(), key); !errors.Is(err, ErrNoGroup) {
		t.Errorf("%v, want that there is no group", err)
	}
	if people := groupPeople(t, e, key, 3); len(people) > 0 {
		t.Errorf("%d people in a group that is not there", len(people))
	}
}
