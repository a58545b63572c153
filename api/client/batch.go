package client

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/internal/backoff"
)

// retry is the wait between attempts to send a batch, where the server does not ask for a longer one.
var retry = backoff.Doubling{First: 100 * time.Millisecond, Most: 10 * time.Second}

// AwaitVisible returns when all that was sent before can be found by each identifier that it names, or
// the server is too far behind to wait for that.
func (c *Client) AwaitVisible(ctx context.Context) error {
	return c.do(ctx, http.MethodPost, "/v1/batch", nil, []byte(`{"batch":[]}`), nil)
}

// Send sends the body of a batch of events from a file, which do not come as they happen, and sends it again for as long as patience lasts when the server
// has no room, is not there or breaks off. An event that was taken before is a duplicate, so nothing
// is taken twice. It returns when the events are durable; AwaitVisible, once after the last batch, waits
// for the rest.
func (c *Client) Send(ctx context.Context, body []byte, patience time.Duration) (document.BatchOutcome, error) {
	deadline := time.Now().Add(patience)
	for attempt := 0; ; attempt++ {
		var result document.BatchOutcome
		after, err := c.attempt(ctx, body, &result)
		if err == nil || ctx.Err() != nil || !retriable(err) || time.Now().After(deadline) {
			return result, err
		}
		pause := max(after, retry.Random(attempt))
		if err := backoff.Sleep(ctx, min(pause, time.Until(deadline)+time.Millisecond)); err != nil {
			return result, err
		}
	}
}

// attempt sends once, and returns how long the server asks to wait.
func (c *Client) attempt(ctx context.Context, body []byte, result *document.BatchOutcome) (time.Duration, error) {
	err := c.do(ctx, http.MethodPost, "/v1/batch", url.Values{"wait": {"durable"}, "live": {"false"}}, body, result)
	var p *Problem
	switch {
	case !errors.As(err, &p):
		return 0, err
	case p.Code == document.CodeNoReadableEvent: // an answer all the same: every event was looked at
		*result = p.BatchOutcome
		return 0, nil
	}
	return p.after, err
}

// retriable reports whether an error may pass: any error of the network, and the answers that say so.
func retriable(err error) bool {
	var p *Problem
	if !errors.As(err, &p) {
		return true
	}
	switch p.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter reads the header of that name, in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, 5*time.Minute)
}
