package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

// mentioning is the n-th event of a user, which mentions a cookie.
func mentioning(n int, user, cookie string) graph.Event {
	e := carrying(n, user)
	e.Mentions = identifiersOf(oracle.Name("anonymous_id", cookie))
	return e
}

// carrying is the n-th event, with these identifiers: u… is a user, a… a cookie; in descending rank.
func carrying(n int, values ...string) graph.Event {
	e := graph.Event{ID: fmt.Appendf(nil, "m%d", n), Seen: uint64(n), Stamp: graph.Stamp{Time: int64(n), Tie: uint64(n)}, Type: graph.TypeTrack}
	for _, v := range values {
		namespace := map[byte]string{'u': "user_id", 'a': "anonymous_id"}[v[0]]
		e.Identifiers = append(e.Identifiers, identifiersOf(oracle.Name(namespace, v))...)
	}
	return e
}

func identifiersOf(n graph.NodeName) []graph.Identifier {
	return []graph.Identifier{{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)}}
}

// A mention alone makes no node. A second message that mentions it, or an event that carries it, makes all its mentions
// links, whichever comes first.
func TestMentions(t *testing.T) {
	for _, c := range []struct {
		name   string
		events []graph.Event
		nodes  int // roots and forwards
		want   []string
	}{
		{"a flood", []graph.Event{mentioning(1, "u1", "a1"), mentioning(2, "u1", "a2"), mentioning(3, "u1", "a3")}, 1, []string{"u1: 3"}},
		{"two messages", []graph.Event{mentioning(1, "u1", "a1"), mentioning(2, "u1", "a1")}, 2, []string{"a1 u1: 2"}},
		{"two users", []graph.Event{mentioning(1, "u1", "a1"), mentioning(2, "u2", "a1")}, 3, []string{"a1 u1 u2: 2"}},
		{"a browser", []graph.Event{mentioning(1, "u1", "a1"), carrying(2, "a1")}, 2, []string{"a1 u1: 2"}},
		{"carried beside a user", []graph.Event{mentioning(1, "u1", "a1"), carrying(2, "u2", "a1")}, 3, []string{"a1 u1 u2: 2"}},
		{"the same message", []graph.Event{mentioning(1, "u1", "a1"), mentioning(1, "u1", "a1")}, 1, []string{"u1: 1"}},
	} {
		for seed := range uint64(100) {
			n, err := run(oracle.World{Events: c.events, Rules: &graph.Rules{MaxMembers: 100, MaxLinks: 100}}, seed)
			if err != nil {
				t.Fatal(err)
			}
			nodes := 0
			for _, node := range n.nodes {
				if node.Component != nil || !node.Parent.IsZero() {
					nodes++
				}
			}
			var got []string
			for _, p := range n.profiles() {
				var values []string
				for _, id := range p.Identifiers {
					values = append(values, id.Value)
				}
				slices.Sort(values)
				got = append(got, fmt.Sprintf("%s: %d", strings.Join(values, " "), p.Events))
			}
			if nodes != c.nodes || !slices.Equal(got, c.want) {
				t.Fatalf("%s, seed %d: %d nodes and %q, want %d and %q", c.name, seed, nodes, got, c.nodes, c.want)
			}
		}
	}
}

// A node keeps a copy of what mentioned it: the memory of the event is used again.
func TestMentionIsCopied(t *testing.T) {
	e := mentioning(1, "u1", "a1")
	e.Mentions[0].Raw = []byte("A1")
	var out graph.Outbox
	user := graph.Node{Key: e.Route()}
	if err := user.Handle(&graph.Message{Kind: graph.KindObserve, To: user.Key, Event: &e}, &graph.Rules{MaxMembers: 100, MaxLinks: 100}, &out); err != nil {
		t.Fatal(err)
	}
	cookie := graph.Node{Key: e.Mentions[0].Key}
	if len(out.Messages) != 1 || out.Messages[0].To != cookie.Key {
		t.Fatalf("the user sends %+v", out.Messages)
	}
	if err := cookie.Handle(&out.Messages[0], &graph.Rules{}, &out); err != nil {
		t.Fatal(err)
	}
	e.ID[0], e.Identifiers[0].Value[0], e.Mentions[0].Value[0], e.Mentions[0].Raw[0] = 'x', 'x', 'x', 'x'
	kept := cookie.Mention
	if string(kept.ID) != "m1" || string(kept.Identifiers[0].Value) != "u1" || string(kept.Identifiers[1].Value) != "a1" || string(kept.Identifiers[1].Raw) != "A1" {
		t.Errorf("it keeps %+v", kept)
	}
}
