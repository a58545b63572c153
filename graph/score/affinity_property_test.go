package score

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// evidence is what a ledger is made of.
type evidence struct {
	since  int64
	orders []PricedOrder
	offers []Offer
}

func (e evidence) ledger() PriceLedger {
	return NewPriceLedger(e.since, slices.Clone(e.orders), slices.Clone(e.offers))
}

// drawEvidence draws a few months of a customer; ids repeat, and what shares an id differs.
func drawEvidence(t *rapid.T) evidence {
	at := rapid.Int64Range(ago(900), ago(-30))
	money := rapid.Int64Range(0, 100_00)
	return evidence{
		since: rapid.SampledFrom([]int64{0, ago(950), ago(400)}).Draw(t, "since"),
		orders: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) PricedOrder {
			return PricedOrder{
				ID: fmt.Sprint("o", rapid.IntRange(0, 15).Draw(t, "id")), At: at.Draw(t, "at"), Gross: money.Draw(t, "gross"),
				Discount: money.Draw(t, "discount"), Coupon: money.Draw(t, "coupon"), Voucher: rapid.Bool().Draw(t, "voucher"),
			}
		}), 0, 20).Draw(t, "orders"),
		offers: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Offer {
			o := Offer{
				ID: fmt.Sprint("f", rapid.IntRange(0, 9).Draw(t, "id")), Class: rapid.SampledFrom([]string{"", "mail", "post"}).Draw(t, "class"),
				Sent: at.Draw(t, "sent"),
			}
			o.Until = rapid.SampledFrom([]int64{0, o.Sent - dayMillis, o.Sent + 7*dayMillis, o.Sent + 60*dayMillis}).Draw(t, "until")
			o.Accepted = rapid.SampledFrom([]int64{0, 0, o.Sent - 1, o.Sent + dayMillis, o.Sent + 90*dayMillis}).Draw(t, "accepted")
			return o
		}), 0, 12).Draw(t, "offers"),
	}
}

// scores is everything that is read of a ledger.
type scores struct {
	Affinity Affinity
	Uplift   Uplift
	Offer    float64
	RFM      RFMValues
}

func (p *Population) scores(l *PriceLedger, now int64) (PriceCounts, scores) {
	counts := l.Counts(now, p.Decay())
	rfm, _ := l.RFM(now)
	return counts, scores{p.Affinity(&counts), p.Uplift(&counts), p.OfferProbability(&counts, "mail"), rfm}
}

// A1: shuffled, repeated, split and merged evidence gives the same counts and scores, to the last bit.
func TestLedgerHasNoOrder(t *testing.T) {
	p := population(t, example)
	rapid.Check(t, func(t *rapid.T) {
		whole := drawEvidence(t)
		ledger := whole.ledger()
		again := evidence{
			since:  whole.since,
			orders: rapid.Permutation(slices.Concat(whole.orders, whole.orders)).Draw(t, "orders, shuffled, twice"),
			offers: rapid.Permutation(slices.Concat(whole.offers, whole.offers)).Draw(t, "offers, shuffled, twice"),
		}
		a, b := rapid.IntRange(0, len(again.orders)).Draw(t, "split"), rapid.IntRange(0, len(again.offers)).Draw(t, "split")
		left := evidence{since: whole.since, orders: again.orders[:a], offers: again.offers[:b]}.ledger()
		right := evidence{orders: again.orders[a:], offers: again.offers[b:]}.ledger()
		merged, shuffled := right.Merge(&left), again.ledger()
		now := rapid.Int64Range(ago(1000), ago(-400)).Draw(t, "now")
		wantCounts, want := p.scores(&ledger, now)
		for name, other := range map[string]*PriceLedger{"shuffled, twice": &shuffled, "split and merged": &merged} {
			if counts, got := p.scores(other, now); counts != wantCounts || got != want {
				t.Fatalf("%s:\n%+v\n%+v\nwant\n%+v\n%+v", name, counts, got, wantCounts, want)
			}
		}
	})
}

