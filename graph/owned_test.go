package graph_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// A profile stays as it is when the component that it came from takes more events, and so does a clone of the component.
func TestProfileOwnsItsMemory(t *testing.T) {
	rules := graph.DefaultRules()
	key := graph.MakeNodeKey(graph.ClassCustomer, 1, 1)
	node := &graph.Node{Key: key}
	var out graph.Outbox
	rng := rand.New(rand.NewPCG(1, 1))
	at := int64(1_700_000_000_000)
	observe := func() {
		at += rng.Int64N(40 * 24 * 3600 * 1000)
		text := func(s string) []byte { return []byte{'"', s[0], byte('a' + rng.IntN(26)), '"'} }
		e := graph.Event{
			ID: []byte("m"), Type: graph.TypePage, Stamp: graph.Stamp{Time: at},
			Identifiers: []graph.Identifier{{Key: key, Namespace: "user_id", Value: []byte("u")}},
			Traits:      []graph.Trait{{Name: []byte("a"), Value: text("a")}, {Name: []byte("b"), Value: text("b")}},
			Offer:       graph.OfferNotice{Signal: score.OfferSent, ID: []byte{'o', byte('0' + rng.IntN(3))}},
			Interest:    graph.Interest{Kind: graph.InterestViewed, Categories: [][]byte{{'c', byte('0' + rng.IntN(3))}}},
		}
		if err := node.Handle(&graph.Message{Kind: graph.KindObserve, To: key, Event: &e}, rules, &out); err != nil {
			t.Fatal(err)
		}
	}
	dump := func(p graph.Profile) string {
		scoring := p.Scoring()
		history := scoring.History(1_800_000_000_000)
		return oracle.Dump([]graph.Profile{p}) + fmt.Sprint(p.Offers.Evidence(), p.Interests.Cells(), p.Visits.Periods(), scoring, history)
	}
	observe()
	for range 100 {
		owned, ok := node.Component.Profile(key, rules)
		if !ok {
			t.Fatal("no profile")
		}
		listed := node.Component.Profiles(rules, false)[0]
		clone := node.Component.Clone()
		want := dump(owned)
		observe()
		if now, _ := node.Component.Profile(key, rules); dump(now) == want {
			t.Fatal("the event changed nothing: nothing is tested")
		}
		cloned, _ := clone.Profile(key, rules)
		for name, p := range map[string]graph.Profile{"Profile": owned, "Profiles": listed, "Clone": cloned} {
			if got := dump(p); got != want {
				t.Fatalf("%s changed with the component:\n%s", name, oracle.Diff(want, got))
			}
		}
	}
}
