package client

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
)

func profilePath(id, part string) string { return "/v1/profiles/" + url.PathEscape(id) + part }

// Profile returns the profile of an id, as JSON text.
func (c *Client) Profile(ctx context.Context, id string) (text json.RawMessage, err error) {
	err = c.Get(ctx, profilePath(id, ""), nil, &text)
	return text, err
}

// Scored returns the profile of an id with its scores, as JSON text.
func (c *Client) Scored(ctx context.Context, id string) (text json.RawMessage, err error) {
	err = c.Get(ctx, profilePath(id, ""), url.Values{"scores": {"true"}}, &text)
	return text, err
}

// Parameters returns the parameters that scores are computed with.
func (c *Client) Parameters(ctx context.Context) (p document.Parameters, err error) {
	err = c.Get(ctx, "/v1/scores/parameters", nil, &p)
	return p, err
}

// Fit makes the server fit its parameters to its live profiles, and waits until it has.
func (c *Client) Fit(ctx context.Context) (p document.Parameters, err error) {
	err = c.Post(ctx, "/v1/scores/fit", nil, struct{}{}, &p)
	return p, err
}

// ScoreReport compares the control group with the rest over the last days.
func (c *Client) ScoreReport(ctx context.Context, days int) (r document.ScoreReport, err error) {
	err = c.Get(ctx, "/v1/scores/report", url.Values{"window_days": {strconv.Itoa(days)}}, &r)
	return r, err
}

// Orders returns the orders of an id, newest first.
func (c *Client) Orders(ctx context.Context, id string) ([]document.Order, error) {
	var answer document.Orders
	err := c.Get(ctx, profilePath(id, "/orders"), nil, &answer)
	return answer.Orders, err
}

// Why explains whether two ids are one person.
func (c *Client) Why(ctx context.Context, a, b string) (w document.Why, err error) {
	err = c.Get(ctx, profilePath(a, "/why"), url.Values{"with": {b}}, &w)
	return w, err
}

// How returns the evidence that formed the identity of an id.
func (c *Client) How(ctx context.Context, id string) (h document.How, err error) {
	err = c.Get(ctx, profilePath(id, "/how"), nil, &h)
	return h, err
}

// Timeline returns a page of the events of an id. An empty cursor means the first page.
func (c *Client) Timeline(ctx context.Context, id string, limit int, cursor string) (t document.Timeline, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	err = c.Get(ctx, profilePath(id, "/events"), query, &t)
	return t, err
}

// Assert makes or previews an operator's assertion.
func (c *Client) Assert(ctx context.Context, ask *document.AssertionRequest) (a document.AssertionAnswer, err error) {
	err = c.Post(ctx, "/v1/assertions", nil, ask, &a)
	return a, err
}

// Stats returns the counters and sizes of the deployment.
func (c *Client) Stats(ctx context.Context) (s document.Stats, err error) {
	err = c.Get(ctx, "/v1/stats", nil, &s)
	return s, err
}

// Rules returns the rules in force, with their text.
func (c *Client) Rules(ctx context.Context) (r document.Rules, err error) {
	err = c.Get(ctx, "/v1/rules", nil, &r)
	return r, err
}

// Backup makes the server write a backup to a directory of its own machine.
func (c *Client) Backup(ctx context.Context, dir string) error {
	return c.Post(ctx, "/v1/admin/backup", nil, document.Backup{Dir: dir}, nil)
}

// Export is the lines of an export. Close it.
type Export struct {
	io.ReadCloser
	Identities int64 // number of lines, without the header of CSV; -1 if the server does not say
	Settled    bool  // no event was in progress when the export began
}

// Export returns all identities in a format of the API. empty includes identities without an event, and scores adds the
// scores of each.
func (c *Client) Export(ctx context.Context, format string, empty, scores bool) (*Export, error) {
	query := url.Values{"format": {format}}
	if scores {
		query.Set("scores", "true")
	}
	if empty {
		query.Set("identifiers", "all")
	}
	res, err := c.send(ctx, http.MethodGet, "/v1/export", query, nil)
	if err != nil {
		return nil, err
	}
	x := &Export{ReadCloser: res.Body, Identities: -1, Settled: res.Header.Get("Kindred-Settled") == "true"}
	if n, err := strconv.ParseInt(res.Header.Get("Kindred-Identities"), 10, 64); err == nil {
		x.Identities = n
	}
	return x, nil
}
