package score

import (
	"errors"
	"math"
	"testing"
)

// The chance of a purchase within t, put the other way round: the customer left first, or neither
// left nor bought.
func TestParetoNBDBuysWithin(t *testing.T) {
	for _, h := range []History{{}, {T: 38.86}, {X: 2, Tx: 30.43, T: 38.86}, {X: 26, Tx: 30.86, T: 31}} {
		for _, weeks := range []float64{0.5, 13, 52} {
			a, b, m := cdnow.Alpha+h.T, cdnow.Beta+h.T, cdnow.R+h.X
			left := simpson(func(u float64) float64 {
				return cdnow.S / (b + u) * math.Pow(b/(b+u), cdnow.S) * math.Pow(a/(a+u), m)
			}, 0, weeks)
			neither := math.Pow(b/(b+weeks), cdnow.S) * math.Pow(a/(a+weeks), m)
			near(t, "BuysWithin", cdnow.BuysWithin(h, weeks), cdnow.Alive(h)*(1-left-neither), 1e-9)
		}
	}
}

// Discounting at no rate is not discounting, and at a small one nearly so.
func TestDiscountedNearsOrders(t *testing.T) {
	none, errNone := NewDiscount(0, 52)
	little, errLittle := NewDiscount(1e-9, 52)
	if err := errors.Join(errNone, errLittle); err != nil {
		t.Fatal(err)
	}
	h := History{X: 2, Tx: 30.43, T: 38.86}
	for _, m := range []Model{publishedPareto, publishedBG, MBGNBD{R: 0.525, Alpha: 6.183, A: 0.891, B: 1.614}, NBD{R: 0.385, Alpha: 12}, publishedBGBB} {
		near(t, "no discount", m.Discounted(h, none), m.Orders(h, 52), 0)
		near(t, "little discount", m.Discounted(h, little), m.Orders(h, 52), 1e-7)
	}
}

// What BG/BB says of the future follows from the chances of histories, by enumeration.
func TestBGBBAgainstEnumeration(t *testing.T) {
	// The chances of all histories of n opportunities sum to 1: each (x, tx) stands for as many as
	// there are ways to place x-1 purchases before the last.
	m := publishedBGBB
	for n := range 8 {
		sum := math.Exp(m.LogLikelihood(History{T: float64(n)}))
		for tx := 1; tx <= n; tx++ {
			for x := 1; x <= tx; x++ {
				ways := math.Exp(lnRising(float64(tx-x)+1, float64(x-1)) - lnGamma(float64(x)))
				sum += ways * math.Exp(m.LogLikelihood(History{X: float64(x), Tx: float64(tx), T: float64(n)}))
			}
		}
		near(t, "chances of all histories", sum, 1, 1e-12)
	}
	for _, h := range []History{{T: 6}, {X: 2, Tx: 4, T: 6}, {X: 6, Tx: 6, T: 6}} {
		bought := History{X: h.X + 1, Tx: h.T + 1, T: h.T + 1}
		next := math.Exp(m.LogLikelihood(bought) - m.LogLikelihood(h))
		near(t, "a purchase at the next opportunity", m.Orders(h, 1), next, 1e-12)
		near(t, "or at least one", m.BuysWithin(h, 1.9), next, 1e-12)
		waited := History{X: h.X, Tx: h.Tx, T: h.T + 1}
		waits := math.Exp(m.LogLikelihood(waited) - m.LogLikelihood(h))
		near(t, "purchases at the next three", m.Orders(h, 3), next*(1+m.Orders(bought, 2))+waits*m.Orders(waited, 2), 1e-12)
		near(t, "at least one of the next three", m.BuysWithin(h, 3), next+waits*m.BuysWithin(waited, 2), 1e-12)
		soon, err := NewDiscount(0.1, 2)
		if err != nil {
			t.Fatal(err)
		}
		want := math.Exp(-0.1)*next + math.Exp(-0.2)*(m.Orders(h, 2)-m.Orders(h, 1))
		near(t, "discounted", m.Discounted(h, soon), want, 1e-12)
	}
	long := History{X: 30000, Tx: 30000, T: 60000}
	if ll := m.LogLikelihood(long); math.IsInf(ll, 0) || math.IsNaN(ll) {
		t.Errorf("log-likelihood of %v is %v", long, ll)
	}
}

