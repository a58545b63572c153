package score

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
)

// The intercept makes the sum of the predictions the number of acceptances: with predictions of even odds and 3 of 4 accepted
// it is near ln 3. A prior takes some of it: the root of 4σ(b) + b = 3 is 0.5052, of 4000σ(b) + b = 3000 it is 1.0971.
func TestCalibrationByHand(t *testing.T) {
	p := population(t, AffinityParameters{OffersKnown: true, Classes: map[string]float64{"mail": 0.5}})
	for customers, want := range map[int]float64{1: 0.5052, 1000: 1.0971} {
		var c Calibration
		for range customers {
			// All four are sent at once, at the first sight: nothing is known of the customer then, and the rate is that
			// of the population.
			var offers []Offer
			for k, accepted := range []int64{1, 1, 1, 0} {
				offers = append(offers, Offer{ID: string(rune('a' + k)), Class: "mail", Sent: ago(30), Until: ago(20), Accepted: accepted * ago(25)})
			}
			offers = append(offers, Offer{ID: "open", Class: "mail", Sent: ago(1), Until: ago(-1), Accepted: ago(1)})
			ledger := NewPriceLedger(0, nil, offers)
			c.Add(p, &ledger, today0)
		}
		if c.Offers() != 4*customers {
			t.Fatalf("%d offers of %d customers", c.Offers(), customers)
		}
		near(t, "intercept", c.Intercept(), want, 1e-4)
	}
	if b := (&Calibration{}).Intercept(); math.Abs(b) > 1e-12 {
		t.Errorf("without offers %v, want 0", b)
	}
}

// Of more than it holds, a calibration keeps the newest, in whatever order they come.
func TestCalibrationKeepsTheNewest(t *testing.T) {
	p := population(t, AffinityParameters{OffersKnown: true})
	add := func(c *Calibration, i int) {
		ledger := NewPriceLedger(0, nil, []Offer{{ID: "a", Sent: ago(int64(i + 1)), Until: ago(int64(i)) + 1}})
		c.Add(p, &ledger, today0+1)
	}
	var forward, backward, left, right Calibration
	const offers = 2*calibrationMax + 500
	for i := range offers {
		add(&forward, i)
		add(&backward, offers-1-i)
		if i%2 == 0 {
			add(&left, i)
		} else {
			add(&right, i)
		}
	}
	left.Merge(&right)
	for name, c := range map[string]*Calibration{"forward": &forward, "backward": &backward, "merged": &left} {
		newest := c.newest()
		if c.Offers() != calibrationMax || newest[0].at != today0+1 || newest[calibrationMax-1].at != ago(calibrationMax-1)+1 {
			t.Errorf("%s: %d offers from %d to %d", name, c.Offers(), newest[0].at, newest[c.Offers()-1].at)
		}
	}
}

// A mailing closes for all at once: where the newest offers end within it, all of it counts, so that which part does is no
// matter of what the customers are called.
func TestCalibrationTakesAMailingWhole(t *testing.T) {
	p := population(t, AffinityParameters{OffersKnown: true})
	var c Calibration
	const mailing = calibrationMax + 700
	for range mailing {
		ledger := NewPriceLedger(0, nil, []Offer{{ID: "a", Sent: ago(30), Until: ago(20)}, {ID: "older", Sent: ago(50), Until: ago(40)}})
		c.Add(p, &ledger, today0)
	}
	if got := c.Offers(); got != mailing {
		t.Errorf("%d offers, want %d", got, mailing)
	}
}

