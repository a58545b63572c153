package generate

// A fact is the content of one event, in terms of the truth.
type fact struct {
	time   int64
	person uint64
	kind   eventKind
	ids    [8]ident // distinct
	idents int
	traits [8]traitFact
	sets   int // traits set
	order  orderFact
}

// A traitFact points at the value of a trait in the event's line.
type traitFact struct {
	trait    uint8
	from, to int
}

type eventKind uint8

const (
	kindIdentify eventKind = iota
	kindTrack
	kindPage
	kindScreen
	kindGroup
	kindAlias
	eventKinds
)

var eventTypes = [eventKinds]string{"identify", "track", "page", "screen", "group", "alias"}

func (f *fact) carry(id ident) {
	for _, known := range f.ids[:f.idents] {
		if known == id {
			return
		}
	}
	f.ids[f.idents] = id
	f.idents++
}

// setsTrait reports whether the event sets a trait.
func (f *fact) setsTrait(trait uint8) bool {
	for _, set := range f.traits[:f.sets] {
		if set.trait == trait {
			return true
		}
	}
	return false
}
