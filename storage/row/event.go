package row

import (
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
)

// Fields of an event, and of an identifier and a trait in its lists.
const (
	eventFields      = 20
	eventFieldsV4    = 19 // without marks and group
	eventFieldsV3    = 18 // without mentions
	eventFieldsV2    = 15 // without context, apart, and the roles of an alias
	eventFieldsV1    = 13 // also without offer notice and interest
	identifierFields = 4
	traitFields      = 2
	groupFields      = 4 // key, type or nil, id, traits

	identifierLeast = keyLen + 2 + 3 // bytes
	traitLeast      = 2
)

// Event appends an event. Without whole, it omits the properties and the context, as for travel between shards. It
// writes nothing of an order change of kind OrderNone.
func (e *Encoder) Event(dst []byte, ev *graph.Event, whole bool) []byte {
	out := eventWriter{e.begin(dst)}
	out.start(out.formats.event)
	out.event(ev, whole)
	return e.finish()
}

// An eventWriter writes events. In version 5:
//
//	+----+--------+------+----------+----------+------+------+-----------------+------------+-------+-----+
//	| id | source | seen | stamp, 3 | received | type | name | identifiers, 4n | traits, 2n | order | ... |
//	+----++-------+------+---+------+-----+----+----+-+-----++------------+----+------------+-------+-----+
//	| ... | offer | interest | properties | context | apart | alias roles | mentions, 4n | marks | group |
//	+-----+-------+----------+------------+---------+-------+-------------+--------------+-------+
//
// Lists are flat arrays, n items of so many values each, and a stamp is three values in place. properties, context and
// group are nil in an event that travels between shards: no decision needs them. The group is an array of groupFields.
type eventWriter struct{ *writer }

func (out eventWriter) event(ev *graph.Event, whole bool) {
	identifiers := ev.Identifiers
	switch out.formats.event {
	case 1:
		out.array(eventFieldsV1)
	case 2:
		out.array(eventFieldsV2)
	case 3:
		out.array(eventFieldsV3)
	case 4:
		out.array(eventFieldsV4)
	default:
		out.array(eventFields)
	}
	if out.formats.event < 3 {
		identifiers = out.formerIdentifiers(ev)
	}
	out.bytes(ev.ID)
	out.bytes(ev.Source)
	out.uint(ev.Seen)
	out.stamp(ev.Stamp)
	out.int(ev.Received)
	out.uint(uint64(ev.Type))
	out.bytes(ev.Name)
	out.identifiers(identifiers)
	out.traits(ev.Traits)
	if out.formats.event < 3 {
		out.formerEnd(ev, whole)
		return
	}
	orderWriter(out).orderChange(&ev.Order)
	dealings := dealingsWriter(out)
	dealings.notice(&ev.Offer)
	dealings.interest(&ev.Interest)
	if whole {
		out.bytes(ev.Properties)
		out.bytes(ev.Context)
	} else {
		out.null()
		out.null()
	}
	out.bool(ev.Apart)
	out.aliasRoles(ev)
	if out.formats.event < 4 {
		out.leave(len(ev.Mentions) > 0 || ev.Marked > 0 || whole && ev.Group != nil)
		return
	}
	out.identifiers(ev.Mentions)
	if out.formats.event < marksSince {
		out.leave(ev.Marked > 0 || whole && ev.Group != nil)
		return
	}
	signalsWriter(out).marks(ev)
	group := ev.Group
	if !whole {
		group = nil
	}
	out.group(group)
}

// group writes what an event says of its group, or nil.
func (out eventWriter) group(g *graph.GroupCall) {
	if g == nil {
		out.null()
		return
	}
	out.array(groupFields)
	out.key(g.Key)
	out.bytes(g.Type)
	out.blob(g.ID)
	out.traits(g.Traits)
}

func (out eventWriter) traits(traits []graph.Trait) {
	out.array(traitFields * len(traits))
	for i := range traits {
		out.bytes(traits[i].Name)
		out.bytes(traits[i].Value)
	}
}

func (out eventWriter) identifiers(identifiers []graph.Identifier) {
	out.array(identifierFields * len(identifiers))
	for i := range identifiers {
		id := &identifiers[i]
		out.key(id.Key)
		out.text(id.Namespace)
		out.bytes(id.Value)
		out.bytes(id.Raw)
	}
}

// formerEnd writes the fields that follow the traits in an event of version 1 or 2.
func (out eventWriter) formerEnd(ev *graph.Event, whole bool) {
	orderWriter(out).formerOrderChange(&ev.Order)
	if out.formats.event == 1 {
		out.leave(ev.Offer.Signal != score.OfferNone || ev.Interest.Kind != graph.InterestNone)
	} else {
		dealings := dealingsWriter(out)
		dealings.notice(&ev.Offer)
		dealings.interest(&ev.Interest)
	}
	if whole {
		out.bytes(ev.Properties)
	} else {
		out.null()
	}
	out.leave(ev.Apart || whole && (ev.Context != nil || ev.Group != nil) || len(ev.Mentions) > 0 || ev.Marked > 0)
}

