package row

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// An order takes few bytes more than its totals; lines and refunds are paid for by the orders that have them.
func TestOrderBytes(t *testing.T) {
	eur := graph.Currency{'E', 'U', 'R'}
	stamp := sampleStamp(0)
	plain := graph.NewOrderEvidence("1000042")
	plain.Completed = stamp.Time
	plain.Totals = graph.OrderTotals{Stamp: stamp, Net: 5990, Discount: 500, Currency: eur, Rule: graph.NetRevenue}
	plain.Named = graph.NamedCurrency{At: stamp.Time, Currency: eur}
	lines := plain
	lines.Lines = &graph.OrderLines{Stamp: stamp, Lines: []graph.OrderLine{
		{Product: 1 << 30, Price: 1_999_000, Quantity: 1000}, {Product: 1 << 29, SKU: 1 << 28, Price: 1_996_000, Quantity: 2000}, {Product: 1 << 27, Price: 499_000, Quantity: 1000},
	}}
	refunded := plain
	refunded.Refunds = []graph.Refund{{Key: 1 << 60, Stamp: stamp, Kind: graph.RefundAmount, Currency: eur, Amount: 3000}}
	size := func(o graph.OrderEvidence) int {
		enc := NewEncoder()
		out := orderWriter{enc.begin(nil)}
		out.start(1)
		out.orders([]graph.OrderEvidence{o})
		return len(enc.finish()) - 2 // version and length of the list
	}
	base := size(plain)
	t.Logf("an order %d B, its three lines %d B, a refund %d B", base, size(lines)-base, size(refunded)-base)
	if base > 60 || size(lines)-base > 60 || size(refunded)-base > 48 {
		t.Error("orders have grown")
	}
}
