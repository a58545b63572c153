package document

import "encoding/json"

// Audiences are what is defined, by key.
type Audiences struct {
	Version   uint64     `json:"version"` // counts the changes; 0 where there never was one
	Filled    uint64     `json:"filled"`  // the version for which all stored events were looked through; below version, that is under way
	Audiences []Audience `json:"audiences"`
}

// Audience is the conditions of an audience, as text and as a tree.
type Audience struct {
	Key    string          `json:"key"`
	Text   string          `json:"text"`
	Where  json.RawMessage `json:"where" jsonschema:"type=object"`
	Serves bool            `json:"serves"` // false while the conditions are new, and stored events are being looked through
	// Members is how many people are in the audience; null while it does not serve, or while people are evaluated by a new version.
	Members CountOrNull `json:"members"`
}

// AudiencesRequest defines audiences.
type AudiencesRequest struct {
	Audiences map[string]string `json:"audiences"`       // texts by key; those of other keys stay as they are
	Prune     bool              `json:"prune,omitempty"` // true: those of other keys are deleted
}

// AudienceMembers are a page of the people who are in an audience.
type AudienceMembers struct {
	Key      string           `json:"key"`
	AsOf     Time             `json:"as_of"`
	Complete bool             `json:"complete"` // false while people are evaluated by a new version of the definitions
	Members  []AudienceMember `json:"members"`
	Next     TextOrNull       `json:"next"` // cursor of the next page; null at the end
}

// AudienceMember is a person who is in an audience.
type AudienceMember struct {
	ID    string `json:"id"`    // public id
	Since Time   `json:"since"` // when that was found: with the event, merge or split that brought it about, or when the audience came
}

// PersonAudiences are the audiences of one person, by key, as of a moment.
type PersonAudiences struct {
	ID        string           `json:"id"` // public id of the person
	AsOf      Time             `json:"as_of"`
	Version   uint64           `json:"version"` // of the definitions that serve
	Audiences []PersonAudience `json:"audiences"`
}

// PersonAudience reports whether a person is in an audience.
type PersonAudience struct {
	Key   string              `json:"key"`
	In    bool                `json:"in"`
	Until Time                `json:"until,omitempty"` // when that may change without an event; absent: never
	Why   []AudienceCondition `json:"why,omitempty"`   // with why=true: the conditions, each before those that it is made of
}

// AudienceCondition says of one condition why it holds or not.
type AudienceCondition struct {
	ID      string `json:"id"`               // in the tree
	Parent  string `json:"parent,omitempty"` // the condition that it is a part of
	Holds   bool   `json:"holds"`
	Until   Time   `json:"until,omitempty"`    // when that may change without an event; absent: never
	Number  *int64 `json:"number,omitempty"`   // what was compared: events, values or orders, ten-thousandths of a sum, minor units of money
	AtLeast bool   `json:"at_least,omitempty"` // there may be more than number, as no more are remembered
	Text    string `json:"text,omitempty"`     // what was compared
	Moments []Time `json:"moments,omitempty"`  // of the events that count, at most 10
	Inexact bool   `json:"inexact,omitempty"`  // events from before those that are remembered might make it hold
}

// AudiencePreviewRequest asks how many people an audience would have that is not defined.
type AudiencePreviewRequest struct {
	Text  string `json:"text"`
	Exact bool   `json:"exact,omitempty"` // true: look at everybody, however long that takes; false: at about 20,000
}

// AudiencePreview says how many people an audience would have. Where not everybody was looked at, counts are estimates.
type AudiencePreview struct {
	AsOf       Time               `json:"as_of"`
	Text       string             `json:"text"`  // the conditions, written as they are everywhere
	Exact      bool               `json:"exact"` // everybody was looked at
	LookedAt   int                `json:"looked_at"`
	People     PreviewCount       `json:"people"`
	Members    PreviewCount       `json:"members"`
	Conditions []PreviewCondition `json:"conditions"` // those that are joined with "&&", in their order
	Sample     []string           `json:"sample"`     // public ids of some members, at most 10
	Misses     []PreviewMiss      `json:"misses"`     // some people for whom all conditions hold but one, at most 10
}

// PreviewCount is a number of people: all of them, and those with more than a cookie or a device.
type PreviewCount struct {
	All   PreviewNumber `json:"all"`
	Known PreviewNumber `json:"known"`
}

// PreviewNumber is an estimate with the bounds between which the number lies, 19 times of 20. All three are equal where it is exact.
type PreviewNumber struct {
	Estimate int64 `json:"estimate"`
	Low      int64 `json:"low"`
	High     int64 `json:"high"`
}

// PreviewCondition says for how many people a condition holds.
type PreviewCondition struct {
	ID    string        `json:"id"` // in the tree
	Text  string        `json:"text"`
	Alone PreviewNumber `json:"alone"`
	Kept  PreviewNumber `json:"kept"` // those for whom all conditions before it hold, too
}

// PreviewMiss is a person whom one condition keeps out.
type PreviewMiss struct {
	ID        string `json:"id"`
	Condition string `json:"condition"` // its id
}
