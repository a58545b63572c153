package egress

import (
	"context"

	"github.com/kindred-id/kindred/actors/feed"
)

// Sink takes entries of the change feed to where they are wanted. A Publisher calls it from one
// goroutine; what it blocks is held up for this receiver alone.
type Sink interface {
	// Send hands over entries, in causal order. It returns nil once all of them are durable there, in the order of
	// each identity; after an error, all of them are sent again.
	Send(ctx context.Context, events []feed.Event) error
	// Close ends the sink.
	Close() error
}
