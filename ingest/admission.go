package ingest

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Admission decides which events enter the engine. It is the one place before the engine that every source passes: it
// alone decides what a key may write, what a person has consented to, and how much a source may send.
//
// An Into without an Admission admits every event.
type Admission interface {
	// Admit returns nil for an event that may enter, or the reason for its rejection, which its sender receives.
	//
	// Intakes call it for each decoded event before they keep anything of the event (N2), from several goroutines at
	// once. It holds up that intake's source while it runs, and must retain neither e nor from.
	Admit(e *graph.Event, from *Arrival) *segment.Rejection
}
