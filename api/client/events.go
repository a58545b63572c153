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

// retry is the wait between attempts to send a batch, unless the server asks for a longer one.
var retry = backoff.Doubling{First: 100 * time.Millisecond, Most: 10 * time.Second}

// Events are the calls that send events.
type Events struct{ conn *connection }

// AwaitVisible returns when every event sent before can be found by each of its identifiers, or when the server is too
// busy to wait for that.
func (e Events) AwaitVisible(ctx context.Context) error {
	return e.conn.do(ctx, http.MethodPost, "/v1/batch", nil, []byte(`{"batch":[]}`), nil)
}

// Send sends the body of a batch of past events, such as those of a file. While the server is full, unreachable or breaks
// off, Send retries until patience has passed. An event that was accepted before is a duplicate, so a retry changes
// nothing. Send returns when the events are durable. Call AwaitVisible once after the last batch, since waiting for
// visibility with each batch would be slow.
func (e Events) Send(ctx context.Context, body []byte, patience time.Duration) (document.BatchOutcome, error) {
	deadline := time.Now().Add(patience)
	for attempt := 0; ; attempt++ {
		var result document.BatchOutcome
		after, err := e.attempt(ctx, body, &result)
		if err == nil || ctx.Err() != nil || !retriable(err) || time.Now().After(deadline) {
			return result, err
		}
		pause := max(after, retry.Random(attempt))
		if err := backoff.Sleep(ctx, min(pause, time.Until(deadline)+time.Millisecond)); err != nil {
			return result, err
		}
	}
}

// attempt sends a body once, and returns how long the server asks to wait.
func (e Events) attempt(ctx context.Context, body []byte, result *document.BatchOutcome) (time.Duration, error) {
	err := e.conn.do(ctx, http.MethodPost, "/v1/batch", url.Values{"wait": {"durable"}, "live": {"false"}}, body, result)
	var p *Problem
	switch {
	case !errors.As(err, &p):
		return 0, err
	case p.Code == document.CodeNoReadableEvent: // this counts as an answer: the server looked at every event
		*result = p.BatchOutcome
		return 0, nil
	}
	return p.after, err
}

// retriable reports whether an error may be temporary: any network error, and the statuses that mean so.
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

// retryAfter reads the header Retry-After, in seconds.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, 5*time.Minute)
}
