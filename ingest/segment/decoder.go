package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Bounds of one event.
const (
	// MaxIDBytes bounds message ids, order ids, coupons, ids and classes of offers, and categories of products. Longer
	// ones are replaced by their hash.
	MaxIDBytes = 100
	// maxIdentifiers bounds the identifiers of an event, including blocked ones.
	maxIdentifiers = 100
	// maxTraits bounds the traits that an event sets. The first ones are kept.
	maxTraits = 300
)

// Decoder reads events. One goroutine at a time uses it. Each part reads one side of an event, from the fields that picker
// collected, and drops what it can't use:
//
//	raw ──► picker ──fields, traits, candidates──► eventClock ──► identifierReader ──► messageID
//	                                                                                      │
//	         graph.Event ◄── commerceReader ◄── contextKeeper ◄── fingerprinter ◄── traits ◄──┘
//
// Invariants:
//   - Parts interpret fields only after picker has returned: until then the record may still prove to be invalid (J4 of
//     jsonscan), and a key that repeats may replace a field.
//   - tools, within picker, is the memory and the list of drops that all parts share. Everything that a part returns points into it or
//     into the record (E6).
//   - The fingerprint needs type, name, identifiers and traits, so these come before it.
//
// The obvious design, a struct of raw messages for encoding/json, takes fifteen times as long and allocates for each field:
// docs/decisions/0025-the-json-scanner.md.
type Decoder struct {
	picker
	clock       eventClock
	identifiers identifierReader
	keeper      contextKeeper
	fingerprint fingerprinter
	commerce    commerceReader

	sources  []string
	apart    []string // sources that number their messages apart
	limit    int
	want     graph.EventType // of the events of a batch; 0 is any
	fallback []byte          // id for the current event if it has no id of its own; nil if absent
}

// Stats counts what a decoder left out of events, or changed in them (E3).
type Stats struct {
	Empty             uint64 `json:"empty"`              // identifiers that are empty
	Blocked           uint64 `json:"blocked"`            // identifiers that stand for no one: "null", a zero UUID
	Invalid           uint64 `json:"invalid"`            // identifiers that are invalid in their namespace, or not text
	TooLong           uint64 `json:"too_long"`           // identifiers above identifier.MaxBytes
	UnknownNamespaces uint64 `json:"unknown_namespaces"` // identifiers of an unregistered namespace, or not of a user
	ExcessTraits      uint64 `json:"excess_traits"`      // traits above maxTraits
	Clamped           uint64 `json:"clamped"`            // event times too far ahead, set to the time of reception: receivedAt, or ours
	Corrected         uint64 `json:"corrected"`          // event times of a wrong clock, corrected by sentAt
	NoZone            uint64 `json:"no_zone"`            // times without a zone, taken for UTC
	EpochUnits        uint64 `json:"epoch_units"`        // times in seconds, or micro- or nanoseconds, since 1970
	Mended            uint64 `json:"mended"`             // events with half a surrogate pair or NUL in a text
	// Words counts the blocked identifiers by the word or rule that blocked them.
	Words WordCounts `json:"words,omitempty"`
	// Fields counts dropped fields by field and code.
	Fields DropCounts `json:"-"`
}

// Add adds the counts of another decoder.
func (s *Stats) Add(other Stats) {
	s.Empty += other.Empty
	s.Blocked += other.Blocked
	s.Invalid += other.Invalid
	s.TooLong += other.TooLong
	s.UnknownNamespaces += other.UnknownNamespaces
	s.ExcessTraits += other.ExcessTraits
	s.Clamped += other.Clamped
	s.Mended += other.Mended
	s.Corrected += other.Corrected
	s.NoZone += other.NoZone
	s.EpochUnits += other.EpochUnits
	s.Words.Add(other.Words)
	s.Fields.Add(other.Fields)
}

