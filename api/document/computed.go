package document

import "encoding/json"

// ComputedTraits are the computed traits that are defined, by key.
type ComputedTraits struct {
	Version uint64          `json:"version"` // counts the changes, of audiences as well; 0 where there never was one
	Filled  uint64          `json:"filled"`  // the version for which all stored events were looked through; below version, that is under way
	Traits  []ComputedTrait `json:"traits"`
}

// ComputedTrait is a value that follows from the events or orders of a person, as text and as it is stored.
type ComputedTrait struct {
	Key    string          `json:"key"`
	Text   string          `json:"text"`
	Of     json.RawMessage `json:"of" jsonschema:"type=object"`
	Serves bool            `json:"serves"` // false while the trait is new, and stored events are being looked through
}

// ComputedTraitsRequest defines computed traits.
type ComputedTraitsRequest struct {
	Traits map[string]string `json:"traits"`          // texts by key; those of other keys stay as they are
	Prune  bool              `json:"prune,omitempty"` // true: those of other keys are deleted
}
