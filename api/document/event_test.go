package document

import (
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// The timeline tells a refund of before in the currency that it was read in, with its decimals of today.
func TestOrderChangeOfBefore(t *testing.T) {
	for want, c := range map[string]graph.OrderChange{
		`{"id":"o1","change":"refunded","refund":1250.00,"currency":"IDR"}`: {Refund: graph.RefundChange{Amount: 1250, Former: graph.Currency{'I', 'D', 'R'}}},
		`{"id":"o1","change":"refunded","refund":12.50,"currency":"EUR"}`:   {Refund: graph.RefundChange{Amount: 1250, Former: graph.Currency{'E', 'U', 'R'}}},
		`{"id":"o1","change":"refunded","refund":12.5}`:                     {Refund: graph.RefundChange{Amount: 1250000}, Open: true},
	} {
		c.ID, c.Kind, c.Refund.Kind = []byte("o1"), graph.OrderRefunded, graph.RefundAmount
		if got := string(appendOrderChange(nil, &c)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
