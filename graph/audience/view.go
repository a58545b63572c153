package audience

import "github.com/kindred-id/kindred/graph/signal"

// View is what conditions read of one person. Its methods are called on one goroutine; what they return is read before the next call.
type View interface {
	// Signal returns the state of a signal over all fragments of the person; nil if there is none.
	Signal(id signal.ID) *signal.State
	// Trait appends the values of a trait: several of a list, none if it is not set.
	Trait(values []signal.Scalar, name string) []signal.Scalar
	// Identifier reports whether the person has an identifier of a namespace.
	Identifier(namespace string) bool
	// Orders returns the orders of the person in any order.
	Orders() []Order
	// Score returns a score or its band as of now, and until when it stays so without an event. It returns false if there is no
	// such score, or it says nothing of this person.
	Score(name string, now int64) (value signal.Scalar, until int64, ok bool)
}

// Order is what conditions read of an order.
type Order struct {
	PlacedAt  int64  // ms since 1970 UTC
	Net       int64  // less refunds, in the minor unit of Currency
	Currency  string // ISO 4217
	Cancelled bool
}
