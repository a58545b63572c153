package ingest

import (
	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Verdict is what became of one event.
type Verdict struct {
	Status    Status
	Type      graph.EventType    // 0 where it can't be read
	Rejection *segment.Rejection // of an event that was Rejected or WithoutIdentifier
	ID        []byte             // message id of an event that was read; valid until the intake's next Reset
}

// Status is what became of an event.
type Status uint8

// The statuses.
const (
	// Pending is for an event that is, or is to be, with the engine.
	Pending Status = iota
	// Accepted is for an event that is durable.
	Accepted
	// Duplicate is for an event that the engine knew.
	Duplicate
	// WithoutIdentifier is for an event that names nobody. It is no fault of the event, and counted apart.
	WithoutIdentifier
	// Rejected is for an event that can't be read, or that admission refused.
	Rejected
	// Quarantined is for an event whose handler failed: it is set aside, durably.
	Quarantined
	// OutOfTurn is for an event of a channel that does not follow on the last one its shard took: see Intake.Again.
	OutOfTurn
	// Elsewhere is for an event of a channel that its shard has taken before, from whichever consumer.
	Elsewhere
	// Statuses is how many there are.
	Statuses
)

// statusOf is the status of an event with an outcome.
var statusOf = [...]Status{
	actors.Pending: Pending, actors.Accepted: Accepted, actors.Duplicate: Duplicate,
	actors.Quarantined: Quarantined, actors.OutOfTurn: OutOfTurn,
}

// Tally counts verdicts by status.
type Tally [Statuses]int

// Tally counts the verdicts so far.
func (in *Intake) Tally() (t Tally) {
	for i := range in.verdicts {
		t[in.verdicts[i].Status]++
	}
	return t
}
