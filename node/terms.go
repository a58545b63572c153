package node

import (
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// Terms are settings of scores given beside the rules, which come before those that the rules name. Nil leaves theirs.
type Terms struct {
	HorizonDays    *float64
	AnnualDiscount *float64
	Margin         *float64
}

// over puts what was given in the place of what the rules say.
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

// check fails where what was given can't go with the rules. Of rules that are still to be read, nil, it takes the best: that
// they name a discount where it takes one.
func (given Terms) check(rules *rulesfile.File) error {
	terms := score.Terms{AnnualDiscount: 1}.WithDefaults()
	if rules != nil {
		terms = rules.Scores
	}
	_, err := given.over(terms)
	return err
}
