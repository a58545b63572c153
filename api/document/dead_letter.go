package document

// DeadLetter is an event that came over HTTP and was refused.
type DeadLetter struct {
	Number    uint64     `json:"number"`   // ascending; names the letter
	Received  Time       `json:"received"` // when the event came
	Code      string     `json:"code"`     // why it was refused, as in the answer to it
	Field     string     `json:"field,omitempty"`
	Message   string     `json:"message"`
	Hint      string     `json:"hint"`
	Source    string     `json:"source"`                                                 // the system that sent it
	Route     string     `json:"route"`                                                  // where it was sent
	Index     int        `json:"index"`                                                  // of the event in its request, from 0
	MessageID TextOrNull `json:"messageId"`                                              // null if it has none that can be read
	Mapping   string     `json:"mapping,omitempty"`                                      // by which the text, a record of another system, is read
	Bytes     int64      `json:"bytes"`                                                  // of the event as it was sent
	Holds     string     `json:"holds" jsonschema:"enum=event,enum=record,enum=missing"` // what is kept of it; missing: it was too long
	Text      string     `json:"text,omitempty"`                                         // the event as it was sent, without access keys; of one letter alone, and for keys that may read profiles
}

// DeadLetters are a page of dead letters, the oldest first.
type DeadLetters struct {
	DeadLetters []DeadLetter `json:"deadletters"`
	Next        TextOrNull   `json:"next"`  // cursor of the next page; null at the end
	Kept        int          `json:"kept"`  // all letters, also of other codes
	Bytes       int64        `json:"bytes"` // that they take
}

// ResentLetter is what became of a dead letter that was sent again.
type ResentLetter struct {
	Number  uint64 `json:"number"`
	Status  string `json:"status" jsonschema:"enum=accepted,enum=duplicate,enum=rejected,enum=without_identifier,enum=quarantined"`
	Dropped bool   `json:"dropped"`        // it is no dead letter any more
	Code    string `json:"code,omitempty"` // why it was refused again
	Field   string `json:"field,omitempty"`
	Message string `json:"message,omitempty"`
	Hint    string `json:"hint,omitempty"`
}

// DroppedLetter says which dead letter was dropped.
type DroppedLetter struct {
	Dropped uint64 `json:"dropped"` // its number
}
