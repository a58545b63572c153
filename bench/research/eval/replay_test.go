package eval

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/bench/replay"
	"github.com/kindred-id/kindred/bench/research/publicdata"
)

// replayed runs a stream and returns the columns of its answers by name.
func replayed(t *testing.T, stream string, weeks float64) (column func(name string) []float64) {
	t.Helper()
	var out strings.Builder
	err := replay.Run(strings.NewReader(stream), &out, replay.Options{
		Model: replay.DefaultModel, HorizonWeeks: weeks, Note: func(err error) { t.Error(err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) []float64 {
		values := make([]float64, 0, len(rows))
		for i, title := range rows[0] {
			if title != name {
				continue
			}
			for _, row := range rows[1:] {
				v, err := strconv.ParseFloat(row[i], 64)
				if err != nil {
					t.Fatal(err)
				}
				values = append(values, v)
			}
			return values
		}
		t.Fatalf("no column %s in %v", name, rows[0])
		return nil
	}
}

// same compares figures that were computed in two ways.
func same(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
		t.Errorf("%s: %v through the graph, %v without", what, got, want)
	}
}

// The figures of lifetime value are the same when the purchases are processed like live events.
func TestReplayOfCDNOW(t *testing.T) {
	ledger, err := ReadCDNOW(publicdata.Open(t, "cdnow_sample.csv"))
	if err != nil {
		t.Fatal(err)
	}
	cut, end := ms(1997, time.September, 30), ms(1998, time.June, 30)
	var stream strings.Builder
	if err := ledger.WriteStream(&stream, cut); err != nil {
		t.Fatal(err)
	}
	column := replayed(t, stream.String(), 39)
	report, err := EvaluateCLV(ledger, cut, end)
	if err != nil {
		t.Fatal(err)
	}
	customers := CutLedger(ledger, cut, end) // by id, as the queries
	orders, value := make([]float64, len(customers)), make([]float64, len(customers))
	for i := range customers {
		orders[i], value[i] = customers[i].Orders, customers[i].Value/dollar
	}
	wantOrders, wantValue := report.Orders[3], report.Value[2]
	gotOrders, gotValue := column("exp_orders"), column("exp_value")
	if len(gotOrders) != len(customers) || wantOrders.Name != "Pareto/NBD" || wantValue.Name != "Gamma-Gamma, all orders" {
		t.Fatalf("%d answers; %s, %s", len(gotOrders), wantOrders.Name, wantValue.Name)
	}
	same(t, "orders, MAE", MAE(gotOrders, orders), wantOrders.MAE)
	same(t, "orders, RMSE", RMSE(gotOrders, orders), wantOrders.RMSE)
	same(t, "orders, Spearman", Spearman(gotOrders, orders), wantOrders.Spearman)
	same(t, "orders, Gini", Gini(gotOrders, orders), wantOrders.Gini)
	same(t, "value, MAE", MAE(gotValue, value), wantValue.MAE)
	same(t, "value, Gini", Gini(gotValue, value), wantValue.Gini)
}

// So are the figures of redeemed campaigns.
func TestReplayOfRedeemedCampaigns(t *testing.T) {
	j, from := readJourney(t), ms(2017, time.May, 1)
	var stream strings.Builder
	if err := j.WriteRedeems(&stream, from); err != nil {
		t.Fatal(err)
	}
	column := replayed(t, stream.String(), 39)
	rows, err := j.Redeems(from)
	if err != nil {
		t.Fatal(err)
	}
	through := redemptions{affinity: column("discount_affinity"), offer: column("offer_prob")}
	for i := range j.campaigns {
		if c := &j.campaigns[i]; c.start >= from {
			for _, r := range c.households {
				through.campaigns = append(through.campaigns, c.id)
				through.outcomes = append(through.outcomes, r.redeemed != 0)
			}
		}
	}
	for i, predictions := range map[int][]float64{1: through.affinity, 3: through.offer} {
		same(t, rows[i].Name+", AUC", auc(through.outcomes, predictions), rows[i].AUC)
		same(t, rows[i].Name+", AUC within campaigns", through.within(predictions), rows[i].Within)
		same(t, rows[i].Name+", log-loss", logLoss(through.outcomes, predictions), rows[i].LogLoss)
	}
}
