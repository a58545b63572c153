package row

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Fields of an event, and of an identifier and a trait in its lists.
const (
	eventFields      = 18
	eventFieldsV2    = 15 // without context, apart, and the roles of an alias
	eventFieldsV1    = 13 // also without offer notice and interest
	identifierFields = 4
	traitFields      = 2

	identifierLeast = keyLen + 2 + 3 // bytes
	traitLeast      = 2
)

// Event appends an event. Without whole, it omits the properties and the context, as for travel between shards. It
// writes nothing of an order change of kind OrderNone.
func (e *Encoder) Event(dst []byte, ev *graph.Event, whole bool) []byte {
	e.begin(dst, e.out.version.event).event(ev, whole)
	return e.finish()
}

func (o *output) event(ev *graph.Event, whole bool) {
	identifiers := ev.Identifiers
	switch o.version.event {
	case 1:
		o.array(eventFieldsV1)
	case 2:
		o.array(eventFieldsV2)
	default:
		o.array(eventFields)
	}
	if o.version.event < 3 {
		identifiers = o.formerIdentifiers(ev)
	}
	o.bytes(ev.ID)
	o.bytes(ev.Source)
	o.uint(ev.Seen)
	o.stamp(ev.Stamp)
	o.int(ev.Received)
	o.uint(uint64(ev.Type))
	o.bytes(ev.Name)
	o.array(identifierFields * len(identifiers))
	for i := range identifiers {
		id := &identifiers[i]
		o.key(id.Key)
		o.text(id.Namespace)
		o.bytes(id.Value)
		o.bytes(id.Raw)
	}
	o.array(traitFields * len(ev.Traits))
	for i := range ev.Traits {
		o.bytes(ev.Traits[i].Name)
		o.bytes(ev.Traits[i].Value)
	}
	if o.version.event < 3 {
		o.formerEnd(ev, whole)
		return
	}
	o.orderChange(&ev.Order)
	o.notice(&ev.Offer)
	o.interest(&ev.Interest)
	if whole {
		o.bytes(ev.Properties)
		o.bytes(ev.Context)
	} else {
		o.null()
		o.null()
	}
	o.bool(ev.Apart)
	o.aliasRoles(ev)
}

// formerEnd writes the fields that follow the traits in an event of version 1 or 2.
func (o *output) formerEnd(ev *graph.Event, whole bool) {
	o.formerOrderChange(&ev.Order)
	if o.version.event == 1 {
		o.leave(ev.Offer.Signal != score.OfferNone || ev.Interest.Kind != graph.InterestNone)
	} else {
		o.notice(&ev.Offer)
		o.interest(&ev.Interest)
	}
	if whole {
		o.bytes(ev.Properties)
	} else {
		o.null()
	}
	o.leave(ev.Apart || whole && ev.Context != nil)
}

// formerIdentifiers returns an event's identifiers in the order of versions 1 and 2: descending rank, even for an
// alias, whose readers in those versions take all of them for previous ones.
func (o *output) formerIdentifiers(ev *graph.Event) []graph.Identifier {
	if ev.Type != graph.TypeAlias {
		return ev.Identifiers
	}
	for _, role := range ev.Alias {
		o.leave(role != graph.AliasCarried|graph.AliasPrevious)
	}
	o.leave(len(ev.Alias) == 0)
	byRank := func(a, b graph.Identifier) int { return b.Key.Compare(a.Key) }
	if slices.IsSortedFunc(ev.Identifiers, byRank) {
		return ev.Identifiers
	}
	return slices.SortedFunc(slices.Values(ev.Identifiers), byRank)
}

// aliasRoles writes one byte for each identifier of an alias with roles, and nil for any other event.
func (o *output) aliasRoles(ev *graph.Event) {
	if ev.Type != graph.TypeAlias || len(ev.Alias) == 0 {
		o.null()
		return
	}
	var room [32]byte
	roles := room[:0]
	for _, role := range ev.Alias {
		roles = append(roles, byte(role))
	}
	o.bytes(roles)
}

// Event reads an event. Its byte slices share src's memory.
func (d *Decoder) Event(src []byte) (*graph.Event, error) {
	ev := new(graph.Event)
	if err := d.EventInto(src, ev); err != nil {
		return nil, err
	}
	return ev, nil
}

