package node

import (
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// Terms are settings of scores that take precedence over those of the rules. Nil leaves the rules' setting in force.
type Terms struct {
	HorizonDays    *float64
	AnnualDiscount *float64
	Margin         *float64
}

// over replaces settings of the rules by those given.
func (given Terms) over(rules score.Terms) (score.Terms, error) {
	for _, part := range []struct{ from, to *float64 }{
		{given.HorizonDays, &rules.HorizonDays},
		{given.AnnualDiscount, &rules.AnnualDiscount},
		{given.Margin, &rules.Margin},
	} {
		if part.from != nil {
			*part.to = *part.from
		}
	}
	if err := rules.Check(); err != nil {
		return score.Terms{}, fmt.Errorf("settings of scores: %w", err)
	}
	return rules, nil
}

// check reports an error if the terms conflict with rules. Rules that are not read yet, nil, get the benefit of the doubt: an
// infinite horizon needs a discount, which they may name.
func (given Terms) check(rules *rulesfile.File) error {
	terms := score.Terms{AnnualDiscount: 1}.WithDefaults()
	if rules != nil {
		terms = rules.Scores
	}
	_, err := given.over(terms)
	return err
}