// The counts are those of a naive reading, moment by moment for windows of whole days.
func TestCountsAreThoseOfANaiveReading(t *testing.T) {
	decay := NewDecay(0)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvidence(t)
		for i := range e.orders {
			e.orders[i].ID = fmt.Sprint("o", i)
		}
		for i := range e.offers { // whole days, so that a day is open or not
			o := &e.offers[i]
			o.ID = fmt.Sprint("f", i)
			o.Sent, o.Until, o.Accepted = day(o.Sent)*dayMillis, day(o.Until)*dayMillis, day(o.Accepted)*dayMillis
		}
		e.since = ago(1000)
		ledger := e.ledger()
		now := ago(rapid.Int64Range(0, 1000).Draw(t, "days ago"))
		counts := ledger.Counts(now, &decay)
		open := func(at int64) bool {
			return slices.ContainsFunc(e.offers, func(o Offer) bool { return o.start() <= at && at < o.end() })
		}
		var offered, unoffered Exposure
		for at := e.since; at < now; at += dayMillis {
			if open(at) {
				offered.Millis += dayMillis
			} else {
				unoffered.Millis += dayMillis
			}
		}
		var orders, reduced uint32
		days := map[int64]bool{}
		for _, o := range e.orders {
			if o.At > now {
				continue
			}
			orders++
			days[day(o.At)] = true
			if o.Discount > 0 || o.Coupon > 0 || o.Voucher {
				reduced++
			}
			if open(o.At) {
				offered.Orders++
			} else {
				unoffered.Orders++
			}
		}
		if counts.Offered != offered || counts.Unoffered != unoffered || counts.Reductions.Of != orders || counts.Reductions.Won != reduced || int(counts.Occasions) != len(days) {
			t.Fatalf("%+v, want %+v, %+v, %d of %d orders, %d days", counts, offered, unoffered, reduced, orders, len(days))
		}
	})
}

