package node

import (
	"fmt"

	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// Terms are settings of scores that override those of the rules. A nil field leaves the setting of the rules in force.
type Terms struct {
	HorizonDays    *float64
	AnnualDiscount *float64
	Margin         *float64
}

// over returns the settings of the rules, overridden by those given.
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

// check reports an error if the terms conflict with rules. Nil rules are not read yet and may name a discount, which an
// infinite horizon needs, so check assumes that they do.
func (given Terms) check(rules *rulesfile.File) error {
	terms := score.Terms{AnnualDiscount: 1}.WithDefaults()
	if rules != nil {
		terms = rules.Scores
	}
	_, err := given.over(terms)
	return err
}