// The distribution of purchases sums to 1 and has the mean that Orders says.
func TestBGNBDCount(t *testing.T) {
	for _, weeks := range []float64{1, 39} {
		sum, mean := 0.0, 0.0
		for n := range 3000 {
			p := publishedBG.Count(n, weeks)
			sum += p
			mean += float64(n) * p
		}
		near(t, "sum", sum, 1, 1e-9)
		near(t, "mean", mean, publishedBG.Orders(History{}, weeks), 1e-9)
	}
	if p := publishedBG.Count(0, 0); p != 1 {
		t.Errorf("no purchase in no time: chance %v, want 1", p)
	}
}

func TestParametersAreChecked(t *testing.T) {
	for _, m := range []interface{ Validate() error }{
		ParetoNBD{R: 1, Alpha: 1, S: 1},
		ParetoNBD{R: -1, Alpha: 1, S: 1, Beta: 1},
		BGNBD{R: 1, Alpha: math.NaN(), A: 1, B: 1},
		MBGNBD{R: 1, Alpha: 1, A: math.Inf(1), B: 1},
		NBD{R: 1},
		BGBB{Alpha: 1, Beta: 1, Gamma: 1},
		GammaGamma{P: 1, Q: 1, Gamma: 1},
	} {
		if err := m.Validate(); !errors.Is(err, errParameter) {
			t.Errorf("%#v: %v, want %v", m, err, errParameter)
		}
	}
}

func TestTermsAreChecked(t *testing.T) {
	spend := GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}
	for _, terms := range []Terms{
		{Margin: 1.5},
		{Margin: -1},
		{Margin: math.NaN()},
		{HorizonDays: -1},
		{HorizonDays: math.NaN()},
		{HorizonDays: math.Inf(1)},
		{AnnualDiscount: -0.1},
		{AnnualDiscount: math.NaN()},
		{AnnualDiscount: math.Inf(1)},
		{AnnualDiscount: 15}, // per cent
	} {
		if _, err := newCLV(cdnow, spend, terms); !errors.Is(err, errTerms) {
			t.Errorf("%+v: %v, want %v", terms, err, errTerms)
		}
	}
	for _, whole := range []Terms{{}, {Margin: 1}, {HorizonDays: 365}} { // 0 stands for itself
		if err := whole.Check(); !errors.Is(err, errTerms) {
			t.Errorf("%+v: %v, want %v", whole, err, errTerms)
		}
	}
	if err := (Terms{}).WithDefaults().Check(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	if _, err := newCLV(ParetoNBD{}, spend, Terms{}); !errors.Is(err, errParameter) {
		t.Errorf("no model: %v", err)
	}
	if _, err := newCLV(cdnow, GammaGamma{}, Terms{}); !errors.Is(err, errParameter) {
		t.Errorf("no spend: %v", err)
	}
}

// CLV by hand: customer 1 of CDNOW, 3 occasions of 23.50 on the average. (6.25·(15.44+3·23.50))/(6.25·3+2.74)
// is 24.99534 a purchase, and 365/7 weeks bring 1.79746 of them.
func TestCLV(t *testing.T) {
	h := History{X: 2, Tx: 30.43, T: 38.86, N: 3, Z: 2350}
	spend := GammaGamma{P: 6.25, Q: 3.74, Gamma: 1544}
	plain, err := newCLV(cdnow, spend, Terms{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "value of a purchase", spend.Mean(3, 2350), 6.25*(1544+3*2350)/(6.25*3+2.74), 1e-15)
	near(t, "a year", plain.Value(h), spend.Mean(3, 2350)*cdnow.Orders(h, 365.0/7), 1e-15)
	half, err := newCLV(cdnow, spend, Terms{Margin: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "half the margin", half.Value(h), plain.Value(h)/2, 1e-15)
	discounted, err := newCLV(cdnow, spend, Terms{AnnualDiscount: 0.15, HorizonDays: math.Inf(1)})
	if err != nil {
		t.Fatal(err)
	}
	forever, err := NewDiscount(math.Log(1.15)/(365.25/7), math.Inf(1)) // 0.00268 a week
	if err != nil {
		t.Fatal(err)
	}
	near(t, "for ever", discounted.Value(h), spend.Mean(3, 2350)*cdnow.Discounted(h, forever), 1e-15)
	if v := plain.Value(History{}); v != 0 {
		t.Errorf("value of no customer: %v, want 0", v)
	}
	near(t, "a new customer", plain.NewCustomer(), spend.Population()*cdnow.Orders(History{}, 365.0/7), 1e-15)
}
