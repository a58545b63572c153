package ask

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
)

// scoresTable lists the scores, each with the reasons for its value. Scores of orders are left out before the first
// order. An uplift without data of the customer's own is marked as that of the population, so that nobody reads it as
// personal.
func scoresTable(w io.Writer, s *document.Scores) {
	var t cli.Table
	if s.OrderDays > 0 {
		t.Row("lifetime value", fmt.Sprintf("%s %s: %.2f orders of %s", s.CLV, s.Currency, s.ExpectedOrders, s.OrderValue), s.Reasons.Lifetime)
		t.Row("still a customer", percent(s.PAlive), "churn risk "+percent(s.ChurnRisk))
		t.Row("buys in 30 days", percent(s.PBuy30d), rhythm(s))
		if s.RFM != nil {
			t.Row("RFM", fmt.Sprintf("%d-%d-%d", s.RFM.Recency, s.RFM.Frequency, s.RFM.Money), "recency, frequency, money; 5 is the best fifth")
		}
	} else {
		t.Row("lifetime value", "none yet", s.Reasons.Lifetime)
	}
	a := &s.DiscountAffinity
	t.Row("discount affinity", a.Band+", "+percent(a.Score), strings.Join(a.Reasons, "; "))
	uplift := "of the population: no data on this customer"
	if s.Uplift.Own {
		uplift = "order rate with an offer open, relative to the rate without"
	}
	t.Row("offer accepted", percent(s.OfferProbability))
	t.Row("uplift", fmt.Sprintf("%.2f", s.Uplift.Ratio), uplift)
	for i, interest := range s.Interests {
		label := ""
		if i == 0 {
			label = "interests"
		}
		t.Row(label, cli.Printable(interest.Category)+" "+percent(interest.Share), fmt.Sprintf("%.1f times as much as others", interest.Lift))
	}
	parameters := fmt.Sprintf("version %d", s.Version)
	if s.Version == 0 {
		parameters = "cold start: run kindred score fit to fit them"
	}
	t.Row("parameters", parameters, "as of "+cli.When(s.AsOf))
	t.Write(w, "  ")
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// rhythm is the mean time between days with an order; empty before the second.
func rhythm(s *document.Scores) string {
	if s.DaysBetween == 0 {
		return ""
	}
	return fmt.Sprintf("an order every %.0f days so far", s.DaysBetween)
}
