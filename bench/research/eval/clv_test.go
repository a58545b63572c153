package eval

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/kindred-id/kindred/bench/research/publicdata"
)

// reference holds the figures that an implementation must reach, as printed: an error must not exceed its figure, and a rank
// measure must not fall below it.
type reference struct{ mae, rmse, spearman, gini string }

// cdnowOrders and cdnowValue are the figures of a second implementation, in Python.
var cdnowOrders = map[string]reference{
	"x/T·t":      {"1.024", "2.212", "0.490", "0.666"},
	"BG/NBD":     {"0.7855", "1.6080", "0.4493", "0.6624"},
	"MBG/NBD":    {"0.7648", "1.6072", "0.4500", "0.6636"},
	"Pareto/NBD": {"0.7545", "1.6028", "0.4597", "0.6726"},
}

var cdnowValue = map[string]reference{
	"past spend / T·t":                {mae: "73.03", gini: "0.684"},
	"Gamma-Gamma, repeat orders only": {mae: "29.45", gini: "0.659"},
	"Gamma-Gamma, all orders":         {mae: "29.20", gini: "0.693"},
}

// Models fitted to data until 1997-09-30 predict 39 weeks for the whole CDNOW sample.
func TestCLVOnCDNOW(t *testing.T) {
	ledger, err := ReadCDNOW(publicdata.Open(t, "cdnow_sample.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cut, end := time.Date(1997, 9, 30, 0, 0, 0, 0, time.UTC), time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)
	customers := CutLedger(ledger, cut.UnixMilli(), end.UnixMilli())
	x, later := 0.0, 0.0
	for i := range customers {
		x += customers[i].History.X
		later += customers[i].Orders
	}
	if len(customers) != 2357 || x != 2457 || later != 1882 {
		t.Errorf("%d customers, %v repeat purchases, %v later; want 2357, 2457, 1882", len(customers), x, later)
	}
	report, err := EvaluateCLV(ledger, cut.UnixMilli(), end.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	if report.Weeks != 39 {
		t.Errorf("%v weeks, want 39", report.Weeks)
	}
	judge(t, "orders", report.Orders, cdnowOrders)
	judge(t, "value", report.Value, cdnowValue)
	var text strings.Builder
	for _, p := range report.Alive {
		fmt.Fprintf(&text, "AUC %.3f  %s\n", p.AUC, p.Name)
	}
	t.Logf("who buys again:\n%s", text.String())
}

// judge prints our figures beside the reference, and fails if one is worse.
func judge(t *testing.T, what string, predictions []Prediction, references map[string]reference) {
	t.Helper()
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tMAE\tref\tRMSE\tref\tSpearman\tref\tGini\tref\tAUC\n", what)
	for _, p := range predictions {
		r := references[p.Name]
		fmt.Fprintf(w, "%s\t%.4f\t%s\t%.4f\t%s\t%.4f\t%s\t%.4f\t%s\t%.3f\n", p.Name, p.MAE, r.mae, p.RMSE, r.rmse, p.Spearman, r.spearman, p.Gini, r.gini, p.AUC)
		for _, m := range []struct {
			name   string
			got    float64
			ref    string
			higher bool
		}{
			{"MAE", p.MAE, r.mae, false},
			{"RMSE", p.RMSE, r.rmse, false},
			{"Spearman", p.Spearman, r.spearman, true},
			{"Gini", p.Gini, r.gini, true},
		} {
			if m.ref == "" {
				continue
			}
			digits := len(m.ref) - strings.Index(m.ref, ".") - 1
			want, errWant := strconv.ParseFloat(m.ref, 64)
			got, errGot := strconv.ParseFloat(strconv.FormatFloat(m.got, 'f', digits, 64), 64)
			if err := errors.Join(errWant, errGot); err != nil {
				t.Fatal(err)
			}
			if m.higher && got < want || !m.higher && got > want {
				t.Errorf("%s, %s: %s is %.*f, and the reference %s", what, p.Name, m.name, digits+2, m.got, m.ref)
			}
		}
	}
	_ = w.Flush()
	t.Logf("\n%s", text.String())
}
