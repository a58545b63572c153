package score

import (
	"fmt"
	"testing"
)

// ordinary is a customer with so many orders and offers, twice as many categories as orders, over two years.
func ordinary(orders, offers int) (PriceLedger, InterestCounts) {
	var priced []PricedOrder
	var sent []Offer
	var c InterestCounts
	for i := range orders {
		at := ago(int64(700 * i / orders))
		priced = append(priced, PricedOrder{ID: fmt.Sprint("order ", i), At: at, Gross: 4999, Discount: int64(i % 2 * 500), Voucher: i%4 == 1})
		c.Add(fmt.Sprint("category ", 2*i), at, 2)
		c.Add(fmt.Sprint("category ", 2*i+1), at, 1)
	}
	for i := range offers {
		at := ago(int64(700 * i / offers))
		o := Offer{ID: fmt.Sprint("offer ", i), Class: "mail", Sent: at, Until: at + 14*dayMillis}
		if i%3 == 0 {
			o.Accepted = at + dayMillis
		}
		sent = append(sent, o)
	}
	return NewPriceLedger(0, priced, sent), c
}

// BenchmarkProfile reads all of a customer's affinity scores.
func BenchmarkProfile(b *testing.B) {
	p := population(b, example)
	shop := interests(b, map[string]uint64{"category 1": 10, "category 2": 5, "category 7": 90}, 0)
	edges := RFMEdges{Days: [4]int64{7, 30, 90, 180}, Count: [4]int64{1, 2, 4, 8}, Money: [4]int64{1000, 5000, 10000, 50000}}
	for _, size := range []struct{ orders, offers int }{{0, 0}, {1, 1}, {10, 5}, {100, 50}} {
		ledger, c := ordinary(size.orders, size.offers)
		b.Run(fmt.Sprintf("orders=%d,offers=%d,categories=%d", size.orders, size.offers, c.Categories()), func(b *testing.B) {
			b.ReportAllocs()
			var top [10]Interest
			for b.Loop() {
				counts := ledger.Counts(today0, p.Decay())
				affinity, uplift := p.Affinity(&counts), p.Uplift(&counts)
				v, _ := ledger.RFM(today0)
				rfm := edges.Score(v)
				kept := shop.Top(top[:], &c, today0)
				if affinity.Score+uplift.Ratio == 0 || rfm.Recency > 5 || len(kept) > 10 {
					b.Fatal(affinity, uplift, rfm, kept)
				}
			}
		})
	}
}

// Nothing allocates while one customer's scores are read.
func TestScoresDoNotAllocate(t *testing.T) {
	p := population(t, example)
	shop := interests(t, nil, 0)
	ledger, c := ordinary(10, 5)
	var top [10]Interest
	var sum float64
	allocations := testing.AllocsPerRun(100, func() {
		counts := ledger.Counts(today0, p.Decay())
		v, _ := ledger.RFM(today0)
		sum += p.Affinity(&counts).Score + p.Uplift(&counts).Ratio + p.OfferProbability(&counts, "mail") + float64(v.Days) +
			shop.Top(top[:], &c, today0)[0].Share
	})
	if allocations != 0 || sum == 0 {
		t.Errorf("%v allocations", allocations)
	}
}
