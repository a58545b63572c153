package segment

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// Bounds of one event.
const (
	// MaxIDBytes bounds message ids, order ids, coupons, ids and classes of offers, and categories of products. Longer
	// ones are replaced by their hash.
	MaxIDBytes = 100
	// MaxIdentifiers bounds the identifiers of an event, including blocked ones.
	MaxIdentifiers = 100
	// MaxTraits bounds the traits that an event sets. The first ones are kept.
	MaxTraits = 300
)

// Decoder reads events, for one goroutine at a time.
type Decoder struct {
	registry   *identifier.Registry
	normaliser *identifier.Normaliser
	namespaces namespaces
	paths      *pathNode
	sources    []string
	apart      []string // sources that number their messages apart
	// formerUntil is Options.FormerUntil.
	formerUntil int64
	currency    graph.Currency
	limit       int
	window      window
	always      bool            // live, unless a batch says otherwise
	live        bool            // see Options.Live
	want        graph.EventType // of the events of a batch; 0 is any
	sentAt      int64           // of the batch; noTime if absent
	oddSentAt   []byte          // the batch's unreadable sentAt, until it is reported with an accepted event
	context     []byte          // of the batch; nil if absent
	contextKeys contextKeys
	contextMax  int
	ipPolicy    IPPolicy
	fallback    []byte // id for the current event if it has none of its own; nil if there is none
	arena       jsonscan.Arena
	hash        hash.Hash
	stats       Stats
	told        int // drops reported since the last Reset

	// The rest is the state of the current event.
	scan   jsonscan.Scanner
	side   jsonscan.Scanner // for a value within it
	fields fields
	own    traitSet // traits
	shared traitSet // context.traits
	found  []candidate
	held   held // of the context
	order  orderReader
	aside  graph.Event // whose identifiers are the readings of a previousId
	// clientTime is the event's time as its client sent it, before any correction; noTime if it sent no readable time.
	// Unlike the event's own time it does not depend on when and how many times the event was sent.
	clientTime int64
	rooms      [2]money.Room // for amounts in strings
	drops      []Drop
	// tellable is how many of the drops may be reported.
	tellable int
}

// Stats counts what a decoder left out of events, or changed in them (E3).
type Stats struct {
	Empty             uint64 `json:"empty"`              // identifiers that are empty
	Blocked           uint64 `json:"blocked"`            // identifiers that stand for no one: "null", a zero UUID
	Invalid           uint64 `json:"invalid"`            // identifiers that are invalid in their namespace, or not text
	TooLong           uint64 `json:"too_long"`           // identifiers above identifier.MaxBytes
	UnknownNamespaces uint64 `json:"unknown_namespaces"` // identifiers of an unregistered namespace, or not of a user
	ExcessTraits      uint64 `json:"excess_traits"`      // traits above MaxTraits
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
	d := &Decoder{
		registry:    reg,
		normaliser:  reg.NewNormaliser(),
		namespaces:  newNamespaces(reg),
		paths:       newPaths(reg, opts.Paths),
		sources:     opts.Sources,
		apart:       opts.SourcesApart,
		formerUntil: opts.FormerUntil,
		currency:    opts.currency(),
		limit:       opts.MaxEventBytes,
		window:      opts.Times.window(),
		always:      opts.Live,
		live:        opts.Live,
		sentAt:      noTime,
		hash:        sha256.New(),
		contextMax:  cmp.Or(opts.Context.MaxBytes, DefaultContextBytes),
		ipPolicy:    opts.Context.IP,
	}
	d.contextKeys = newContextKeys(opts.Context, d.paths)
	d.held = newHeld(len(d.contextKeys.list))
	if d.limit == 0 {
		d.limit = DefaultMaxEventBytes
	}
	return d
}

// Stats returns the counts since the last Reset. The decoder owns the maps in it until then.
func (d *Decoder) Stats() Stats { return d.stats }

// Reset begins a new batch: it zeroes the counts, forgets the batch's context, and reuses the memory of the events
// read so far, which may not be used any more. Do not call it while a commit still reads these events.
func (d *Decoder) Reset() {
	d.arena.Reset()
	d.stats = Stats{}
	d.drops, d.told, d.tellable = d.drops[:0], 0, 0
	d.context = nil
	d.live, d.want = d.always, 0
	d.sentAt, d.oddSentAt = noTime, nil
}

