package document

import "encoding/json"

// IncomingEvent is an event as the Segment specification has it. A member of another type than here is left out, and the
// answer says so; further members are allowed. Of userId, anonymousId and the other identifiers, at least one must be usable.
type IncomingEvent struct {
	Type        string          `json:"type,omitempty" jsonschema:"enum=identify,enum=track,enum=page,enum=screen,enum=group,enum=alias"` // may be left out where the route says it
	MessageID   string          `json:"messageId,omitempty"`                                                                              // an event whose id was taken before is a duplicate
	UserID      string          `json:"userId,omitempty"`                                                                                 // a customer
	AnonymousID string          `json:"anonymousId,omitempty"`                                                                            // a visitor
	PreviousID  string          `json:"previousId,omitempty"`                                                                             // of an alias: the former id
	GroupID     string          `json:"groupId,omitempty"`                                                                                // of a group event
	GroupType   string          `json:"groupType,omitempty"`                                                                              // of a group event: what kind of group it is, if the client has several
	Event       string          `json:"event,omitempty"`                                                                                  // of a track event: its name, such as Order Completed
	Name        string          `json:"name,omitempty"`                                                                                   // of a page or screen event
	Timestamp   string          `json:"timestamp,omitempty"`                                                                              // when it happened: ISO 8601, or a number of seconds, milli-, micro- or nanoseconds since 1970; default: when it was received
	SentAt      string          `json:"sentAt,omitempty"`                                                                                 // when it was sent by the sender's clock, which corrects timestamp
	Traits      map[string]any  `json:"traits,omitempty"`                                                                                 // of the person; email and phone are identifiers; null deletes a trait
	Properties  json.RawMessage `json:"properties,omitempty" jsonschema:"type=object"`                                                    // of the event, such as those of an order
	Context     json.RawMessage `json:"context,omitempty" jsonschema:"type=object"`                                                       // where and how it was made
}

// SnowplowPayload is what a tracker of Snowplow sends with POST.
type SnowplowPayload struct {
	Schema string              `json:"schema,omitempty"`           // iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4
	Data   []map[string]string `json:"data" jsonschema:"required"` // events, by the tracker protocol
}

// EventBatch is a list of events, with what they have in common.
type EventBatch struct {
	Batch    []IncomingEvent `json:"batch" jsonschema:"required"`
	SentAt   string          `json:"sentAt,omitempty"`                           // of events that have none
	WriteKey string          `json:"writeKey,omitempty"`                         // names the system that sends
	Context  json.RawMessage `json:"context,omitempty" jsonschema:"type=object"` // of events, below their own
}
