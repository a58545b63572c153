package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

const dayMillis = 24 * 60 * 60 * 1000

func visitor(names ...graph.NodeName) (ids []graph.Identifier) {
	for _, n := range names {
		ids = append(ids, graph.Identifier{Key: n.Key, Namespace: n.Namespace, Value: []byte(n.Value)})
	}
	return ids
}

func track(number int, at int64, ids []graph.Identifier) graph.Event {
	return graph.Event{
		ID: fmt.Append(nil, number), Source: []byte("web"), Seen: uint64(number), Type: graph.TypeTrack,
		Stamp: graph.Stamp{Time: at, Tie: uint64(number)}, Received: at, Identifiers: ids,
	}
}

// collector is a visitor who dealt with as much as a fragment holds: every category in every period, and every offer.
func collector() []graph.Event {
	cookie := visitor(oracle.Name("anonymous_id", "a1"))
	var events []graph.Event
	for period := range 61 {
		for first := 0; first < score.InterestsMax; first += graph.InterestCategoriesMax {
			e := track(len(events), int64(600+period)*30*dayMillis, cookie)
			e.Interest.Kind = graph.InterestViewed
			for c := range graph.InterestCategoriesMax {
				e.Interest.Categories = append(e.Interest.Categories, fmt.Appendf(nil, "%s%d", strings.Repeat("category", 11), first+c))
			}
			events = append(events, e)
		}
	}
	for offer := range score.OffersMax {
		e := track(len(events), 600*30*dayMillis, cookie)
		e.Offer = graph.OfferNotice{Signal: score.OfferSent, ID: fmt.Appendf(nil, "%s%d", strings.Repeat("offer", 18), offer), Class: []byte("welcome")}
		events = append(events, e)
	}
	return events
}

// A fragment above the size of a message travels in parts, and what was in it arrives whole.
func TestLargeFragmentsTravelInParts(t *testing.T) {
	cookie, user := oracle.Name("anonymous_id", "a1"), oracle.Name("user_id", "u1")
	events := collector()
	rules := graph.DefaultRules()
	node := &graph.Node{Key: cookie.Key}
	var out graph.Outbox
	for i := range events {
		if err := node.Handle(&graph.Message{Kind: graph.KindObserve, To: cookie.Key, Event: &events[i]}, rules, &out); err != nil {
			t.Fatal(err)
		}
	}
	out.Reset()
	if err := node.Handle(&graph.Message{Kind: graph.KindJoin, To: cookie.Key, Root: user.Key, Via: cookie.Key}, rules, &out); err != nil {
		t.Fatal(err)
	}
	const most, slack = 256 << 10, 2 << 10
	parts, whole := 0, 0
	for _, m := range out.Messages {
		if m.Kind != graph.KindAbsorb {
			continue
		}
		parts++
		size := 0
		for i := range m.Evidence.Members {
			if f := m.Evidence.Members[i].Fragment; f != nil {
				size += f.Size()
			}
		}
		whole += size
		if size > most+slack {
			t.Errorf("a part of %d bytes", size)
		}
	}
	if parts < 4 || whole < 4*most/2 {
		t.Errorf("%d parts with %d bytes in all", parts, whole)
	}

	login := track(len(events), 700*30*dayMillis, visitor(user, cookie))
	world := oracle.World{Events: append(events, login), Rules: rules}
	want := oracle.Dump(oracle.Profiles(world.Events, nil, rules))
	for seed := range uint64(3) {
		n, err := run(world, seed)
		if err != nil {
			t.Fatal(err)
		}
		if got := oracle.Dump(n.profiles()); got != want {
			t.Errorf("order %d:\n%s", seed, oracle.Diff(want, got))
		}
	}
}

// Reading a profile changes nothing of the fragments that it is folded from.
func TestProfilesLeaveFragmentsAlone(t *testing.T) {
	cookie, user := oracle.Name("anonymous_id", "a1"), oracle.Name("user_id", "u1")
	var events []graph.Event
	for i, ids := range [][]graph.Identifier{visitor(user), visitor(cookie), visitor(user, cookie)} {
		e := track(i, int64(1+i)*40*dayMillis, ids)
		e.Offer = graph.OfferNotice{Signal: score.OfferSent + score.OfferSignal(i), ID: fmt.Append(nil, "f", i)}
		e.Interest = graph.Interest{Kind: graph.InterestViewed, Categories: [][]byte{fmt.Append(nil, "c", i)}}
		events = append(events, e)
	}
	n, err := run(oracle.World{Events: events, Rules: graph.DefaultRules()}, 1)
	if err != nil {
		t.Fatal(err)
	}
	component := n.nodes[user.Key].Component
	before := fragments(component)
	first := oracle.Dump(component.Profiles(n.rules, false))
	if again := oracle.Dump(component.Profiles(n.rules, false)); again != first {
		t.Errorf("read again:\n%s", oracle.Diff(first, again))
	}
	if after := fragments(component); after != before || !strings.Contains(first, "c1") || !strings.Contains(first, "c2") {
		t.Errorf("fragments before\n%s\nand after\n%s", before, after)
	}
}

func fragments(c *graph.Component) string {
	var b strings.Builder
	evidence := c.Evidence()
	for i := range evidence.Members {
		if f := evidence.Members[i].Fragment; f != nil {
			fmt.Fprintln(&b, f.Offers.Evidence(), f.Interests.Cells(), f.Visits.Periods())
		}
	}
	return b.String()
}

// Which events show that somebody came, and that they ordered.
func TestVisits(t *testing.T) {
	for name, c := range map[string]struct {
		change        func(*graph.Event)
		came, ordered bool
	}{
		"page":             {func(e *graph.Event) { e.Type = graph.TypePage }, true, false},
		"screen":           {func(e *graph.Event) { e.Type = graph.TypeScreen }, true, false},
		"identify":         {func(e *graph.Event) { e.Type = graph.TypeIdentify }, false, false},
		"track":            {func(*graph.Event) {}, false, false},
		"offer sent":       {func(e *graph.Event) { e.Offer = graph.OfferNotice{Signal: score.OfferSent, ID: []byte("f")} }, false, false},
		"product viewed":   {func(e *graph.Event) { e.Interest.Kind = graph.InterestViewed }, true, false},
		"product added":    {func(e *graph.Event) { e.Interest.Kind = graph.InterestAdded }, true, false},
		"ordered":          {func(e *graph.Event) { e.Interest.Kind, e.Order.Kind = graph.InterestBought, graph.OrderCompleted }, false, true},
		"order updated":    {func(e *graph.Event) { e.Order.Kind = graph.OrderUpdated }, false, false},
		"order by a click": {func(e *graph.Event) { e.Type, e.Order.Kind = graph.TypePage, graph.OrderCompleted }, true, true},
	} {
		e := track(1, 5*dayMillis, visitor(oracle.Name("user_id", "u1")))
		e.Order.ID = []byte("o")
		c.change(&e)
		n, err := run(oracle.World{Events: []graph.Event{e}, Rules: graph.DefaultRules()}, 1)
		if err != nil {
			t.Fatal(err)
		}
		var want score.VisitDays
		if c.came {
			want.Came(5 * dayMillis)
		}
		if c.ordered {
			want.Ordered(5 * dayMillis)
		}
		if got := n.profiles()[0].Visits; !slices.Equal(got.Periods(), want.Periods()) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}