// NewDecoder returns a decoder. It panics if opts.Check fails.
func NewDecoder(reg *identifier.Registry, opts Options) *Decoder {
	if err := opts.Check(reg); err != nil {
		panic(err)
	}
	d := &Decoder{sources: opts.Sources, apart: opts.SourcesApart, limit: cmp.Or(opts.MaxEventBytes, DefaultMaxEventBytes)}
	d.picker = newPicker(reg, opts)
	d.clock = eventClock{picker: &d.picker, window: opts.Times.window(), always: opts.Live, live: opts.Live, sentAt: noTime}
	d.identifiers = identifierReader{picker: &d.picker, normaliser: reg.NewNormaliser(), namespaces: newNamespaces(reg)}
	d.keeper = contextKeeper{picker: &d.picker, max: cmp.Or(opts.Context.MaxBytes, defaultContextBytes), policy: opts.Context.IP}
	d.fingerprint = fingerprinter{picker: &d.picker, formerUntil: opts.FormerUntil}
	d.commerce = commerceReader{picker: &d.picker, clock: &d.clock, currency: opts.currency()}
	return d
}

// Stats returns the counts since the last Reset. The decoder owns the maps in it until then.
func (d *Decoder) Stats() Stats { return d.stats }

// Reset begins a new batch: it zeroes the counts, forgets the batch's context, and reuses the memory of the events
// read so far, which may not be used any more. Do not call it while a commit still reads these events.
func (d *Decoder) Reset() {
	d.arena.Reset()
	d.stats = Stats{}
	d.list, d.told, d.tellable = d.list[:0], 0, 0
	d.picker.context, d.want = nil, 0
	d.clock.live = d.clock.always
	d.clock.sentAt, d.clock.oddSentAt = noTime, nil
}

// SetContext sets the context of a batch: it supplies values for the keys that an event's own context lacks. It holds
// until the next SetContext or Reset, and raw must not change until then; nil or JSON null means no context. A
// context that is not an object is dropped, and reported for every event without a context of its own. SetContext
// fails with a *Rejection, and the batch then has no context.
func (d *Decoder) SetContext(raw []byte) error {
	d.picker.context = nil
	if raw == nil {
		return nil
	}
	var s jsonscan.Scanner
	s.Reset(raw, &d.arena)
	v := s.Value()
	if err := s.End(); err != nil {
		r := unreadable(err)
		r.Field = "context"
		return r
	}
	if !absent(v) {
		d.picker.context = v.Raw
		if s.Spaced() || s.Broken() { // once here instead of for every event
			d.picker.context = d.tidied(v.Raw)
		}
	}
	return nil
}

// SetType sets the type that events must have until the next Reset, as the route of a request does. Other types are
// rejected; an event may omit its type.
func (d *Decoder) SetType(t graph.EventType) { d.want = t }

// Event reads one event. raw is its JSON text, received the time of its arrival in ms since 1970 UTC, and source the
// system that sent it. It fills ev and reuses ev's slices; they point into raw, into source and into the arena, and
// are valid until one of these changes.
//
// It fails with a *Rejection, and then ev is undefined.
func (d *Decoder) Event(raw []byte, received int64, source []byte, ev *graph.Event) error {
	return d.Record(raw, received, source, nil, ev)
}

// Record is Event for an event in a record with a position, from which id is derived: it becomes the event's id if
// the event has none. The event may point into id.
func (d *Decoder) Record(raw []byte, received int64, source, id []byte, ev *graph.Event) error {
	d.fallback = id
	d.list, d.tellable = d.list[:0], 0
	r := d.read(raw, received, source, ev)
	if r != nil && r.Code == CodeUnknownType && d.want != 0 && absent(d.picker.fields.typ) {
		d.list = d.list[:0]
		r = d.read(withType(raw, d.want), received, source, ev)
	}
	if r == nil || r.Code == CodeNoIdentifier {
		if d.clock.oddSentAt != nil {
			d.clock.dropUnreadableTime("sentAt", d.clock.oddSentAt)
			d.clock.oddSentAt = nil
		}
		if len(d.list) > 0 {
			d.countDrops()
		}
	}
	if r != nil {
		return r
	}
	return nil
}

