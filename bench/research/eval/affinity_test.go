package eval

import (
	"math"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/research/publicdata"
)

func readJourney(t *testing.T) *Journey {
	t.Helper()
	j, err := ReadJourney(publicdata.Dir(t))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func ms(year int, month time.Month, day int) int64 {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).UnixMilli()
}

// judged compares rows with the reference, at its printed digits. The rows of other methods must agree, which shows that the
// protocol is that of the reference. Our row must not be worse.
func judged(t *testing.T, got []DiscountRow, want []DiscountRow, ours map[string]bool) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i, g := range got {
		w := want[i]
		t.Logf("%-22s AUC %.4f (reference %.4f)  within campaigns %.4f (%.4f)  log-loss %.4f (%.4f)", g.Name, g.AUC, w.AUC, g.Within, w.Within, g.LogLoss, w.LogLoss)
		for _, f := range []struct {
			name      string
			got, want float64
			better    float64 // +1: more is better
			step      float64 // half the reference's last digit
		}{{"AUC", g.AUC, w.AUC, 1, 0.0005}, {"AUC within campaigns", g.Within, w.Within, 1, 0.0005}, {"log-loss", g.LogLoss, w.LogLoss, -1, 0.0005}} {
			switch {
			case ours[g.Name]:
				if !((f.got-f.want)*f.better >= -f.step) {
					t.Errorf("%s of %s: %.4f, the reference has %.4f", f.name, g.Name, f.got, f.want)
				}
			case !(math.Abs(f.got-f.want) <= 0.002):
				t.Errorf("%s of %s: %.4f, the reference has %.4f: the protocol differs", f.name, g.Name, f.got, f.want)
			}
		}
	}
}

func TestReducedLines(t *testing.T) {
	rows, err := readJourney(t).Reduced(ms(2017, 8, 1))
	if err != nil {
		t.Fatal(err)
	}
	judged(t, rows, []DiscountRow{
		{Name: "constant", AUC: 0.5, LogLoss: 0.6934},
		{Name: "raw share", AUC: 0.5705, LogLoss: 0.7366},
		{Name: "affinity", AUC: 0.5720, LogLoss: 0.6853},
	}, map[string]bool{"affinity": true})
}

func TestRedeemedCampaigns(t *testing.T) {
	rows, err := readJourney(t).Redeems(ms(2017, 5, 1))
	if err != nil {
		t.Fatal(err)
	}
	judged(t, rows, []DiscountRow{
		{Name: "raw redeem share", AUC: 0.683, Within: 0.694},
		{Name: "affinity", AUC: 0.702, Within: 0.728, LogLoss: 0.372},
		{Name: "affinity + class base", AUC: 0.743, Within: 0.728, LogLoss: 0.351},
		{Name: "offer probability", AUC: 0.765, Within: 0.776, LogLoss: 0.347},
	}, map[string]bool{"affinity": true, "affinity + class base": true, "offer probability": true})
}

// Predictions .1 .4 .4 .8 with outcomes no, no, yes, yes: of four pairs three are right and one is a tie.
func TestAUCByHand(t *testing.T) {
	if got := auc([]bool{false, false, true, true}, []float64{0.1, 0.4, 0.4, 0.8}); got != 3.5/4 {
		t.Errorf("%v, want %v", got, 3.5/4)
	}
}

// Offer probabilities are calibrated overall: about as many offers are redeemed as predicted.
func TestOfferCalibration(t *testing.T) {
	groups, err := readJourney(t).Calibrated(ms(2017, 5, 1), 10)
	if err != nil {
		t.Fatal(err)
	}
	var offers, predicted, redeemed float64
	for _, g := range groups {
		t.Logf("%d offers: %.3f foretold, %.3f redeemed", g.Size, g.Predicted, g.Happened)
		offers += float64(g.Size)
		predicted += float64(g.Size) * g.Predicted
		redeemed += float64(g.Size) * g.Happened
	}
	t.Logf("%.0f offers: %.0f foretold to be redeemed, %.0f were", offers, predicted, redeemed)
	if !(math.Abs(predicted/redeemed-1) < 0.2) {
		t.Errorf("%.1f redemptions were foretold, and %.0f came", predicted, redeemed)
	}
}
