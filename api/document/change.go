package document

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Change is an entry of the change feed: a CloudEvent 1.0 in JSON. Its type says what data is: kindred.identity.created
// and kindred.identity.updated are an IdentityChange, kindred.identity.linked a Linked, kindred.identity.merged a Merged,
// kindred.identity.split a Split, kindred.identity.erased an Erased, kindred.identifier.generic a GenericValue,
// and kindred.identity.entered and kindred.identity.exited an AudienceChange.
type Change struct {
	SpecVersion     string             `json:"specversion" jsonschema:"enum=1.0"`
	ID              string             `json:"id"`     // shard and number, which with source name the entry for ever
	Source          string             `json:"source"` // the change feed
	Type            string             `json:"type" jsonschema:"enum=kindred.identity.created,enum=kindred.identity.linked,enum=kindred.identity.merged,enum=kindred.identity.split,enum=kindred.identity.updated,enum=kindred.identity.erased,enum=kindred.identifier.generic,enum=kindred.identity.entered,enum=kindred.identity.exited"`
	Subject         string             `json:"subject"` // public id of the person
	Time            Time               `json:"time"`    // when the change was made
	DataContentType string             `json:"datacontenttype" jsonschema:"enum=application/json"`
	Data            Encoded[AnyChange] `json:"data"`
}

// AnyChange is an IdentityChange, Linked, Merged, Split, AudienceChange, GenericValue or Erased.
type AnyChange struct{}

// Kind is the entry's kind by its short name, such as "updated".
func (c *Change) Kind() string { return c.Type[strings.LastIndexByte(c.Type, '.')+1:] }

// IdentityChange says what is new about a person.
type IdentityChange struct {
	Rules    string          `json:"rules"`              // version of the rules that made the change, in hexadecimal
	Complete bool            `json:"complete,omitempty"` // identity is all that is known; else only what changed
	Scores   Encoded[Scores] `json:"scores,omitempty"`   // as of the delivery of the entry, where they were asked for
	Identity IdentityDelta   `json:"identity"`
}

// IdentityDelta is what changed about a person. With complete, everything is there, and what is not is no more.
type IdentityDelta struct {
	Events          *uint64          `json:"events,omitempty"`           // distinct message ids
	FirstSeen       *Time            `json:"first_seen,omitempty"`       // time of the first event
	LastSeen        *Time            `json:"last_seen,omitempty"`        // time of the last event
	Counts          *CountsDelta     `json:"counts,omitempty"`           // events by type; null: none any more
	Identifiers     []Sighting       `json:"identifiers,omitempty"`      // new ones, and those with another time
	IdentifiersLeft []string         `json:"identifiers_left,omitempty"` // ids of identifiers that are another person's now
	Traits          Traits           `json:"traits,omitempty"`           // null: the trait was deleted
	ByCurrency      map[string]*Sums `json:"by_currency,omitempty"`      // by ISO 4217 code; null: no orders any more
}

// CountsDelta are counts of events by type, null where there are none any more.
type CountsDelta struct {
	Identify CountOrNull `json:"identify,omitempty"`
	Track    CountOrNull `json:"track,omitempty"`
	Page     CountOrNull `json:"page,omitempty"`
	Screen   CountOrNull `json:"screen,omitempty"`
	Group    CountOrNull `json:"group,omitempty"`
	Alias    CountOrNull `json:"alias,omitempty"`
}

// UnmarshalJSON refuses a type of event that is not known here: a reader that left it out would keep a wrong count.
func (d *CountsDelta) UnmarshalJSON(text []byte) error {
	type counts CountsDelta // without this method
	strict := json.NewDecoder(bytes.NewReader(text))
	strict.DisallowUnknownFields()
	return strict.Decode((*counts)(d))
}

// Sighting is an identifier, with the times between which events named it as this person's.
type Sighting struct {
	IdentifierName
	FirstSeen TimeOrNull `json:"first_seen"` // null where only an assertion names it
	LastSeen  TimeOrNull `json:"last_seen"`  // null where only an assertion names it
}

// IdentifierName is an identifier with the public id that stands for it.
type IdentifierName struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

// Linked says that an identifier was linked to a person.
type Linked struct {
	Rules      string         `json:"rules"` // version of the rules that made the change, in hexadecimal
	Identifier IdentifierName `json:"identifier"`
	Cause      *Cause         `json:"cause" jsonschema:"nullable"` // null where no single link is to blame
}

// Merged says that people turned out to be one.
type Merged struct {
	Rules  string   `json:"rules"`                       // version of the rules that made the change, in hexadecimal
	Winner string   `json:"winner"`                      // public id of the person that remains
	Losers []string `json:"losers"`                      // public ids that now lead to the winner
	Cause  *Cause   `json:"cause" jsonschema:"nullable"` // null where no single link is to blame
}

// Split says that one person turned out to be several.
type Split struct {
	Rules string   `json:"rules"` // version of the rules that made the change, in hexadecimal
	Into  []string `json:"into"`  // public ids of the people
}

// GenericValue says that an identifier is shared by too many to stand for one person: it joins nobody any more.
type GenericValue struct {
	Rules      string         `json:"rules"` // version of the rules that made the change, in hexadecimal
	Identifier IdentifierName `json:"identifier"`
}

// AudienceChange says that a person entered or left an audience.
type AudienceChange struct {
	Rules    string        `json:"rules"`    // version of the rules that made the change, in hexadecimal
	Audience string        `json:"audience"` // its key
	Cause    AudienceCause `json:"cause"`
}

// AudienceCause says why a person entered or left an audience.
type AudienceCause struct {
	Kind  string      `json:"kind" jsonschema:"enum=event,enum=merge,enum=split,enum=time,enum=definition"`
	Event *CauseEvent `json:"event,omitempty"` // of an event
}

// Erased says that a person was erased.
type Erased struct {
	Rules string `json:"rules"` // version of the rules that made the change, in hexadecimal
}

// Cause is the link that made a change: of an event, or of an operator's assertion.
type Cause struct {
	Verb      string            `json:"verb" jsonschema:"enum=observe,enum=identify,enum=alias,enum=force"`
	Between   [2]IdentifierName `json:"between"`
	Assertion string            `json:"assertion,omitempty"` // id of the assertion
	Event     *CauseEvent       `json:"event,omitempty"`
}

// CauseEvent names an event.
type CauseEvent struct {
	Source    string `json:"source"` // the system that sent it
	MessageID string `json:"message_id"`
	Time      Time   `json:"time"`
}
