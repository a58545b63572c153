package ingest

import (
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Admission decides which events enter the engine. It is the one place in front of all ways in: what a key may write, what a
// person has consented to, and how much a source may send are decided here, and nowhere else.
//
// An Into without one admits every event.
type Admission interface {
	// Admit returns nil for an event that may enter, or the reason why not, which its sender is told.
	//
	// Intakes call it for each event that could be read, before anything of the event is kept (N2), from several goroutines
	// at once. It holds up that intake's source while it runs, and keeps neither e nor from.
	Admit(e *graph.Event, from *Arrival) *segment.Rejection
}
