package score_test

import (
	"fmt"
	"log"
	"time"

	"github.com/kindred-id/kindred/graph/score"
)

// Lifetime value follows from the days on which a customer ordered. Two customers ordered three times for 50.00 each: one a
// week ago, and one a year ago.
func ExampleScorer_Of() {
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{HorizonDays: 365, AnnualDiscount: 0.1})
	if err != nil {
		log.Fatal(err)
	}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, last := range []time.Time{now.AddDate(0, 0, -7), now.AddDate(-1, 0, 0)} {
		var customer score.Customer
		for i := range 3 {
			at := last.AddDate(0, 0, -30*i)
			customer.Purchases = append(customer.Purchases, score.Purchase{ID: at.String(), At: at.UnixMilli(), Net: 50_00})
		}
		scores := scorer.Of(&customer, now.UnixMilli())
		fmt.Printf("alive %.0f %%, worth %.2f\n", 100*scores.Alive, scores.CLV/100)
	}

	// Output:
	// alive 94 %, worth 177.33
	// alive 2 %, worth 1.49
}
