package fit

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph/score"
)

// Populations that give the likelihood no peak must not stop the scores of everybody: nobody ever uses a coupon, everybody
// always does, all customers are alike, one order each.
func TestAffinityOfOneSidedPopulations(t *testing.T) {
	const day = 24 * 60 * 60 * 1000
	decay := score.NewDecay(0)
	for name, reduced := range map[string]func(customer, order int) bool{
		"never":        func(int, int) bool { return false },
		"always":       func(int, int) bool { return true },
		"all alike":    func(_, order int) bool { return order%2 == 0 },
		"all or none":  func(customer, _ int) bool { return customer%2 == 0 },
		"nearly never": func(customer, order int) bool { return customer == 0 && order == 0 },
	} {
		for _, orders := range []int{1, 2, 20} {
			var sample score.AffinitySample
			for customer := range 200 {
				var priced []score.PricedOrder
				for i := range orders {
					o := score.PricedOrder{ID: fmt.Sprint(i), At: int64(i+1) * day, Gross: 100}
					if reduced(customer, i) {
						o.Discount = 10
					}
					priced = append(priced, o)
				}
				ledger := score.NewPriceLedger(0, priced, nil)
				sample.Add(&ledger, 1000*day, &decay)
			}
			parameters, err := Affinity(&sample, Options{})
			if err != nil {
				t.Errorf("%s, %d orders: %v", name, orders, err)
				continue
			}
			if _, err := score.NewPopulation(parameters); err != nil {
				t.Errorf("%s, %d orders: %v", name, orders, err)
			}
			t.Logf("%s, %d orders: %+v", name, orders, parameters.Reductions)
		}
	}
}