// A shop is simulated whose parameters are known, and fitted.
func TestFitRecoversParameters(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	decay := NewDecay(0)
	var s AffinitySample
	for range 4000 {
		accepts, reduces := beta(rng, 1.4, 8.6), beta(rng, 6, 4)
		var orders []PricedOrder
		var offers []Offer
		for i := range 12 {
			o := PricedOrder{ID: string(rune('a' + i)), At: ago(int64(30 * i)), Gross: 2000}
			if rng.Float64() < reduces {
				o.Discount = 500
			}
			orders = append(orders, o)
			f := Offer{ID: o.ID, Class: "post", Sent: o.At - dayMillis, Until: o.At}
			if rng.Float64() < accepts {
				f.Accepted = o.At - 1
			}
			offers = append(offers, f)
		}
		ledger := NewPriceLedger(0, orders, offers)
		s.Add(&ledger, today0, &decay)
	}
	p, err := s.Fit(fitBeta)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "mean of offers", p.Offers.Mean(), 0.14, 0.05)
	near(t, "concentration of offers", p.Offers.A+p.Offers.B, 10, 0.1)
	near(t, "mean of reductions", p.Reductions.Mean(), 0.6, 0.03)
	near(t, "concentration of reductions", p.Reductions.A+p.Reductions.B, 10, 0.1)
	near(t, "rate of the class", p.Classes["post"], 0.14, 0.05)
	near(t, "depth", p.Depth, 0.25, 1e-12)
	near(t, "weight of depth", p.DepthWeight, 3*2000, 1e-12)
	if !p.OffersKnown {
		t.Error("offers are not known")
	}
	if _, err := NewPopulation(p); err != nil {
		t.Error(err)
	}
}

func TestFitOfTooFewKeepsColdStart(t *testing.T) {
	decay := NewDecay(0)
	var s AffinitySample
	p, err := s.Fit(fitBeta)
	if err != nil {
		t.Fatal(err)
	}
	population(t, p)
	ledger := exampleLedger()
	for range fitMin - 1 {
		s.Add(&ledger, today0+minute, &decay)
	}
	p, err = s.Fit(func([]TrialCell) (Beta, error) { return Beta{}, errors.New("fitted") })
	if err != nil || p.OffersKnown {
		t.Errorf("%v, offers known %v, from %d customers", err, p.OffersKnown, s.Customers())
	}
	s.Add(&ledger, today0+minute, &decay)
	if _, err = s.Fit(func([]TrialCell) (Beta, error) { return Beta{}, errors.New("fitted") }); err == nil {
		t.Error("the fitter's error is lost")
	}
}

// An offer that was accepted and is still open must not count for the population: the silent ones do not either.
func TestSampleLeavesOpenOffersOut(t *testing.T) {
	decay := NewDecay(0)
	var s AffinitySample
	ledger := NewPriceLedger(0, nil, []Offer{{ID: "a", Class: "mail", Sent: ago(5), Until: ago(-5), Accepted: ago(4)}, {ID: "b", Class: "mail", Sent: ago(9), Until: ago(5)}})
	s.Add(&ledger, today0, &decay)
	if cells := s.Offers.Cells(); len(cells) != 1 || cells[0] != (TrialCell{Of: 1, Customers: 1}) || s.classes["mail"] != (classTrials{Of: 1}) {
		t.Errorf("cells %+v, class %+v, want one refused offer", cells, s.classes["mail"])
	}
}

// fitBeta is a slow maximum for tests: the best mean for each concentration, and the best concentration.
func fitBeta(cells []TrialCell) (Beta, error) {
	likelihood := func(logK, logitMean float64) float64 {
		a, b, sum := math.Exp(logK)*sigmoid(logitMean), math.Exp(logK)*sigmoid(-logitMean), 0.0
		for _, c := range cells {
			sum += float64(c.Customers) * BetaBinomialLogLikelihood(a, b, float64(c.Of), float64(c.Won))
		}
		return sum
	}
	mean := func(logK float64) float64 {
		return maximise(func(m float64) float64 { return likelihood(logK, m) }, -8, 8)
	}
	logK := maximise(func(logK float64) float64 { return likelihood(logK, mean(logK)) }, math.Log(0.01), math.Log(3000))
	m := mean(logK)
	return Beta{A: math.Exp(logK) * sigmoid(m), B: math.Exp(logK) * sigmoid(-m)}, nil
}
