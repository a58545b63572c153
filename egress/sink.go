package egress

import (
	"context"

	"github.com/kindred-id/kindred/actors/feed"
)

// Sink delivers entries of the change feed to a receiver. A Publisher calls it from one goroutine; a sink that blocks
// delays only its own receiver.
type Sink interface {
	// Send delivers entries, in causal order. It returns nil once all of them are durable at the receiver, in the order of
	// each identity; after an error, the publisher sends all of them again.
	Send(ctx context.Context, events []feed.Event) error
	// Close ends the sink.
	Close() error
}