// formerIdentifiers returns an event's identifiers in the order of versions 1 and 2: descending rank, even for an
// alias, whose readers in those versions take all of them for previous ones.
func (out eventWriter) formerIdentifiers(ev *graph.Event) []graph.Identifier {
	if ev.Type != graph.TypeAlias {
		return ev.Identifiers
	}
	for _, role := range ev.Alias {
		out.leave(role != graph.AliasCarried|graph.AliasPrevious)
	}
	out.leave(len(ev.Alias) == 0)
	byRank := func(a, b graph.Identifier) int { return b.Key.Compare(a.Key) }
	if slices.IsSortedFunc(ev.Identifiers, byRank) {
		return ev.Identifiers
	}
	return slices.SortedFunc(slices.Values(ev.Identifiers), byRank)
}

// aliasRoles writes one byte for each identifier of an alias with roles, and nil for any other event.
func (out eventWriter) aliasRoles(ev *graph.Event) {
	if ev.Type != graph.TypeAlias || len(ev.Alias) == 0 {
		out.null()
		return
	}
	var room [32]byte
	roles := room[:0]
	for _, role := range ev.Alias {
		roles = append(roles, byte(role))
	}
	out.bytes(roles)
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
	in := d.begin("event", src)
	eventReader{in, in.version(eventVersion)}.event(ev)
	return in.finish()
}

// An eventReader reads events of a version.
type eventReader struct {
	*reader
	of uint64
}

func (in eventReader) event(ev *graph.Event) {
	switch in.of {
	case 1:
		in.tuple(eventFieldsV1)
	case 2:
		in.tuple(eventFieldsV2)
	case 3:
		in.tuple(eventFieldsV3)
	case 4:
		in.tuple(eventFieldsV4)
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
	in.identifiers(ev)
	ev.Traits = in.traits(ev.Traits)
	if orders := (orderReader{in.reader}); in.of < 3 {
		orders.formerOrderChange(&ev.Order)
	} else {
		orders.orderChange(&ev.Order)
	}
	ev.Offer = graph.OfferNotice{}
	ev.Interest.Kind, ev.Interest.Categories = graph.InterestNone, ev.Interest.Categories[:0]
	if in.of >= 2 {
		dealings := dealingsReader{in.reader}
		dealings.notice(&ev.Offer)
		dealings.interest(&ev.Interest)
	}
	ev.Properties = in.bytes()
	ev.Context, ev.Apart, ev.Former, ev.Group = nil, false, 0, nil
	ev.Alias, ev.Mentions = ev.Alias[:0], ev.Mentions[:0]
	ev.Marks, ev.Marked = ev.Marks[:0], 0
	if in.of >= 3 {
		ev.Context = in.bytes()
		ev.Apart = in.bool()
		in.aliasRoles(ev)
		if in.of >= 4 {
			in.mentions(ev)
		}
		if in.of >= marksSince {
			signalsReader{in.reader}.marks(ev)
			ev.Group = in.group()
		}
		return
	}
	if ev.Type == graph.TypeAlias { // these versions do not record the roles
		for range ev.Identifiers {
			ev.Alias = append(ev.Alias, graph.AliasCarried|graph.AliasPrevious)
		}
	}
}

func (in eventReader) traits(into []graph.Trait) []graph.Trait {
	n := in.list(traitFields, traitLeast)
	into = slices.Grow(into[:0], n)
	for range n {
		into = append(into, graph.Trait{Name: in.bytes(), Value: in.bytes()})
	}
	return into
}

// group reads what an event says of its group; nil where it names none.
func (in eventReader) group() *graph.GroupCall {
	if in.null() {
		return nil
	}
	in.tuple(groupFields)
	g := &graph.GroupCall{Key: in.groupKey(), Type: in.bytes(), ID: in.blob()}
	if at := in.at; in.err == nil && (len(g.ID) == 0 || g.Type != nil && len(g.Type) == 0) {
		in.fail(at, "group of an empty id or type")
	}
	g.Traits = in.traits(nil)
	return g
}

// groupKey reads the key of a group, which is of no class.
func (in eventReader) groupKey() graph.NodeKey {
	at := in.at
	k := in.key()
	if in.err == nil && k.Class() != 0 {
		in.fail(at, "key of a group with the class of a node")
	}
	return k
}

// aliasRoles reads the roles of an alias's identifiers. It checks that the first identifier is not the highest: only
// then may an alias have roles.
func (in eventReader) aliasRoles(ev *graph.Event) {
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
func (in eventReader) identifiers(ev *graph.Event) {
	at := in.at
	n := in.list(identifierFields, identifierLeast)
	if n == 0 {
		in.fail(at, "event without an identifier")
	}
	ev.Identifiers = slices.Grow(ev.Identifiers[:0], n)
	for i := range n {
		at := in.at
		id := in.identifier()
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

func (in eventReader) identifier() graph.Identifier {
	return graph.Identifier{Key: in.key(), Namespace: in.namespace(), Value: in.bytes(), Raw: in.bytes()}
}

// mentions reads an event's mentions: distinct, in descending rank, below the route; an alias has none.
func (in eventReader) mentions(ev *graph.Event) {
	at := in.at
	n := in.list(identifierFields, identifierLeast)
	if n > 0 && ev.Type == graph.TypeAlias {
		in.fail(at, "%d mentions in an alias", n)
	}
	if n == 0 || in.err != nil {
		return
	}
	above := ev.Route()
	for i := range n {
		at := in.at
		id := in.identifier()
		if in.err != nil {
			return
		}
		if !above.Outranks(id.Key) {
			in.fail(at, "mention %d does not rank below the route and the one before", i)
			return
		}
		above = id.Key
		ev.Mentions = append(ev.Mentions, id)
	}
}