// SetContext sets the context of a batch: it supplies values for the keys that an event's own context lacks. It holds
// until the next SetContext or Reset, and raw must not change until then; nil or JSON null means no context. A
// context that is not an object is dropped, and reported for every event without a context of its own. SetContext
// fails with a *Rejection, and the batch then has no context.
func (d *Decoder) SetContext(raw []byte) error {
	d.context = nil
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
		d.context = v.Raw
		if s.Spaced() || s.Broken() { // once here instead of for every event
			d.context = d.tidied(v.Raw)
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
	d.drops, d.tellable = d.drops[:0], 0
	r := d.read(raw, received, source, ev)
	if r != nil && r.Code == CodeUnknownType && d.want != 0 && absent(d.fields.typ) {
		d.drops = d.drops[:0]
		r = d.read(withType(raw, d.want), received, source, ev)
	}
	if r == nil || r.Code == CodeNoIdentifier {
		if d.oddSentAt != nil {
			d.dropUnreadableTime("sentAt", d.oddSentAt)
			d.oddSentAt = nil
		}
		if len(d.drops) > 0 {
			d.countDrops()
		}
	}
	if r != nil {
		return r
	}
	return nil
}

func (d *Decoder) read(raw []byte, received int64, source []byte, ev *graph.Event) *Rejection {
	if len(raw) > d.limit {
		return TooLarge(d.limit)
	}
	if r := d.pick(raw); r != nil {
		return r
	}
	f := &d.fields
	if r := d.check(); r != nil {
		return r
	}
	var r *Rejection
	if ev.Type, r = d.eventType(); r != nil {
		return r
	}
	if d.want != 0 && ev.Type != d.want {
		return wrongType(ev.Type, d.want)
	}
	ev.Stamp.Time = d.eventTime(received)
	if r := d.identify(ev); r != nil {
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
	d.mergeTraits(ev)
	d.key(ev)
	d.keepContext(ev)
	ev.Properties = nil
	if f.properties.Kind == jsonscan.Object {
		ev.Properties = f.properties.Raw
	}
	if f.broken {
		d.mend(ev)
	}
	return d.readCommerce(ev)
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
}

// readCommerce reads an event's order, offer and products.
func (d *Decoder) readCommerce(ev *graph.Event) *Rejection {
	ev.Order, ev.Offer = graph.OrderChange{Lines: ev.Order.Lines[:0]}, graph.OfferNotice{}
	ev.Interest.Kind, ev.Interest.Categories = graph.InterestNone, ev.Interest.Categories[:0]
	if ev.Type != graph.TypeTrack {
		return nil
	}
	m := meaningOf(ev.Name)
	if m.order != graph.OrderNone {
		d.order.read(d, m.order, ev)
		// An order with the code of an offer redeems it.
		if m.order == graph.OrderCompleted && len(ev.Order.Coupon) > 0 {
			ev.Offer = graph.OfferNotice{Signal: score.OfferRedeemed, ID: ev.Order.Coupon}
		}
	}
	if m.interest != graph.InterestNone {
		d.readInterest(m.interest, ev)
	}
	if m.offer != score.OfferNone {
		d.readOffer(m.offer, ev)
	}
	return nil
}

// name returns the text of a string; it drops any other value.
func (d *Decoder) name(field string, v jsonscan.Value) []byte {
	if v.Kind > jsonscan.Null && v.Kind != jsonscan.String {
		d.dropKind(field, "a string", v.Kind)
		return nil
	}
	return d.text(v)
}

// text returns the text of a string, or a number's own text; nil for any other value.
func (d *Decoder) text(v jsonscan.Value) []byte {
	switch v.Kind {
	case jsonscan.String:
		if v.Escaped {
			return d.arena.Unescape(v.Inside())
		}
		return v.Inside()
	case jsonscan.Number:
		return v.Raw
	}
	return nil
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
	id := bytes.TrimSpace(d.text(d.fields.messageID))
	if d.fields.messageID.Kind == jsonscan.Number && !isInteger(id) { // 7.0 equals 7, as in other ids
		id, _ = appendNumber(nil, id)
	}
	if len(id) > 0 {
		if d.fields.broken && hasReplacement(id) {
			return d.bounded(d.hashed(d.fields.messageID.Raw)) // ids that differ in the lost part are different
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
	if d.live && d.clientTime == noTime {
		room := d.arena.Reserve(8)
		d.hash.Write(binary.BigEndian.AppendUint64(room, uint64(received)))
	}
	return d.digest("h:", 16)
}

// bounded returns id, or its hash if it is longer than MaxIDBytes.
func (d *Decoder) bounded(id []byte) []byte {
	if len(id) <= MaxIDBytes {
		return id
	}
	return d.hashed(id)
}

func (d *Decoder) hashed(id []byte) []byte {
	d.hash.Reset()
	d.hash.Write(id)
	return d.digest("sha256:", sha256.Size)
}

// digest writes the first bytes of the hash in hexadecimal, after a prefix.
func (d *Decoder) digest(prefix string, size int) []byte {
	room := d.arena.Reserve(len(prefix) + 2*sha256.Size + sha256.Size)
	sum := d.hash.Sum(room[len(prefix)+2*sha256.Size : len(prefix)+2*sha256.Size])
	text := append(room, prefix...)
	return d.arena.Keep(hex.AppendEncode(text, sum[:size]))
}
