package ingest

import (
	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Verdict is the outcome of one event.
type Verdict struct {
	Status    Status
	Type      graph.EventType    // 0 if it can't be read
	Rejection *segment.Rejection // of an event that was Rejected or WithoutIdentifier
	ID        []byte             // message id of an event that was read; valid until the intake's next Reset
}

// Status is the outcome of an event, without the reason.
type Status uint8

// The statuses.
const (
	// Pending is for an event that awaits delivery or the engine's answer.
	Pending Status = iota
	// Accepted is for an event that is durable.
	Accepted
	// Duplicate is for an event that the engine has taken before.
	Duplicate
	// WithoutIdentifier is for an event without identifiers. The event is valid, so it is counted apart from rejections.
	WithoutIdentifier
	// Rejected is for an event that can't be read, or that Admission refused.
	Rejected
	// Quarantined is for an event whose handler failed: it is set aside, durably.
	Quarantined
	// OutOfTurn is for an event of a channel whose predecessor is not the last event its shard took: see Intake.Again.
	OutOfTurn
	// Elsewhere is for an event of a channel that its shard has taken before, from any consumer.
	Elsewhere
	// Unserved is for an event whose shard is not with this process: it is to be delivered again, see Intake.Again. If it was
	// taken all the same, it is a duplicate then.
	Unserved
	// Statuses is the number of statuses.
	Statuses
)

// String names a status as answers and metrics do; a status that nobody is told has no name.
func (s Status) String() string {
	if s < Statuses {
		return statusNames[s]
	}
	return ""
}

var statusNames = [Statuses]string{
	Accepted: "accepted", Duplicate: "duplicate", WithoutIdentifier: "without_identifier", Rejected: "rejected", Quarantined: "quarantined",
}

// statusOf maps the outcome of an event to its status.
var statusOf = [...]Status{
	actors.Pending: Pending, actors.Accepted: Accepted, actors.Duplicate: Duplicate,
	actors.Quarantined: Quarantined, actors.OutOfTurn: OutOfTurn, actors.Elsewhere: Unserved,
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
