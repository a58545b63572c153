package score

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestOfferOfEvidence(t *testing.T) {
	e := func(s OfferSignal, at int64) OfferEvent { return OfferEvent{Signal: s, ID: []byte("x"), At: at} }
	until := func(e OfferEvent, until int64) OfferEvent { e.Until = until; return e }
	class := func(e OfferEvent, class string) OfferEvent { e.Class = []byte(class); return e }
	for _, c := range []struct {
		name   string
		events []OfferEvent
		want   Offer
		made   bool
	}{
		{"sent", []OfferEvent{until(e(OfferSent, 10), 50)}, Offer{Sent: 10, Until: 50}, true},
		{"sent twice: first sending, last deadline", []OfferEvent{until(e(OfferSent, 20), 60), until(e(OfferSent, 10), 50)}, Offer{Sent: 10, Until: 60}, true},
		{"redeemed", []OfferEvent{e(OfferSent, 10), e(OfferRedeemed, 30), e(OfferRedeemed, 20)}, Offer{Sent: 10, Accepted: 20}, true},
		{"seen and clicked", []OfferEvent{e(OfferViewed, 10), e(OfferViewed, 15), e(OfferClicked, 20)}, Offer{Sent: 10, Accepted: 20}, true},
		{"sent and denied: wanted all the same", []OfferEvent{e(OfferSent, 10), e(OfferDenied, 20)}, Offer{Sent: 10, Accepted: 20}, true},
		{"applied and removed", []OfferEvent{e(OfferSent, 10), e(OfferApplied, 20), e(OfferWithdrawn, 30)}, Offer{Sent: 10}, true},
		{"applied, removed, and applied again", []OfferEvent{e(OfferSent, 10), e(OfferApplied, 20), e(OfferWithdrawn, 30), e(OfferEntered, 40)}, Offer{Sent: 10, Accepted: 20}, true},
		{"removed, but redeemed", []OfferEvent{e(OfferSent, 10), e(OfferApplied, 20), e(OfferWithdrawn, 30), e(OfferRedeemed, 40)}, Offer{Sent: 10, Accepted: 40}, true},
		{"known by its use alone", []OfferEvent{e(OfferApplied, 20)}, Offer{}, false},
		{"the earliest class", []OfferEvent{class(e(OfferViewed, 20), "a"), class(e(OfferSent, 10), "b"), class(e(OfferViewed, 10), "c")}, Offer{Sent: 10, Class: "b"}, true},
		{"at the first moment of 1970", []OfferEvent{e(OfferSent, 0)}, Offer{Sent: 1}, true},
		{"no signal", []OfferEvent{e(OfferNone, 10), e(offerSignalEnd, 10), {Signal: OfferSent, At: 10}}, Offer{}, false},
	} {
		var book OfferBook
		for i := range c.events {
			book.Fold(&c.events[i])
		}
		got := book.AppendOffers(nil)
		if c.made != (len(got) == 1) {
			t.Errorf("%s: %+v", c.name, got)
			continue
		}
		if c.want.ID = "x"; c.made && got[0] != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got[0], c.want)
		}
	}
}

// The book depends on the set of events: not on their order, repetition, or how they were split and merged, at its bound too.
func TestOfferBookHasNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SampledFrom([]int{3, OffersMax * 2}).Draw(t, "ids")
		events := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) OfferEvent {
			return OfferEvent{
				Signal: OfferSignal(rapid.IntRange(1, int(offerSignalEnd)-1).Draw(t, "signal")),
				ID:     fmt.Append(nil, rapid.IntRange(1, ids).Draw(t, "id")), Class: []byte(rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "class")),
				At: rapid.Int64Range(-3, 9).Draw(t, "at"), Until: rapid.Int64Range(0, 9).Draw(t, "until"),
			}
		}), 0, 40).Draw(t, "events")
		if ids > OffersMax { // more offers than fit
			for i := range ids {
				events = append(events, OfferEvent{Signal: OfferSent, ID: fmt.Append(nil, i), At: 5})
			}
		}
		var whole, left, right OfferBook
		for i := range events {
			whole.Fold(&events[i])
		}
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		again := rapid.Permutation(slices.Concat(events, events)).Draw(t, "shuffled, twice")
		for i := range again {
			if i < cut {
				left.Fold(&again[i])
			} else {
				right.Fold(&again[i])
			}
		}
		right.Merge(&left)
		if !slices.Equal(whole.Evidence(), right.Evidence()) || len(whole.Evidence()) > OffersMax {
			t.Fatalf("%d and %d offers:\n%+v\n%+v", len(whole.Evidence()), len(right.Evidence()), whole.Evidence(), right.Evidence())
		}
		stored := NewOfferBook(rapid.Permutation(whole.Evidence()).Draw(t, "stored"))
		if !slices.Equal(whole.Evidence(), stored.Evidence()) {
			t.Fatalf("stored %+v\nwas %+v", stored.Evidence(), whole.Evidence())
		}
	})
}
