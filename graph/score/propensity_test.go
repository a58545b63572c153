package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func conversion(t testing.TB, p ConversionParameters) *Conversion {
	t.Helper()
	m, err := NewConversion(p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Beta(1, 9), and 3 of 10 sessions of the current period converted: (1+3)/(10+10) = 1/5, log-odds ln(4/16). A cart adds ln 3:
// odds 3/4; seven views add ln 8 / ln 2 × ln 2 with a coefficient of 1: odds 8 times as high.
func TestPropensityByHand(t *testing.T) {
	var c SessionCounts
	now := int64(20000/30*30+15) * dayMillis // the middle of a period, where its evidence has not faded
	c.Add(now-dayMillis, 6, 2)
	c.Add(now, 4, 1)
	near(t, "no coefficients", conversion(t, ConversionParameters{Sessions: Beta{A: 1, B: 9}}).Propensity(&c, Session{Cart: true, Views: 7, SinceLast: dayMillis}, now), 0.2, 1e-12)
	m := conversion(t, ConversionParameters{Sessions: Beta{A: 1, B: 9}, Cart: math.Log(3), Views: 1, Absence: -1})
	near(t, "cart", m.Propensity(&c, Session{Cart: true}, now), 3.0/7, 1e-12)
	near(t, "views", m.Propensity(&c, Session{Views: 7}, now), 2.0/3, 1e-12)
	near(t, "absence", m.Propensity(&c, Session{SinceLast: dayMillis}, now), 1.0/9, 1e-12)
	// A year later half of the evidence is left: 1.5 of 5 sessions.
	near(t, "faded", m.Propensity(&c, Session{}, now+365*dayMillis), 2.5/15, 1e-4)
}

func TestPropensityHasNoOrderAndIsDefined(t *testing.T) {
	m := conversion(t, ConversionParameters{Cart: 20, Views: -20, Absence: 20})
	rapid.Check(t, func(t *rapid.T) {
		var whole, left, right SessionCounts
		for range rapid.IntRange(0, 300).Draw(t, "additions") {
			at := rapid.Int64().Draw(t, "at")
			sessions, conversions := rapid.Uint32().Draw(t, "sessions"), rapid.Uint32().Draw(t, "conversions")
			whole.Add(at, sessions, conversions)
			if rapid.Bool().Draw(t, "left") {
				left.Add(at, sessions, conversions)
			} else {
				right.Add(at, sessions, conversions)
			}
		}
		right.Merge(&left)
		now := rapid.Int64().Draw(t, "now")
		s := Session{Cart: rapid.Bool().Draw(t, "cart"), Views: rapid.Uint32().Draw(t, "views"), SinceLast: rapid.Int64().Draw(t, "since")}
		p, q := m.Propensity(&whole, s, now), m.Propensity(&right, s, now)
		if p != q || !(p >= 0 && p <= 1) {
			t.Fatalf("whole %v, merged %v", p, q)
		}
		if len(whole.cells) > sessionCellsMax {
			t.Fatalf("%d periods", len(whole.cells))
		}
	})
}

func TestConversionRefusesAbsurdParameters(t *testing.T) {
	for name, p := range map[string]ConversionParameters{
		"half-life": {HalfLife: -1}, "beta": {Sessions: Beta{A: 1}}, "cart": {Cart: math.NaN()}, "views": {Views: 21}, "absence": {Absence: math.Inf(1)},
	} {
		if _, err := NewConversion(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
