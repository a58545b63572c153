package scoring

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

const asOf = 1_800_000_000_000

func tallies(t *rapid.T, share float64) func() *Tally {
	population, err := score.NewPopulation(score.AffinityParameters{})
	if err != nil {
		t.Fatal(err)
	}
	control, err := score.NewControl(share)
	if err != nil {
		t.Fatal(err)
	}
	return func() *Tally { return newTally(population, control, asOf, 30) }
}

// people draws profiles with orders and offers around the window, its ends included.
func people(t *rapid.T) []graph.Profile {
	drawn := make([]graph.Profile, rapid.IntRange(0, 30).Draw(t, "people"))
	at := rapid.SampledFrom([]int64{asOf - 90*dayMillis, asOf - 31*dayMillis, asOf - 30*dayMillis, asOf - 30*dayMillis + 1, asOf - dayMillis, asOf, asOf + 1})
	for i := range drawn {
		p := &drawn[i]
		p.ID, p.Events, p.First = graph.NodeKey{Hi: uint64(i), Lo: 7}, 1, asOf-100*dayMillis
		for j := range rapid.IntRange(0, 4).Draw(t, "orders") {
			net := rapid.Int64Range(0, 1<<62).Draw(t, "net")
			o := graph.OrderState{
				ID: fmt.Sprint(j), PlacedAt: at.Draw(t, "placed"), Net: net, Refunded: min(net, rapid.Int64Range(0, 1000).Draw(t, "refunded")),
				Currency: graph.Currency([]byte(rapid.SampledFrom([]string{"EUR", "JPY", "USD"}).Draw(t, "currency"))),
				Coupon:   rapid.SampledFrom([]string{"", "TEN"}).Draw(t, "coupon"),
				Status:   rapid.SampledFrom([]graph.OrderStatus{graph.OrderPlaced, graph.OrderStateCancelled, graph.OrderStateRefunded}).Draw(t, "status"),
			}
			p.Orders = append(p.Orders, o)
		}
		for j := range rapid.IntRange(0, 3).Draw(t, "offers") {
			offer := score.OfferEvidence{ID: fmt.Sprint(j), Sent: at.Draw(t, "sent"), Until: at.Draw(t, "until")}
			if rapid.Bool().Draw(t, "accepted") {
				offer.Redeemed = at.Draw(t, "redeemed")
			}
			p.Offers.Merge(new(score.NewOfferBook([]score.OfferEvidence{offer})))
		}
	}
	return drawn
}

// Tallies of parts of the people add up to that of all, whatever the parts and the order in which they are added (R2); and each report
// can be written as JSON, which knows neither NaN nor infinity (R4).
func TestTalliesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		made := tallies(t, rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "share"))
		whole, parts := made(), []*Tally{made(), made(), made()}
		for _, p := range people(t) {
			whole.Add(&p)
			parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")].Add(&p)
		}
		want := whole.Report()
		sum := made()
		for _, part := range rapid.Permutation(parts).Draw(t, "order") {
			sum.Merge(part)
		}
		if got := sum.Report(); !reflect.DeepEqual(got, want) {
			t.Fatalf("parts\n%+v\nwhole\n%+v", got, want)
		}
		if _, err := json.Marshal(want); err != nil {
			t.Fatal(err)
		}
		var people uint64
		for i := range want.Bands {
			people += want.Bands[i].Control.People + want.Bands[i].Rest.People
		}
		if people != want.All.Control.People+want.All.Rest.People {
			t.Fatalf("bands hold %d people of %+v", people, want.All)
		}
	})
}

// Without a control group nothing is compared, but what the rest did is told.
func TestNoControlGroup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tally := tallies(t, 0)()
		all := people(t)
		for i := range all {
			tally.Add(&all[i])
		}
		r := tally.Report()
		if r.All.Bought != nil || r.All.Control != (Group{}) || r.All.Rest.People != uint64(len(all)) {
			t.Fatalf("%+v", r.All)
		}
		for _, revenue := range r.All.Revenue {
			if revenue.Incremental != nil || revenue.ControlTotal != 0 {
				t.Fatalf("%+v", revenue)
			}
		}
	})
}

// An offer counts if it was sent in the window, and as accepted once it was, however late.
func TestOffersOfTheWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tally := tallies(t, rapid.SampledFrom([]float64{0, 1}).Draw(t, "share"))()
		from := int64(asOf - 30*dayMillis)
		var book score.OfferBook
		for i, times := range [][2]int64{ // sent, accepted
			{from, from + 1}, {asOf + 1, 0}, // before the window, after it
			{from + 1, 0}, {asOf, 0}, {from + 1, asOf + 1}, // sent
			{from + 1, asOf}, {asOf, asOf}, // and accepted
		} {
			book.Merge(new(score.NewOfferBook([]score.OfferEvidence{{ID: fmt.Sprint(i), Sent: times[0], Redeemed: times[1]}})))
		}
		tally.Add(&graph.Profile{Events: 1, Offers: book})
		r := tally.Report()
		if sent, accepted := r.All.Rest.OffersSent+r.All.Control.OffersSent, r.All.Rest.OffersAccepted+r.All.Control.OffersAccepted; sent != 5 || accepted != 2 {
			t.Fatalf("%d sent and %d accepted, want 5 and 2", sent, accepted)
		}
	})
}
