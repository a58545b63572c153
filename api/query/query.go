package query

import (
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/graph/score"
	"golang.org/x/sync/semaphore"
)

// Queries answers about people.
type Queries struct {
	*lookup.Lookup
	Scores  *scoring.Keeper // nil: the server computes no scores
	Control score.Control   // the control group
	Rules   string          // the rules file in force, YAML; empty: the route does not exist

	Searches *semaphore.Weighted // bounds the searches at one time
}