// A2: no score is NaN, infinite or out of its range, whatever the evidence, the clock and the parameters.
func TestScoresAreDefined(t *testing.T) {
	extreme := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, math.MinInt64, math.MaxInt64, today0}))
	rapid.Check(t, func(t *rapid.T) {
		var parameters AffinityParameters
		if rapid.Bool().Draw(t, "measured") {
			positive := rapid.Float64Range(betaMin, betaMax)
			parameters = AffinityParameters{
				HalfLife: rapid.IntRange(1, 400).Draw(t, "half-life"), OffersKnown: rapid.Bool().Draw(t, "offers known"),
				Offers:     Beta{positive.Draw(t, "a"), positive.Draw(t, "b")},
				Coupons:    Beta{positive.Draw(t, "a"), positive.Draw(t, "b")},
				Reductions: Beta{positive.Draw(t, "a"), positive.Draw(t, "b")},
				Classes:    map[string]float64{"mail": rapid.Float64Range(betaMin, 1-betaMin).Draw(t, "class")},
				Intercept:  rapid.Float64Range(-50, 50).Draw(t, "intercept"),
				Depth:      rapid.Float64Range(0, 1).Draw(t, "depth"), DepthWeight: rapid.Float64Range(1e-9, 1e18).Draw(t, "weight"),
				Lift:              rapid.Float64Range(1/liftMax, liftMax).Draw(t, "lift"),
				LiftConcentration: rapid.Float64Range(liftConcentrationMin, liftConcentrationMax).Draw(t, "concentration"),
			}
		}
		p, err := NewPopulation(parameters)
		if err != nil {
			t.Fatal(err)
		}
		e := evidence{since: extreme.Draw(t, "since")}
		for i := range rapid.IntRange(0, 5).Draw(t, "orders") {
			e.orders = append(e.orders, PricedOrder{
				ID: fmt.Sprint(i), At: extreme.Draw(t, "at"), Gross: extreme.Draw(t, "gross"), Discount: extreme.Draw(t, "discount"), Coupon: extreme.Draw(t, "coupon"),
			})
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "offers") {
			e.offers = append(e.offers, Offer{ID: fmt.Sprint(i), Sent: extreme.Draw(t, "sent"), Until: extreme.Draw(t, "until"), Accepted: extreme.Draw(t, "accepted")})
		}
		ledger := e.ledger()
		_, s := p.scores(&ledger, extreme.Draw(t, "now"))
		for name, v := range map[string]float64{"score": s.Affinity.Score, "depth": s.Affinity.Depth, "offer": s.Offer} {
			if !(v >= 0 && v <= 1) {
				t.Errorf("%s is %v", name, v)
			}
		}
		if math.IsNaN(s.Affinity.Evidence) || math.IsInf(s.Affinity.Evidence, 0) || !(s.Uplift.Ratio > 0) || math.IsInf(s.Uplift.Ratio, 0) || s.RFM.Money < 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Changes that must move a score, and changes that must not.
func TestAffinityRelations(t *testing.T) {
	p := population(t, example)
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvidence(t)
		e.since = ago(1000)
		ledger := e.ledger()
		counts, was := p.scores(&ledger, today0)
		with := func(offer Offer) (PriceCounts, scores) {
			more := evidence{since: e.since, orders: e.orders, offers: append(slices.Clone(e.offers), offer)}.ledger()
			return p.scores(&more, today0)
		}
		days := rapid.Int64Range(1, 800).Draw(t, "days")
		if _, more := with(Offer{ID: "new", Sent: ago(days + 1), Until: today0, Accepted: ago(days)}); more.Affinity.Score <= was.Affinity.Score {
			t.Fatalf("one more accepted offer: %v after %v", more.Affinity.Score, was.Affinity.Score)
		}
		if _, more := with(Offer{ID: "new", Sent: ago(days + 1), Until: ago(days)}); more.Affinity.Score >= was.Affinity.Score {
			t.Fatalf("one more refused offer: %v after %v", more.Affinity.Score, was.Affinity.Score)
		}
		if open, more := with(Offer{ID: "new", Sent: ago(days), Until: today0 + 1}); more.Affinity != was.Affinity || open.Offers != counts.Offers {
			t.Fatalf("an offer that is open: %+v after %+v", more.Affinity, was.Affinity)
		}
		factor := rapid.Int64Range(2, 1000).Draw(t, "factor")
		rich := evidence{since: e.since, orders: slices.Clone(e.orders), offers: e.offers}
		for i := range rich.orders {
			o := &rich.orders[i]
			o.Gross, o.Discount, o.Coupon = factor*o.Gross, factor*o.Discount, factor*o.Coupon
		}
		scaled := example
		scaled.DepthWeight *= float64(factor)
		richLedger := rich.ledger()
		_, more := mustPopulation(scaled).scores(&richLedger, today0)
		if math.Abs(more.Affinity.Depth-was.Affinity.Depth) > 1e-12 {
			t.Fatalf("depth %v of money times %d, was %v", more.Affinity.Depth, factor, was.Affinity.Depth)
		}
		more.Affinity.Depth = was.Affinity.Depth
		if more.Affinity != was.Affinity || more.Uplift != was.Uplift || more.Offer != was.Offer {
			t.Fatalf("money times %d: %+v after %+v", factor, more, was)
		}
	})
}

// mustPopulation is for where there is no testing.TB.
func mustPopulation(p AffinityParameters) *Population {
	made, err := NewPopulation(p)
	if err != nil {
		panic(err)
	}
	return made
}

// A3: samples of parts of the customers add up to the sample of all, exactly, and so do calibrations.
func TestSamplesAddUp(t *testing.T) {
	p := population(t, example)
	rapid.Check(t, func(t *rapid.T) {
		var whole, left, right AffinitySample
		var wholeOffers, leftOffers, rightOffers Calibration
		for range rapid.IntRange(0, 12).Draw(t, "customers") {
			ledger := drawEvidence(t).ledger()
			whole.Add(&ledger, today0, p.Decay())
			wholeOffers.Add(p, &ledger, today0)
			half, halfOffers := &left, &leftOffers
			if rapid.Bool().Draw(t, "right") {
				half, halfOffers = &right, &rightOffers
			}
			half.Add(&ledger, today0, p.Decay())
			halfOffers.Add(p, &ledger, today0)
		}
		right.Merge(&left)
		rightOffers.Merge(&leftOffers)
		if whole.customers > 0 && !reflect.DeepEqual(right, whole) {
			t.Fatalf("merged %+v\nwhole  %+v", right, whole)
		}
		if !slices.Equal(rightOffers.newest(), wholeOffers.newest()) {
			t.Fatalf("merged %+v\nwhole  %+v", rightOffers.newest(), wholeOffers.newest())
		}
	})
}