// read decodes an event once its text was picked apart. The order of the steps matters: the type decides what a field
// means; without an identifier there is no event; and the fingerprint needs type, name, identifiers and traits as they
// are after drops.
func (d *Decoder) read(raw []byte, received int64, source []byte, ev *graph.Event) *Rejection {
	if len(raw) > d.limit {
		return TooLarge(d.limit)
	}
	if r := d.picker.pick(raw); r != nil {
		return r
	}
	f := &d.picker.fields
	if r := d.picker.check(); r != nil {
		return r
	}
	var r *Rejection
	if ev.Type, r = d.picker.eventType(); r != nil {
		return r
	}
	if d.want != 0 && ev.Type != d.want {
		return wrongType(ev.Type, d.want)
	}
	ev.Stamp.Time = d.clock.eventTime(received)
	if r := d.identifiers.identify(ev); r != nil {
		return r
	}
	ev.ID = d.messageID(raw, received)
	ev.Source = source
	ev.Apart = d.numbersApart(source)
	ev.Stamp.Rank = d.rank(source)
	ev.Received = received
	ev.Name = nil
	switch ev.Type {
	case graph.TypeTrack:
		ev.Name = d.name("event", f.event)
	case graph.TypePage, graph.TypeScreen:
		ev.Name = d.name("name", f.name)
	}
	d.picker.mergeTraits(ev)
	d.picker.readGroup(ev)
	d.fingerprint.key(ev)
	d.identifiers.mention(ev, &d.clock)
	d.identifiers.form(ev)
	d.keeper.keepContext(ev)
	ev.Properties = nil
	if f.properties.Kind == jsonscan.Object {
		ev.Properties = f.properties.Raw
	}
	if f.broken {
		d.mend(ev)
	}
	return d.commerce.readCommerce(ev)
}

// withType returns a copy of an event with its type. REQUIRES: raw is a JSON object.
func withType(raw []byte, typ graph.EventType) []byte {
	body := bytes.TrimRight(raw, " \t\r\n")
	body = bytes.TrimRight(body[:len(body)-1], " \t\r\n") // without the closing brace
	typed := make([]byte, 0, len(body)+24)
	typed = append(typed, body...)
	if len(body) > 0 && body[len(body)-1] != '{' {
		typed = append(typed, ',')
	}
	return append(append(append(typed, `"type":"`...), typ.String()...), `"}`...)
}

// mend replaces invalid text in the values that are stored as JSON.
func (d *Decoder) mend(ev *graph.Event) {
	d.stats.Mended++
	ev.Properties = d.mended(ev.Properties)
	for i := range ev.Traits {
		ev.Traits[i].Value = d.mended(ev.Traits[i].Value)
	}
	if g := ev.Group; g != nil {
		for i := range g.Traits {
			g.Traits[i].Value = d.mended(g.Traits[i].Value)
		}
	}
}

// rank returns the rank of a source: the first one listed has the highest.
func (d *Decoder) rank(source []byte) uint8 {
	for i, s := range d.sources {
		if s == string(source) {
			return uint8(len(d.sources) - i)
		}
	}
	return 0
}

// numbersApart reports whether a source numbers its messages independently.
func (d *Decoder) numbersApart(source []byte) bool {
	for _, s := range d.apart {
		if s == string(source) {
			return true
		}
	}
	return false
}

// messageID returns the event's id. A long id becomes its hash. An event without an id, or with a placeholder, gets
// the id of its record, or the hash of its text, so that it is recognised when it is read again.
func (d *Decoder) messageID(raw []byte, received int64) []byte {
	id := bytes.TrimSpace(d.text(d.picker.fields.messageID))
	if d.picker.fields.messageID.Kind == jsonscan.Number && !isInteger(id) { // 7.0 equals 7, as in other ids
		id, _ = appendNumber(nil, id)
	}
	if len(id) > 0 {
		if d.picker.fields.broken && hasReplacement(id) {
			return d.bounded(d.hashed(d.picker.fields.messageID.Raw)) // ids that differ in the lost part are different
		}
		if !identifier.Junk(id) {
			return d.bounded(id)
		}
		d.dropQuoted("messageId", CodeJunkID, id, "names no message, so the event is known by its text",
			"send a new id with each event, and the same one with each retry; or leave it out")
	}
	if len(d.fallback) > 0 {
		return d.bounded(d.fallback)
	}
	d.hash.Reset()
	d.hash.Write(bytes.TrimSpace(raw)) // surrounding space depends on the source
	if d.clock.live && d.clock.clientTime == noTime {
		room := d.arena.Reserve(8)
		d.hash.Write(binary.BigEndian.AppendUint64(room, uint64(received)))
	}
	return d.digest("h:", 16)
}
