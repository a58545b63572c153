package score

import (
	"math"
	"testing"
)

// All scores of a customer are those that their parts give.
func TestScoresAreThoseOfTheirParts(t *testing.T) {
	const now = today0 + minute
	p := ColdStart()
	p.Version, p.Dealings = 3, map[string]uint64{"wine": 5, "tea": 95}
	s, err := NewScorer(p, Terms{HorizonDays: 70, Margin: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	c := Customer{
		Purchases: []Purchase{{ID: "a", At: ago(70), Net: 3000}, {ID: "b", At: ago(35), Net: 5000}, {ID: "c", At: ago(7), Net: 4000}},
		Prices:    exampleLedger(), Interests: &InterestCounts{},
	}
	c.Interests.Add("wine", now, 3)
	got := s.Of(&c, now)
	h := NewHistory(c.Purchases, now)
	counts := c.Prices.Counts(now, s.Population().Decay())
	for name, v := range map[string][2]float64{
		"orders":   {got.ExpectedOrders, p.Orders.Orders(h, 10)},
		"value":    {got.ExpectedValue, p.Orders.Orders(h, 10) * p.Spend.Mean(3, 4000)},
		"CLV":      {got.CLV, 0.5 * p.Orders.Orders(h, 10) * p.Spend.Mean(3, 4000)},
		"alive":    {got.Alive, p.Orders.Alive(h)},
		"churn":    {got.Churn, 1 - p.Orders.Alive(h)},
		"buys":     {got.Buys30Days, p.Orders.BuysWithin(h, 30.0/7)},
		"between":  {got.DaysBetween, 31.5},
		"affinity": {got.Affinity.Score, s.Population().Affinity(&counts).Score},
		"offer":    {got.OfferProbability, s.Population().OfferProbability(&counts, "")},
		"uplift":   {got.Uplift.Ratio, s.Population().Uplift(&counts).Ratio},
	} {
		if !(math.Abs(v[0]-v[1]) <= 1e-9*math.Abs(v[1])) {
			t.Errorf("%s %v, want %v", name, v[0], v[1])
		}
	}
	if got.AsOf != now || got.Version != 3 || got.RFM == (RFM{}) || len(got.Interests()) != 1 || got.Interests()[0].Category != "wine" || got.Interests()[0].Lift <= 1 {
		t.Errorf("%+v", got)
	}
	if n := testing.AllocsPerRun(100, func() { got = s.Of(&c, now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	nobody := Customer{Prices: NewPriceLedger(0, nil, nil)}
	if got := s.Of(&nobody, now); got.CLV != 0 || got.Alive != 0 || got.Churn != 0 || got.RFM != (RFM{}) || got.Affinity.Band != bandUnknown {
		t.Errorf("of nobody %+v", got)
	}
}

// Over all the future, orders and their value are expected over a year: without a discount they need not be finite.
func TestScoresOverAllTheFuture(t *testing.T) {
	s, err := NewScorer(ColdStart(), Terms{HorizonDays: math.Inf(1), AnnualDiscount: 0.15})
	if err != nil {
		t.Fatal(err)
	}
	c := Customer{Purchases: []Purchase{{ID: "a", At: ago(70), Net: 3000}}, Prices: NewPriceLedger(0, nil, nil)}
	want := ColdStart().Orders.Orders(NewHistory(c.Purchases, today0), 365.0/7)
	if got := s.Of(&c, today0); math.Abs(got.ExpectedOrders-want) > 1e-9 || math.IsInf(got.CLV, 0) {
		t.Errorf("%v orders, want %v; CLV %v", got.ExpectedOrders, want, got.CLV)
	}
}
