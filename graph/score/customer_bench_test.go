package score

import "testing"

// BenchmarkScores computes everything of one customer: three orders with history, and the example's ledger.
func BenchmarkScores(b *testing.B) {
	s, err := NewScorer(ColdStart(), Terms{})
	if err != nil {
		b.Fatal(err)
	}
	c := Customer{
		Purchases: []Purchase{{ID: "a", At: ago(70), Net: 3000}, {ID: "b", At: ago(35), Net: 5000}, {ID: "c", At: ago(7), Net: 4000}},
		Prices:    exampleLedger(),
	}
	b.ReportAllocs()
	for b.Loop() {
		scores := s.Of(&c, today0)
		sinkScores = scores.CLV
	}
}

var sinkScores float64
