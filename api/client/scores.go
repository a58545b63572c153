package client

import (
	"context"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

// Scores are the calls about the models of the scores. The scores of a person come with their profile.
type Scores struct{ conn *connection }

// Parameters returns the parameters that scores are computed with.
func (s Scores) Parameters(ctx context.Context) (p document.Parameters, err error) {
	err = s.conn.get(ctx, "/v1/scores/parameters", nil, &p)
	return p, err
}

// Fit makes the server fit its parameters to its live profiles, and waits until it has.
func (s Scores) Fit(ctx context.Context) (p document.Parameters, err error) {
	err = s.conn.post(ctx, "/v1/scores/fit", nil, struct{}{}, &p)
	return p, err
}

// Report compares the control group with the rest over the last days.
func (s Scores) Report(ctx context.Context, days int) (r document.ScoreReport, err error) {
	err = s.conn.get(ctx, "/v1/scores/report", url.Values{"window_days": {strconv.Itoa(days)}}, &r)
	return r, err
}
