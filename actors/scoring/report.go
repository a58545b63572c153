package scoring

import (
	"context"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Question is what to compare.
type Question struct {
	Engine  *actors.Engine
	Scorer  *score.Scorer
	Control score.Control
	// Days is the length of the window, which ends now: 1 to DaysMax.
	Days int
	// SettleFor is how long to wait until no event is under way, so that no evidence is between two shards; then the report
	// goes on with what is there.
	SettleFor time.Duration
}

// DaysMax is the longest window: ten years.
const DaysMax = 3660

// DaysDefault is the window where none is asked for: as long as an offer without a deadline is open.
const DaysDefault = 30

// Report is the comparison as of a moment. Money is in minor units of its currency.
type Report struct {
	AsOf, From   int64   // the window, ms since 1970 UTC: after From, and up to AsOf
	Settled      bool    // no event was under way when it began
	Version      uint64  // of the parameters that the bands were computed with
	ControlShare float64 // that the group is drawn with
	All          Comparison
	// Bands compares the people of each band of discount affinity, by Band. It is the band as of From: what happened
	// in the window did not choose it.
	Bands [score.Bands]Comparison
}

// Answer reads all profiles once.
func (q *Question) Answer(ctx context.Context) (*Report, error) {
	settled, err := q.Engine.SettleWithin(ctx, q.SettleFor)
	if err != nil {
		return nil, err
	}
	tally := newTally(q.Scorer.Population(), q.Control, q.Engine.Now(), q.Days)
	rules := q.Engine.Rules()
	err = q.Engine.Each(ctx, func(c *graph.Component) error {
		profiles := c.Profiles(rules, false)
		for i := range profiles {
			tally.Add(&profiles[i])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	report := tally.Report()
	report.Settled, report.Version, report.ControlShare = settled, q.Scorer.Parameters().Version, q.Control.Share()
	return report, nil
}
