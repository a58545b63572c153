package document

import "encoding/json"

// SegmentCursor says where the next page of an answer in Segment's form is.
type SegmentCursor struct {
	URL     string `json:"url"` // path and query of the next page; empty at the end
	HasMore bool   `json:"has_more"`
	Next    string `json:"next"` // value of the parameter next for the next page; empty at the end
	Limit   int    `json:"limit"`
}

// SegmentTraits are traits of a person in the form of Segment's Profile API. With verbose=true each is an object with
// value, source_id and updated_at.
type SegmentTraits struct {
	Traits Traits        `json:"traits"`
	Cursor SegmentCursor `json:"cursor"`
}

// SegmentTrait is a trait with where it comes from, in the form of Segment's Profile API.
type SegmentTrait struct {
	Value     json.RawMessage `json:"value"`
	SourceID  string          `json:"source_id"`
	UpdatedAt Time            `json:"updated_at"`
}

// SegmentExternalIDs are identifiers of a person in the form of Segment's Profile API, the highest-ranked first.
type SegmentExternalIDs struct {
	Data   []SegmentExternalID `json:"data"`
	Cursor SegmentCursor       `json:"cursor"`
}

// SegmentExternalID is an identifier in the form of Segment's Profile API.
type SegmentExternalID struct {
	Collection string     `json:"collection"` // users, or accounts
	Type       string     `json:"type"`       // its namespace
	ID         string     `json:"id"`         // its value, normalised
	Encoding   string     `json:"encoding" jsonschema:"enum=none"`
	CreatedAt  TimeOrNull `json:"created_at"` // first seen; null where no event says
}

// SegmentEvents are events of a person in the form of Segment's Profile API, the newest first.
type SegmentEvents struct {
	Data   []SegmentEvent `json:"data"`
	Cursor SegmentCursor  `json:"cursor"`
}

// SegmentEvent is an event in the form of Segment's Profile API.
type SegmentEvent struct {
	Type        string              `json:"type" jsonschema:"enum=identify,enum=track,enum=page,enum=screen,enum=group,enum=alias"`
	Event       string              `json:"event,omitempty"` // name of a track, page or screen event
	MessageID   string              `json:"message_id"`
	SourceID    string              `json:"source_id"` // the system that sent it
	Timestamp   Time                `json:"timestamp"`
	ExternalIDs []SegmentExternalID `json:"external_ids"`
	Properties  json.RawMessage     `json:"properties,omitempty"` // an object, as it was sent
	Traits      Traits              `json:"traits,omitempty"`     // null deletes a trait
	Context     json.RawMessage     `json:"context,omitempty"`    // an object: the part of the context that the rules keep
}

// SegmentMetadata says when a person was first and last seen, in the form of Segment's Profile API.
type SegmentMetadata struct {
	SegmentID string     `json:"segment_id"` // public id of the person
	CreatedAt TimeOrNull `json:"created_at"` // time of the first event; null without an event
	UpdatedAt TimeOrNull `json:"updated_at"` // time of the last event; null without an event
}

// SegmentLinks are the accounts of a person in the form of Segment's Profile API: the groups that group events name.
type SegmentLinks struct {
	Data   []SegmentLink `json:"data"`
	Cursor SegmentCursor `json:"cursor"`
}

// SegmentLink is a link to an account.
type SegmentLink struct {
	ToCollection string              `json:"to_collection" jsonschema:"enum=accounts"`
	ExternalIDs  []SegmentExternalID `json:"external_ids"`
}

// SegmentProblem is a Problem with the member error of Segment's Profile API.
type SegmentProblem struct {
	Problem
	Error SegmentError `json:"error"`
}

// SegmentError says what went wrong, in the form of Segment's Profile API.
type SegmentError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
}
