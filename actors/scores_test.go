package actors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage"
	"pgregory.net/rapid"
)

// scoresOf reads the scores of identifiers by the engine's profiles, all as of one moment under one snapshot.
func scoresOf(t *rapid.T, e *Engine, keys []graph.NodeKey) map[graph.NodeKey]score.Scores {
	const asOf = 1_800_000_000_000 // after all that worlds hold but what is years ahead
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[graph.NodeKey]score.Scores{}
	for _, key := range keys {
		p, err := e.Profile(context.Background(), key)
		if err != nil && !errors.Is(err, ErrUnknown) {
			t.Fatal(err)
		}
		if err == nil {
			scoring := p.Scoring()
			customer := scoring.Customer()
			all[key] = scorer.Of(&customer, asOf)
		}
	}
	return all
}

// sameScores compares to the last bit: counts are integers, and scores a function of them.
func sameScores(t *rapid.T, what string, got, want map[graph.NodeKey]score.Scores) {
	if len(got) != len(want) {
		t.Fatalf("%s: %d identifiers are found, want %d", what, len(got), len(want))
	}
	for key, w := range want {
		if g := got[key]; g != w {
			t.Fatalf("%s: %s\n%+v\nwant\n%+v", what, key, g, w)
		}
	}
}

// scoredEngine runs fn with an engine that was fed a world, in an order and in batches that a seed gives.
func scoredEngine(t *testing.T, r *rapid.T, world oracle.World, fn func(*Engine)) {
	e := openEngine(t, storage.NewMemStore(), rapid.SampledFrom([]int{1, 4, 16}).Draw(r, "shards"), world.Rules)
	defer func() {
		if err := e.Close(context.Background()); err != nil {
			r.Fatal(err)
		}
	}()
	ingest(t, e, world, rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "order and batches"), 9)))
	fn(e)
}

func keysOf(world oracle.World) []graph.NodeKey {
	var keys []graph.NodeKey
	for i := range world.Events {
		for _, id := range world.Events[i].Identifiers {
			keys = append(keys, id.Key)
		}
	}
	slices.SortFunc(keys, graph.NodeKey.Compare)
	return slices.Compact(keys)
}

// Events and assertions give everybody the same scores, shuffled, delivered twice, in other batches, on other shards.
func TestScoresHaveNoOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		world := oracle.DrawWorld(r)
		var want map[graph.NodeKey]score.Scores
		scoredEngine(t, r, world, func(e *Engine) { want = scoresOf(r, e, keysOf(world)) })
		world.Events = slices.Concat(world.Events, world.Events)
		scoredEngine(t, r, world, func(e *Engine) { sameScores(r, "shuffled, twice", scoresOf(r, e, keysOf(world)), want) })
	})
}

// One person's events, cut into identities at random and merged again, give the scores of the whole; and a merge with
// somebody else that is withdrawn leaves no trace in either.
func TestScoresSurviveSplitsAndMerges(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		world := oracle.DrawWorld(r)
		world.Assertions, world.Rules = nil, &graph.Rules{Name: "open", MaxMembers: 1000, MaxLinks: 10_000}
		parts := make([]graph.NodeName, rapid.IntRange(2, 5).Draw(r, "parts"))
		for i := range parts {
			parts[i] = oracle.Name("user_id", fmt.Sprint("part ", i))
		}
		slices.SortFunc(parts, func(a, b graph.NodeName) int { return b.Key.Compare(a.Key) })
		cut := func(event graph.Event, part graph.NodeName) graph.Event {
			event.Identifiers = []graph.Identifier{{Key: part.Key, Namespace: part.Namespace, Value: []byte(part.Value)}}
			return event
		}
		whole, split, given := world, world, map[uint64]graph.NodeName{}
		whole.Events, split.Events = nil, nil
		for i := range world.Events {
			event := &world.Events[i]
			part, again := given[event.Seen]
			if !again {
				part = parts[rapid.IntRange(0, len(parts)-1).Draw(r, "part")]
				given[event.Seen] = part
			}
			whole.Events = append(whole.Events, cut(*event, parts[0]))
			split.Events = append(split.Events, cut(*event, part))
		}
		var want, apart map[graph.NodeKey]score.Scores
		head := []graph.NodeKey{parts[0].Key}
		scoredEngine(t, r, whole, func(e *Engine) { want = scoresOf(r, e, head) })
		scoredEngine(t, r, split, func(e *Engine) {
			apart = scoresOf(r, e, keysOf(split))
			force := func(withdrawn bool) {
				for i, part := range parts[1:] {
					if err := e.Assert(context.Background(), graph.Assertion{
						Verb: graph.AssertForce, A: parts[0], B: part, At: 1, ID: fmt.Sprint(i, withdrawn), By: "test", Withdrawn: withdrawn,
					}); err != nil {
						r.Fatal(err)
					}
				}
				if err := e.Settle(context.Background()); err != nil {
					r.Fatal(err)
				}
			}
			force(false)
			sameScores(r, "merged again", scoresOf(r, e, head), want)
			force(true)
			sameScores(r, "merged and withdrawn", scoresOf(r, e, keysOf(split)), apart)
		})
	})
}
