package score

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRFMByHand(t *testing.T) {
	// Day 20000 lies in period 666, which began on day 19980; the window is periods 654 to 666, from day 19620, 380 days ago.
	ledger := NewPriceLedger(0, []PricedOrder{
		{ID: "1", At: ago(381), Gross: 100},
		{ID: "2", At: ago(380), Gross: 200, Discount: 50},
		{ID: "3", At: ago(7), Gross: 300, Discount: 400},
		{ID: "4", At: ago(-1), Gross: 500},
	}, nil)
	v, ok := ledger.RFM(today0)
	if want := (RFMValues{Days: 7, Count: 2, Money: 150}); !ok || v != want {
		t.Errorf("%+v, want %+v", v, want)
	}
	if _, ok := ledger.RFM(ago(400)); ok {
		t.Error("a customer before the first order")
	}
}

// Of ten customers, the edges are the 2nd, 4th, 6th and 8th smallest values.
func TestRFMScore(t *testing.T) {
	var sample []RFMValues
	for i := range 10 {
		sample = append(sample, RFMValues{Days: int64(10 * (i + 1)), Count: uint32(1 + i/8), Money: int64(100 * i)})
	}
	edges, err := NewRFMEdges(sample)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		v    RFMValues
		want RFM
	}{
		{RFMValues{Days: 0, Count: 0, Money: -5}, RFM{5, 1, 1}},
		{RFMValues{Days: 20, Count: 1, Money: 100}, RFM{5, 1, 1}},
		{RFMValues{Days: 21, Count: 2, Money: 101}, RFM{4, 5, 2}}, // eight of ten bought once: all edges are 1
		{RFMValues{Days: 80, Count: 9, Money: 700}, RFM{2, 5, 4}},
		{RFMValues{Days: 81, Count: 9, Money: 701}, RFM{1, 5, 5}},
	} {
		if got := edges.Score(c.v); got != c.want {
			t.Errorf("%+v: %+v, want %+v", c.v, got, c.want)
		}
	}
	if _, err := NewRFMEdges(nil); err == nil {
		t.Error("edges of nobody")
	}
}

func TestRFMEdgesHaveNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sample := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) RFMValues {
			return RFMValues{Days: rapid.Int64().Draw(t, "days"), Count: rapid.Uint32().Draw(t, "count"), Money: rapid.Int64().Draw(t, "money")}
		}), 1, 30).Draw(t, "sample")
		a, _ := NewRFMEdges(sample)
		b, _ := NewRFMEdges(rapid.Permutation(sample).Draw(t, "shuffled"))
		if a != b {
			t.Fatalf("%+v and %+v", a, b)
		}
		// A better customer never scores less.
		v := rapid.SampledFrom(sample).Draw(t, "customer")
		better := v
		better.Count |= 1 << 31
		if got, was := a.Score(better), a.Score(v); got.Frequency < was.Frequency || got.Recency != was.Recency || got.Money != was.Money {
			t.Fatalf("%+v scores %+v, %+v scores %+v", v, was, better, got)
		}
	})
}
