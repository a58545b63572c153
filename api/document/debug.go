package document

import (
	"encoding/json"

	"github.com/kindred-id/kindred/graph"
)

// DebugEvent is an event as it came in, and what became of it.
type DebugEvent struct {
	ReceivedAt Time            `json:"received_at"`
	Source     string          `json:"source"` // the system that sent it
	Result     string          `json:"result" jsonschema:"enum=accepted,enum=duplicate,enum=without_identifier,enum=rejected,enum=quarantined"`
	MessageID  string          `json:"message_id,omitempty"` // empty where it can't be read
	Type       string          `json:"type,omitempty"`       // empty where it can't be read
	Raw        string          `json:"raw"`                  // as it came in, after a mapping, at most 64 KiB, without access keys
	RawBytes   int             `json:"raw_bytes"`            // length of all of it
	Parsed     json.RawMessage `json:"parsed,omitempty"`     // an Event: what was read of it; absent if it was not taken, or is larger than 64 KiB
	Reason     *DebugReason    `json:"reason,omitempty"`     // why it was not taken
	Dropped    []DebugReason   `json:"dropped,omitempty"`    // fields that were left out of it
	Person     *DebugPerson    `json:"person,omitempty"`     // whose it is
	Merges     []DebugMerge    `json:"merges,omitempty"`     // identities that became one by it
	Unsettled  bool            `json:"unsettled,omitempty"`  // the shards were too busy: person and merges may be missing
}

// DebugReason says why an event, or a field of one, was not taken.
type DebugReason struct {
	Code    string `json:"code"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do
}

// DebugPerson is the person of an event, right after it.
type DebugPerson struct {
	ID          string `json:"id"` // public id
	Identifiers int    `json:"identifiers"`
	Events      uint64 `json:"events"`
}

// DebugMerge is a merge of identities that an event brought about.
type DebugMerge struct {
	Into string   `json:"into"` // public id of the identity that holds all
	From []string `json:"from"` // public ids of those before
	By   []Name   `json:"by"`   // the two identifiers that the event linked
}

// DebugNotice says that a stream of the debugger left events out.
type DebugNotice struct {
	Sampled uint64 `json:"sampled,omitempty"` // events left out since the last notice because there were more a second than rate
	Rate    int    `json:"rate"`              // events a second that are shown
	Missed  uint64 `json:"missed,omitempty"`  // events left out since the last notice because the reader was too slow
}

// EncodeEvent is the Event document of an event.
func EncodeEvent(e *graph.Event) json.RawMessage { return appendEvent(nil, e) }