// EventInto reads an event into ev and reuses ev's lists. Its byte slices share src's memory, so ev is valid only
// while src is unchanged. After an error the contents of ev are undefined.
func (d *Decoder) EventInto(src []byte, ev *graph.Event) error {
	d.begin("event", src, eventVersion)
	d.event(ev, d.version)
	return d.finish()
}

// event reads an event of the given version.
func (d *Decoder) event(ev *graph.Event, version uint64) {
	in := &d.in
	switch version {
	case 1:
		in.tuple(eventFieldsV1)
	case 2:
		in.tuple(eventFieldsV2)
	default:
		in.tuple(eventFields)
	}
	ev.ID = in.bytes()
	ev.Source = in.bytes()
	ev.Seen = in.uint()
	ev.Stamp = in.stamp()
	ev.Received = in.int()
	ev.Type = graph.EventType(in.enum("event type", 1, uint8(graph.EventTypes-1)))
	ev.Name = in.bytes()
	d.identifiers(ev)
	n := in.list(traitFields, traitLeast)
	ev.Traits = slices.Grow(ev.Traits[:0], n)
	for range n {
		ev.Traits = append(ev.Traits, graph.Trait{Name: in.bytes(), Value: in.bytes()})
	}
	if version < 3 {
		in.formerOrderChange(&ev.Order)
	} else {
		in.orderChange(&ev.Order)
	}
	ev.Offer = graph.OfferNotice{}
	ev.Interest.Kind, ev.Interest.Categories = graph.InterestNone, ev.Interest.Categories[:0]
	if version >= 2 {
		in.notice(&ev.Offer)
		in.interest(&ev.Interest)
	}
	ev.Properties = in.bytes()
	ev.Context, ev.Apart, ev.Former = nil, false, 0
	ev.Alias = ev.Alias[:0]
	if version >= 3 {
		ev.Context = in.bytes()
		ev.Apart = in.bool()
		in.aliasRoles(ev)
		return
	}
	if ev.Type == graph.TypeAlias { // these versions do not record the roles
		for range ev.Identifiers {
			ev.Alias = append(ev.Alias, graph.AliasCarried|graph.AliasPrevious)
		}
	}
}

// aliasRoles reads the roles of an alias's identifiers. It checks that the first identifier is not the highest: only
// then may an alias have roles.
func (in *input) aliasRoles(ev *graph.Event) {
	at := in.at
	roles := in.bytes()
	switch {
	case in.err != nil:
		return
	case len(roles) == 0:
		if len(ev.Identifiers) > 1 && !ev.Identifiers[0].Key.Outranks(ev.Identifiers[1].Key) {
			in.fail(at, "identifier 1 does not rank below the one before")
		}
		return
	case ev.Type != graph.TypeAlias || len(roles) != len(ev.Identifiers):
		in.fail(at, "%d roles of an alias in a %s of %d identifiers", len(roles), ev.Type, len(ev.Identifiers))
		return
	}
	for i, role := range roles {
		if role == 0 || int(role) >= graph.AliasRoles || i > 0 && ev.Identifiers[i].Key == ev.Identifiers[0].Key {
			in.fail(at, "identifier %d of an alias has the role %d", i, role)
			return
		}
		ev.Alias = append(ev.Alias, graph.AliasRole(role))
	}
}

// identifiers reads an event's identifiers: one or more, distinct, in descending rank except for the first of an alias.
func (d *Decoder) identifiers(ev *graph.Event) {
	in := &d.in
	at := in.at
	n := in.list(identifierFields, identifierLeast)
	if n == 0 {
		in.fail(at, "event without an identifier")
	}
	ev.Identifiers = slices.Grow(ev.Identifiers[:0], n)
	for i := range n {
		at := in.at
		id := graph.Identifier{Key: in.key(), Namespace: d.namespace(), Value: in.bytes(), Raw: in.bytes()}
		if in.err != nil {
			return
		}
		if (i > 1 || i > 0 && ev.Type != graph.TypeAlias) && !ev.Identifiers[i-1].Key.Outranks(id.Key) {
			in.fail(at, "identifier %d does not rank below the one before", i)
			return
		}
		ev.Identifiers = append(ev.Identifiers, id)
	}
}
