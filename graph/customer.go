package graph

import "github.com/kindred-id/kindred/graph/score"

// Customer is what the scores read. It shares the memory of s.
func (s *Scoring) Customer() score.Customer {
	return score.Customer{Purchases: s.Purchases, Prices: s.Ledger, Interests: &s.Interests}
}
