package debug

import (
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
)

// entry is a copy of an event for listeners, who share it: it is not changed.
type entry struct {
	document document.DebugEvent
	cause    cause
	route    graph.NodeKey // zero if the event was not taken
	bytes    int64
}

// entryBytes is what an entry takes beside its texts, about.
const entryBytes = 512

// newEntry copies an event.
func newEntry(t *ingest.Traced) *entry {
	v := t.Verdict
	e := &entry{document: document.DebugEvent{
		ReceivedAt: document.NewTime(t.Arrival.Received),
		Source:     string(t.Arrival.Source), Result: v.Status.String(), MessageID: string(v.ID), Type: v.Type.String(),
		Raw: keyring.Hide(cut(t.Raw)), RawBytes: len(t.Raw),
	}}
	d := &e.document
	if v.Rejection != nil {
		d.Reason = &document.DebugReason{Code: string(v.Rejection.Code), Field: v.Rejection.Field, Message: v.Rejection.Message, Hint: v.Rejection.Hint}
	}
	for i := range t.Dropped {
		d.Dropped = append(d.Dropped, reasonOf(&t.Dropped[i]))
	}
	if t.Event != nil {
		e.route = t.Event.Route()
		e.cause = cause{string(t.Event.ID), string(t.Event.Source)}
		if parsed := document.EncodeEvent(t.Event); len(parsed) <= textMax {
			d.Parsed = parsed
		}
	}
	e.bytes = entryBytes + int64(len(d.Raw)+len(d.Parsed))
	return e
}

func reasonOf(d *segment.Drop) document.DebugReason {
	return document.DebugReason{Code: string(d.Code), Field: d.Field, Message: d.Message, Hint: d.Hint}
}

// cut copies the beginning of a text. A character that is cut in two is shown as one that can't be read.
func cut(text []byte) string { return string(text[:min(len(text), textMax)]) }
