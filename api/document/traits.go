package document

import (
	"bytes"
	"encoding/json"

	"github.com/kindred-id/kindred/graph"
)

// TraitPage is a page of the traits of a person, by name.
type TraitPage struct {
	ID     string     `json:"id"` // public id of the person
	Traits Traits     `json:"traits"`
	Next   TextOrNull `json:"next"` // cursor of the next page; null at the end
}

// AnyTraits is a TraitPage, or VerboseTraits where these were asked for.
type AnyTraits struct{}

// VerboseTraits are a page of the traits of a person, by name, with where each comes from.
type VerboseTraits struct {
	ID     string                  `json:"id"` // public id of the person
	Traits map[string]VerboseTrait `json:"traits"`
	Next   TextOrNull              `json:"next"` // cursor of the next page; null at the end
}

// VerboseTrait is a trait, with the event that set it.
type VerboseTrait struct {
	Value     json.RawMessage `json:"value"`
	UpdatedAt Time            `json:"updated_at"` // time of the event
	Source    TextOrNull      `json:"source"`     // the system that sent it; null where the event is no longer kept
	MessageID TextOrNull      `json:"message_id"` // of the event; null where it is no longer kept
}

// TraitOrigins finds the events that set traits. A profile knows of a trait the stamp of its event alone, so its source
// is read from the event itself: show it all events of the person.
type TraitOrigins struct {
	traits  []graph.TraitValue
	origins []origin // of traits
}

type origin struct{ source, message string }

// NewTraitOrigins looks for the events that set these traits.
func NewTraitOrigins(traits []graph.TraitValue) *TraitOrigins {
	return &TraitOrigins{traits, make([]origin, len(traits))}
}

// Observe notes whether an event set one of the traits.
func (t *TraitOrigins) Observe(e *graph.Event) {
	for i := range t.traits {
		have := &t.traits[i]
		if have.Stamp != e.Stamp {
			continue
		}
		for j := range e.Traits {
			if string(e.Traits[j].Name) == have.Name && bytes.Equal(e.Traits[j].Value, have.Value) {
				t.origins[i] = origin{string(e.Source), string(e.ID)}
			}
		}
	}
}

// Verbose describes the trait i.
func (t *TraitOrigins) Verbose(i int) VerboseTrait {
	from := t.origins[i]
	return VerboseTrait{
		Value: t.traits[i].Value, UpdatedAt: NewTime(t.traits[i].Stamp.Time), Source: TextOrNull(from.source), MessageID: TextOrNull(from.message),
	}
}
