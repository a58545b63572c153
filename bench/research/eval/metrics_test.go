package eval

import (
	"math"
	"slices"
	"testing"
)

// Five customers, by hand.
func TestMetrics(t *testing.T) {
	predicted := []float64{3, 1, 2, 2, 0}
	actual := []float64{5, 0, 1, 3, 0}
	if got, want := ranks(predicted), []float64{5, 2, 3.5, 3.5, 1}; !slices.Equal(got, want) {
		t.Errorf("ranks %v, want %v", got, want)
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"MAE", MAE(predicted, actual), (2 + 1 + 1 + 1 + 0) / 5.0},
		{"RMSE", RMSE(predicted, actual), math.Sqrt((4 + 1 + 1 + 1 + 0) / 5.0)},
		// ranks of actual: 5, 1.5, 3, 4, 1.5; less the mean, 3: 2, -1.5, 0, 1, -1.5
		// ranks of predicted, less 3:                          2, -1, .5, .5, -2
		{"Spearman", Spearman(predicted, actual), (4 + 1.5 + 0 + 0.5 + 3) / math.Sqrt((4+2.25+0+1+2.25)*(4+1+0.25+0.25+4))},
		// Σ actual·(rank-3): 5·2 + 1·.5 + 3·.5 = 12; perfect: 5·2 + 1·0 + 3·1 = 13
		{"Gini", Gini(predicted, actual), 12.0 / 13},
		{"Gini of a constant", Gini(make([]float64, 5), actual), 0},
		// 5 and 3 did more than 2: of 2·3 pairs (5 beats all three; 3 beats two and ties one)
		{"AUC", AUC(predicted, []bool{true, false, false, true, false}), (3 + 2 + 0.5) / 6.0},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
}
