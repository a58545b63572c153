package graph_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
)

var (
	eur = graph.Currency{'E', 'U', 'R'}
	usd = graph.Currency{'U', 'S', 'D'}
)

func TestScoringByHand(t *testing.T) {
	at := func(day int64) int64 { return day * dayMillis }
	p := graph.Profile{
		First: at(5),
		Orders: []graph.OrderState{
			{ID: "a", PlacedAt: at(10), Net: 900, Discount: 100, Currency: eur, Status: graph.OrderPlaced},
			{ID: "b", PlacedAt: at(17), Net: 500, Currency: usd, Status: graph.OrderPlaced},
			{ID: "c", PlacedAt: at(24), Net: 700, Refunded: 200, Coupon: "X", Currency: eur, Status: graph.OrderStateRefunded},
			{ID: "d", PlacedAt: at(31), Net: 9000, Currency: eur, Status: graph.OrderStateCancelled},
			{ID: "e", PlacedAt: at(38), Net: 300, Currency: eur, Status: graph.OrderPlaced},
		},
		Money: []graph.Money{{Currency: eur, Orders: 3}, {Currency: usd, Orders: 1}},
		Offers: score.NewOfferBook([]score.OfferEvidence{
			{ID: "sent", Sent: at(9), Until: at(12), Redeemed: at(10)},
			{ID: "open", Viewed: at(39)},
			{ID: "code", Tried: at(24), TriedAt: at(24)}, // never seen to be made
		}),
	}
	p.Interests.Add("toys", at(10), 3)
	s := p.Scoring()

	purchases := []score.Purchase{
		{ID: "a", At: at(10), Net: 900}, {ID: "c", At: at(24), Net: 700, Refunded: 200}, {ID: "e", At: at(38), Net: 300},
	}
	if s.Currency != eur || s.Elsewhere != 1 || !slices.Equal(s.Purchases, purchases) {
		t.Errorf("%+v", s)
	}
	if h, want := s.History(at(45)), (score.History{X: 2, Tx: 4, T: 5, N: 3, Z: (900 + 500 + 300) / 3.}); h != want {
		t.Errorf("%+v, want %+v", h, want)
	}
	decay := score.NewDecay(0)
	c := s.Ledger.Counts(at(45), &decay)
	for name, got := range map[string][2]int64{
		"offers closed":        {int64(c.Offers.Of), 1},
		"offers accepted":      {int64(c.Offers.Won), 1},
		"orders":               {int64(c.Coupons.Of), 3},
		"with a coupon":        {int64(c.Coupons.Won), 1},
		"with a reduction":     {int64(c.Reductions.Won), 2},
		"gross of the reduced": {c.ReducedGross, 1000 + 700},
		"taken off":            {c.ReducedDiscount, 100},
		"age":                  {c.Age, at(40)},
		"offered":              {c.Offered.Millis, at(3) + at(6)},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %d, want %d", name, got[0], got[1])
		}
	}
	if !slices.Equal(s.Interests.Cells(), p.Interests.Cells()) {
		t.Errorf("interests %+v", s.Interests)
	}
}

func TestScoringPicksOneCurrency(t *testing.T) {
	order := func(c graph.Currency, status graph.OrderStatus) graph.OrderState {
		return graph.OrderState{ID: c.String(), Currency: c, Status: status}
	}
	for name, c := range map[string]struct {
		p         graph.Profile
		currency  graph.Currency
		purchases int
		elsewhere int
	}{
		"nobody": {},
		"a tie goes to the first code": {graph.Profile{
			Orders: []graph.OrderState{order(usd, graph.OrderPlaced), order(eur, graph.OrderPlaced)},
			Money:  []graph.Money{{Currency: eur, Orders: 1}, {Currency: usd, Orders: 1}},
		}, eur, 1, 1},
		"most orders, not most money": {graph.Profile{
			Orders: []graph.OrderState{order(eur, graph.OrderPlaced), order(usd, graph.OrderPlaced), order(usd, graph.OrderPlaced)},
			Money:  []graph.Money{{Currency: eur, Orders: 1, Revenue: 1e9}, {Currency: usd, Orders: 2}},
		}, usd, 2, 1},
		"cancelled orders do not count": {graph.Profile{Orders: []graph.OrderState{order(eur, graph.OrderStateCancelled)}}, graph.Currency{}, 0, 0},
	} {
		s := c.p.Scoring()
		if s.Currency != c.currency || len(s.Purchases) != c.purchases || s.Elsewhere != c.elsewhere {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// Whatever amounts events gave, gross does not overflow.
func TestScoringOfAbsurdAmounts(t *testing.T) {
	for _, amounts := range [][2]int64{{math.MaxInt64, math.MaxInt64}, {math.MinInt64, math.MinInt64}, {math.MaxInt64, 1}, {-1, 1}} {
		p := graph.Profile{
			Orders: []graph.OrderState{{ID: "o", Net: amounts[0], Discount: amounts[1], PlacedAt: dayMillis, Currency: eur, Status: graph.OrderPlaced}},
			Money:  []graph.Money{{Currency: eur, Orders: 1}},
		}
		s := p.Scoring()
		decay := score.NewDecay(0)
		c := s.Ledger.Counts(2*dayMillis, &decay)
		if c.ReducedGross < 0 || c.ReducedDiscount < 0 || c.ReducedDiscount > c.ReducedGross ||
			amounts[0] == math.MaxInt64 && c.ReducedGross != math.MaxInt64 {
			t.Errorf("%v: %+v", amounts, c)
		}
	}
}

// A component gathers the same for the scores of an identity as its profile does, whichever identifier names it.
func TestPropScoringOfComponent(t *testing.T) {
	seeds, orders, split := uint64(500), 0, 0
	for seed := range seeds {
		world := oracle.RandomWorld(rand.New(rand.NewPCG(seed, 4)))
		n, err := run(world, seed)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, node := range n.nodes {
			c := node.Component
			if c == nil {
				continue
			}
			if c.Identities(world.Rules) > 1 {
				split++
			}
			for _, m := range c.Evidence().Members {
				got, ok := c.Scoring(m.Key, world.Rules)
				p, known := c.Profile(m.Key, world.Rules)
				if ok != known {
					t.Fatalf("seed %d: %s is known as a profile: %t, to scores: %t", seed, m.Key, known, ok)
				}
				if want := p.Scoring(); ok && !reflect.DeepEqual(got, want) {
					t.Fatalf("seed %d, %s:\n got %+v\nwant %+v", seed, m.Key, got, want)
				}
				orders += len(got.Purchases)
			}
		}
	}
	if orders == 0 || split == 0 {
		t.Errorf("%d orders, %d components of several identities: nothing was tested", orders, split)
	}
}
