package score

import (
	"math"
	"testing"
)

const (
	minute = int64(60 * 1000)
	today0 = int64(20000) * dayMillis // a day of 2024, at its first moment
)

// ago is a moment some days before today0.
func ago(days int64) int64 { return today0 - days*dayMillis }

func population(t testing.TB, p AffinityParameters) *Population {
	t.Helper()
	made, err := NewPopulation(p)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// example is a population with round numbers: one of four offers is accepted.
var example = AffinityParameters{
	OffersKnown: true,
	Offers:      Beta{A: 1, B: 3},
	Coupons:     Beta{A: 1, B: 1},
	Reductions:  Beta{A: 1, B: 1},
	Classes:     map[string]float64{"mail": 0.5},
	Depth:       0.2,
	DepthWeight: 1000,
}

// exampleLedger holds evidence of today, which has not faded: three of four closed offers accepted, one that is open, two
// orders, both reduced, none with a coupon.
func exampleLedger() PriceLedger {
	orders := []PricedOrder{
		{ID: "o1", At: today0, Gross: 5000, Discount: 1500},
		{ID: "o2", At: today0 + minute, Gross: 3000, Discount: 900},
	}
	offers := []Offer{
		{ID: "f1", Class: "mail", Sent: ago(30), Until: today0 + minute, Accepted: today0},
		{ID: "f2", Class: "mail", Sent: ago(20), Until: today0 + minute, Accepted: today0},
		{ID: "f3", Class: "mail", Sent: ago(10), Until: today0 + minute, Accepted: today0},
		{ID: "f4", Class: "mail", Sent: ago(10), Until: today0},
		{ID: "f5", Class: "mail", Sent: ago(1), Until: ago(-10)},
	}
	return NewPriceLedger(0, orders, offers)
}

// Offers: Beta(1,3) and 3 of 4 make 4 against 4, even odds; ln(4/4) - ln(1/3) = ln 3 = 1.0986.
// Coupons: Beta(1,1) and 0 of 2 make 1 against 3; half of ln(1/3) - 0 is -0.5493.
// Reductions: 2 of 2 make 3 against 1; half of ln 3 is +0.5493.
// The sum is ln 3, on the base ln(1/3): log-odds 0, a score of one half.
// Depth: (1000 × 0.2 + 1500 + 900) / (1000 + 5000 + 3000) = 2600/9000.
func TestAffinityByHand(t *testing.T) {
	p, ledger := population(t, example), exampleLedger()
	counts := ledger.Counts(today0+minute, p.Decay())
	a := p.Affinity(&counts)
	near(t, "score", a.Score, 0.5, 1e-12)
	near(t, "evidence", a.Evidence, math.Log(3), 1e-12)
	near(t, "points of offers", a.Trials[trialOffers].Points, math.Log(3), 1e-12)
	near(t, "points of coupons", a.Trials[trialCoupons].Points, -math.Log(3)/2, 1e-12)
	near(t, "points of reductions", a.Trials[trialReductions].Points, math.Log(3)/2, 1e-12)
	near(t, "rate of offers", a.Trials[trialOffers].Rate, 0.5, 1e-12)
	near(t, "depth", a.Depth, 2600.0/9000, 1e-12)
	if a.Band != bandHigh {
		t.Errorf("band %s, want high", a.Band)
	}
	for trial, want := range []string{
		"accepted 3 of 4 offers, population 25 %: +1.1",
		"used a coupon in 0 of 2 orders, population 50 %: -0.5",
		"paid less than the full price in 2 of 2 orders, population 50 %: +0.5",
	} {
		if got := a.Trials[trial].Reason(); got != want {
			t.Errorf("reason %q, want %q", got, want)
		}
	}
}

// The class's base is even odds, the evidence ln 3; one UTC day with an order, not faded, and 30 days since the first
// sight, which fade to L(1-exp(-30/L)) days with L = 365/ln 2 (30 days and a minute, that is), so the rate is
// 2/(that + 30), against one in 30 days.
func TestOfferProbabilityByHand(t *testing.T) {
	parameters := example
	parameters.Intercept = -0.25
	p, ledger := population(t, parameters), exampleLedger()
	counts := ledger.Counts(today0+minute, p.Decay())
	lifetime := 365 / math.Ln2
	watched := lifetime * (1 - math.Exp(-(30+1.0/(24*60))/lifetime))
	rate := math.Log(2/(watched+30)) - math.Log(1.0/30)
	want := 1 / (1 + math.Exp(-(math.Log(3) + rate/2 - 0.25)))
	near(t, "known class", p.OfferProbability(&counts, "mail"), want, 1e-12)
	// An unknown class starts from the population's ln(1/3).
	want = 1 / (1 + math.Exp(-(rate/2 - 0.25)))
	near(t, "unknown class", p.OfferProbability(&counts, "banner"), want, 1e-12)
}

// Where no offers are known, affinity is the beta-binomial posterior of a reduced order: (2+3)/(2+4+5) for 3 of 5.
func TestAffinityOfOrdersAlone(t *testing.T) {
	p := population(t, AffinityParameters{Reductions: Beta{A: 2, B: 4}})
	orders := []PricedOrder{
		{ID: "1", At: today0, Gross: 10, Discount: 1},
		{ID: "2", At: today0, Gross: 10, Voucher: true},
		{ID: "3", At: today0, Gross: 10, Coupon: 1},
		{ID: "4", At: today0, Gross: 10},
		{ID: "5", At: today0, Gross: 10},
	}
	ledger := NewPriceLedger(0, orders, nil)
	counts := ledger.Counts(today0, p.Decay())
	near(t, "score", p.Affinity(&counts).Score, 5.0/11, 1e-12)
	if got := p.Affinity(&counts).Trials[trialCoupons]; got.Points != 0 || got.Trials.Won != 2 || got.Reason() != "" {
		t.Errorf("coupons %+v, want 2 of 5 without weight", got)
	}
}

func TestBands(t *testing.T) {
	p := population(t, AffinityParameters{OffersKnown: true})
	sent := func(accepted, ignored int) (offers []Offer) {
		for i := range accepted + ignored {
			o := Offer{ID: string(rune('a' + i)), Sent: ago(9), Until: today0}
			if i < accepted {
				o.Accepted = today0
			}
			offers = append(offers, o)
		}
		return offers
	}
	order := func(ids ...string) (orders []PricedOrder) {
		for _, id := range ids {
			orders = append(orders, PricedOrder{ID: id, At: today0, Gross: 1})
		}
		return orders
	}
	for _, c := range []struct {
		name   string
		orders []PricedOrder
		offers []Offer
		want   Band
	}{
		{"nothing", nil, nil, bandUnknown},
		{"one order", order("1"), nil, bandUnknown},
		{"an offer that is open", nil, []Offer{{ID: "a", Sent: ago(1), Until: ago(-1)}}, bandUnknown},
		{"two orders at full price: half of ln(1/3), twice", order("1", "2"), nil, bandLow},
		{"1 of 1: ln 2 is below 0.7", nil, sent(1, 0), bandMedium},
		{"2 of 2: ln 3", nil, sent(2, 0), bandHigh},
		{"2 of 3: ln 1.5", nil, sent(2, 1), bandMedium},
		{"0 of 2: ln(1/3)", nil, sent(0, 2), bandLow},
	} {
		ledger := NewPriceLedger(0, c.orders, c.offers)
		counts := ledger.Counts(today0, p.Decay())
		if a := p.Affinity(&counts); a.Band != c.want {
			t.Errorf("%s: %s with %+.2f, want %s", c.name, a.Band, a.Evidence, c.want)
		}
	}
}

// Half of an order is left after a half-life, a quarter after two; and what was seen a day ago weighs 2^(-1/365).
func TestDecay(t *testing.T) {
	decay := NewDecay(0)
	for days, want := range map[int64]float64{-5: 1, 0: 1, 1: math.Exp2(-1.0 / 365), 365: 0.5, 730: 0.25, 365 * 65: 0, math.MaxInt64: 0} {
		near(t, "weight", float64(decay.weight(days))/decayUnit, want, 1e-9)
	}
	ledger := NewPriceLedger(0, []PricedOrder{{ID: "1", At: ago(365), Discount: 1, Gross: 2}, {ID: "2", At: today0}}, nil)
	counts := ledger.Counts(today0, &decay)
	of, won := counts.Reductions.Weighed()
	near(t, "orders", of, 1.5, 1e-9)
	near(t, "reduced orders", won, 0.5, 1e-9)
	// In 365 of the last days, 365/(2 ln 2) are left.
	near(t, "days", decay.days(365), 365/(2*math.Ln2), 1e-9)
}

// Two offers overlap, days 100 to 90 and 95 to 85 ago, one lies apart, 20 to 10 ago, and one is open since 3 days: 15 + 10 + 3
// days of 120 since the first sight. Of the orders, those 96 and 88 days ago and yesterday's fell into offers; the one at the end
// of an offer did not, nor did the one 50 days ago; tomorrow's has not happened.
func TestExposure(t *testing.T) {
	decay := NewDecay(0)
	var orders []PricedOrder
	for i, days := range []int64{96, 88, 85, 50, 1, -1} {
		orders = append(orders, PricedOrder{ID: string(rune('a' + i)), At: ago(days)})
	}
	ledger := NewPriceLedger(ago(120), orders, []Offer{
		{ID: "1", Sent: ago(100), Until: ago(90)},
		{ID: "2", Sent: ago(95), Until: ago(85)},
		{ID: "3", Sent: ago(20), Until: ago(10)},
		{ID: "4", Sent: ago(3), Until: ago(-4)},
		{ID: "5", Sent: ago(-2), Until: ago(-4)},
	})
	counts := ledger.Counts(today0, &decay)
	if want := (Exposure{Orders: 3, Millis: 28 * dayMillis}); counts.Offered != want {
		t.Errorf("offered %+v, want %+v", counts.Offered, want)
	}
	if want := (Exposure{Orders: 2, Millis: 92 * dayMillis}); counts.Unoffered != want {
		t.Errorf("unoffered %+v, want %+v", counts.Unoffered, want)
	}
	// Where the first order is the first sight, it begins the watch and is no order of it.
	ledger = NewPriceLedger(0, orders, nil)
	if counts := ledger.Counts(today0, &decay); counts.Unoffered.Orders != 4 || counts.Occasions != 5 {
		t.Errorf("%d unoffered orders of %d occasions, want 4 of 5", counts.Unoffered.Orders, counts.Occasions)
	}
}

// An order is known from its moment on, an acceptance from its own, a refusal from the end of the offer's time.
func TestCountsAsOf(t *testing.T) {
	decay := NewDecay(0)
	ledger := NewPriceLedger(0, []PricedOrder{{ID: "1", At: 100, Gross: 1}},
		[]Offer{{ID: "a", Sent: 50, Until: 300, Accepted: 200}, {ID: "b", Sent: 60, Until: 250}, {ID: "c", Sent: 70}})
	// One that was accepted before it was sent was open by then; one that ended before it was sent never was.
	early := NewPriceLedger(0, nil, []Offer{{ID: "a", Sent: 100, Until: 300, Accepted: 40}, {ID: "b", Sent: 400, Until: 350}})
	if counts := early.Counts(500, &decay); early.since != 40 || counts.Offered.Millis != 260 || counts.Offers.Of != 2 || counts.Offers.Won != 1 {
		t.Errorf("since %d: %+v", early.since, counts)
	}
	for _, c := range []struct {
		now                  int64
		offers, won, ordered uint32
	}{{49, 0, 0, 0}, {99, 0, 0, 0}, {100, 0, 0, 1}, {200, 1, 1, 1}, {249, 1, 1, 1}, {250, 2, 1, 1}, {70 + defaultWindow, 3, 1, 1}} {
		counts := ledger.Counts(c.now, &decay)
		if counts.Offers.Of != c.offers || counts.Offers.Won != c.won || counts.Reductions.Of != c.ordered {
			t.Errorf("at %d: %d of %d offers and %d orders, want %+v", c.now, counts.Offers.Won, counts.Offers.Of, counts.Reductions.Of, c)
		}
	}
}

func TestPopulationRefusesAbsurdParameters(t *testing.T) {
	for name, p := range map[string]AffinityParameters{
		"half-life":     {HalfLife: -1},
		"beta":          {Offers: Beta{A: 1}},
		"not a number":  {Coupons: Beta{A: math.NaN(), B: 1}},
		"infinite":      {Reductions: Beta{A: 1, B: math.Inf(1)}},
		"intercept":     {Intercept: math.Inf(-1)},
		"depth":         {Depth: 1.01},
		"depth weight":  {DepthWeight: -1},
		"lift":          {Lift: 101},
		"concentration": {LiftConcentration: math.NaN()},
		"class":         {Classes: map[string]float64{"mail": 1}},
	} {
		if _, err := NewPopulation(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewPopulation(AffinityParameters{}); err != nil {
		t.Errorf("cold start: %v", err)
	}
}

// Under the cold start nothing is known of the population's offers; what a customer did with theirs counts all the same. A customer who had
// none is judged by reductions alone.
func TestOffersUnderTheColdStart(t *testing.T) {
	p := population(t, AffinityParameters{})
	offer := func(id string, accepted int64) Offer {
		return Offer{ID: id, Sent: ago(9), Until: today0, Accepted: accepted}
	}
	orders := func() []PricedOrder {
		return []PricedOrder{{ID: "1", At: today0, Gross: 100, Discount: 10}, {ID: "2", At: today0, Gross: 100, Discount: 10}}
	}
	for _, c := range []struct {
		name     string
		orders   []PricedOrder
		offers   []Offer
		evidence float64
		band     Band
	}{
		{"none", nil, nil, 0, bandUnknown},
		{"an offer that is open", nil, []Offer{{ID: "a", Sent: ago(1), Until: ago(-1)}}, 0, bandUnknown},
		{"one accepted", nil, []Offer{offer("a", today0)}, math.Log(2), bandMedium},
		{"two accepted", nil, []Offer{offer("a", today0), offer("b", today0)}, math.Log(3), bandHigh},
		{"two let pass", nil, []Offer{offer("a", 0), offer("b", 0)}, -math.Log(3), bandLow},
		{"two reduced orders", orders(), nil, math.Log(3), bandHigh}, // 2 of 2, with weight 1
		{"both", orders(), []Offer{offer("a", 0)}, -math.Log(2) - math.Log(3)/2 + math.Log(3)/2, bandMedium},
	} {
		ledger := NewPriceLedger(0, c.orders, c.offers)
		counts := ledger.Counts(today0, p.Decay())
		a := p.Affinity(&counts)
		near(t, c.name, a.Evidence, c.evidence, 1e-12)
		near(t, c.name, a.Score, sigmoid(c.evidence), 1e-12)
		if a.Band != c.band {
			t.Errorf("%s: %s, want %s", c.name, a.Band, c.band)
		}
	}
}
