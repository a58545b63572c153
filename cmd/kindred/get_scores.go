package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/document"
)

// scoresTable lists the scores, each with what it was made of.
func scoresTable(w io.Writer, s *document.Scores) {
	var t table
	if s.OrderDays > 0 {
		t.row("lifetime value", fmt.Sprintf("%s %s: %.2f orders of %s", s.CLV, s.Currency, s.ExpectedOrders, s.OrderValue), s.Reasons.Lifetime)
		t.row("still a customer", percent(s.PAlive), "churn risk "+percent(s.ChurnRisk))
		t.row("buys in 30 days", percent(s.PBuy30d), rhythm(s))
		if s.RFM != nil {
			t.row("RFM", fmt.Sprintf("%d-%d-%d", s.RFM.Recency, s.RFM.Frequency, s.RFM.Money), "recency, frequency, money; 5 is the best fifth")
		}
	} else {
		t.row("lifetime value", "none yet", s.Reasons.Lifetime)
	}
	a := &s.DiscountAffinity
	t.row("discount affinity", a.Band+", "+percent(a.Score), strings.Join(a.Reasons, "; "))
	uplift := "of the population: nothing known of this customer"
	if s.Uplift.Own {
		uplift = "orders while an offer is open, over those while none is"
	}
	t.row("offer accepted", percent(s.OfferProbability))
	t.row("uplift", fmt.Sprintf("%.2f", s.Uplift.Ratio), uplift)
	for i, interest := range s.Interests {
		label := ""
		if i == 0 {
			label = "interests"
		}
		t.row(label, printable(interest.Category)+" "+percent(interest.Share), fmt.Sprintf("%.1f times as much as others", interest.Lift))
	}
	parameters := fmt.Sprintf("version %d", s.Version)
	if s.Version == 0 {
		parameters = "cold start: kindred score fit measures them"
	}
	t.row("parameters", parameters, "as of "+when(s.AsOf))
	t.write(w, "  ")
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

func rhythm(s *document.Scores) string {
	if s.DaysBetween == 0 {
		return ""
	}
	return fmt.Sprintf("an order every %.0f days so far", s.DaysBetween)
}
