package document

// BatchAnswer says what became of the events of a request.
type BatchAnswer struct {
	Success bool `json:"success" jsonschema:"enum=true"`
	BatchOutcome
}

// UnreadableBatch is the Problem of a request of whose events not one can be read.
type UnreadableBatch struct {
	Problem
	BatchOutcome
}

// BatchOutcome is what became of the events of a request.
type BatchOutcome struct {
	Accepted          int                        `json:"accepted"`               // durable now
	Duplicates        int                        `json:"duplicates"`             // had been accepted before
	WithoutIdentifier int                        `json:"without_identifier"`     // name nobody, and were not taken
	Skipped           int                        `json:"skipped,omitempty"`      // records of which the mapping made no event; only where records are mapped
	Unidentified      []Rejection                `json:"unidentified,omitempty"` // the first events without an identifier
	Rejected          []Rejection                `json:"rejected"`               // events that were not taken
	Dropped           []DroppedField             `json:"dropped,omitempty"`      // fields left out of events that were taken
	Results           []EventResult              `json:"results,omitzero"`       // an entry an event; only with results=all
	Warnings          Encoded[map[string]uint64] `json:"warnings,omitempty"`     // what was left out of, or changed in, events that were taken: counts by kind or by field
}

// Rejection says why an event was not taken.
type Rejection struct {
	Index     int        `json:"index"`            // of the event in the request, from 0
	Line      int64      `json:"line,omitempty"`   // of its record in the body, from 1; only where records are mapped
	Record    int64      `json:"record,omitempty"` // likewise, where records are not lines
	MessageID TextOrNull `json:"messageId"`        // null where it can't be read
	Code      string     `json:"code"`             // stable: programs may decide by it
	Field     string     `json:"field,omitempty"`  // path of the field that is to blame
	Message   string     `json:"message"`
	Hint      string     `json:"hint"` // what to do
}

// DroppedField is a field that was left out of an event that was taken. The last entry may only have a count: that of
// the fields beyond the limit of an answer.
type DroppedField struct {
	Index     *int       `json:"index,omitempty"`     // of the event in the request, from 0
	Line      int64      `json:"line,omitempty"`      // of its record in the body, from 1; only where records are mapped
	Record    int64      `json:"record,omitempty"`    // likewise, where records are not lines
	MessageID TextOrNull `json:"messageId,omitempty"` // of the event; null where it can't be read
	Count     uint64     `json:"count,omitempty"`     // of further fields
	Code      string     `json:"code,omitempty"`      // stable: programs may decide by it
	Field     string     `json:"field,omitempty"`     // path of the field
	Message   string     `json:"message,omitempty"`
	Hint      string     `json:"hint,omitempty"` // what to do
}

// EventResult says what became of one event.
type EventResult struct {
	Index     int        `json:"index"`            // of the event in the request, from 0
	Line      int64      `json:"line,omitempty"`   // of its record in the body, from 1; only where records are mapped
	Record    int64      `json:"record,omitempty"` // likewise, where records are not lines
	MessageID TextOrNull `json:"messageId"`        // null where it can't be read
	Status    string     `json:"status" jsonschema:"enum=accepted,enum=duplicate,enum=without_identifier,enum=rejected,enum=quarantined"`
}

// ForeignRecord is a record of another system: any object, whose fields its mapping knows.
type ForeignRecord map[string]any
