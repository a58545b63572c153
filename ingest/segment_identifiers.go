package ingest

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// namespaces are those of the fields of the Segment spec.
type namespaces struct {
	userID, anonymousID, email, phone, deviceID, idfa, gaid, pushToken, gaClientID *identifier.Namespace
}

func newNamespaces(reg *identifier.Registry) namespaces {
	find := func(name string) *identifier.Namespace { return reg.Namespace([]byte(name)) }
	return namespaces{
		userID: find("user_id"), anonymousID: find("anonymous_id"), email: find("email"), phone: find("phone"),
		deviceID: find("device_id"), idfa: find("idfa"), gaid: find("gaid"), pushToken: find("push_token"),
		gaClientID: find("ga_client_id"),
	}
}

// externalAliases are the types of context.externalIds under which Segment's own libraries send
// identifiers that have a namespace of another name here.
var externalAliases = map[string]string{
	"ios.id": "device_id", "android.id": "device_id",
	"ios.idfa": "idfa", "android.idfa": "gaid",
	"ios.push_token": "push_token", "android.push_token": "push_token",
}

// readExternalIDs finds identifiers in context.externalIds: a list of {id, type, collection,
// encoding}, where type is a namespace. Those of a collection other than users aren't a person's,
// and those with an encoding aren't the identifier itself: both are left out, and counted.
func (d *Decoder) readExternalIDs(s *jsonscan.Scanner, n *pathNode) {
	if !s.Array() {
		if v := d.value(s, n); !absent(v) && !isEmptyObject(v) {
			d.dropKind("context.externalIds", "a list", v.Kind)
		}
		return
	}
	for s.More() {
		if !s.Object() {
			if v := s.Value(); s.Err() == nil && !absent(v) {
				d.dropUnlessEmpty("context.externalIds[]", v)
			}
			continue
		}
		var id, kind, collection, encoding jsonscan.Value
		for s.Next() {
			switch string(s.Key()) {
			case "id":
				id = s.Value()
			case "type":
				kind = s.Value()
			case "collection":
				collection = s.Value()
			case "encoding":
				encoding = s.Value()
			default:
				s.Value()
			}
		}
		if s.Err() != nil {
			return
		}
		ns := d.externalNamespace(d.text(kind))
		if ns == nil || !d.isOrAbsent(collection, "users") || !d.isOrAbsent(encoding, "none") {
			d.stats.UnknownNamespaces++
			continue
		}
		d.find(ns, id)
	}
}

func (d *Decoder) externalNamespace(kind []byte) *identifier.Namespace {
	if ns := d.registry.Namespace(kind); ns != nil {
		return ns
	}
	if name, ok := externalAliases[string(kind)]; ok {
		return d.registry.Namespace([]byte(name))
	}
	return nil
}

func (d *Decoder) isOrAbsent(v jsonscan.Value, want string) bool {
	return absent(v) || string(d.text(v)) == want
}

// identify gives the event its identifiers: what the spec's fields hold, and what was found
// elsewhere. They come out in descending rank, each once (E1).
func (d *Decoder) identify(ev *graph.Event) *Rejection {
	f, ns := &d.fields, &d.namespaces
	ev.Identifiers = ev.Identifiers[:0]
	carried := len(d.found)
	add := func(ns *identifier.Namespace, v jsonscan.Value) {
		if !absent(v) {
			carried++
			d.add(ev, ns, v)
		}
	}
	add(ns.userID, f.userID)
	add(ns.anonymousID, f.anonymousID)
	if ev.Type == graph.TypeAlias {
		add(d.previousNamespace(), f.previousID)
	}
	if ev.Type != graph.TypeGroup { // whose own traits are the group's
		add(ns.email, d.own.email)
		add(ns.phone, d.own.phone)
	}
	add(ns.email, d.shared.email)
	add(ns.phone, d.shared.phone)
	add(ns.deviceID, f.deviceID)
	add(ns.pushToken, f.pushToken)
	add(ns.gaClientID, f.gaClientID)
	if !absent(f.advertisingID) {
		if advertising := d.advertisingNamespace(); advertising != nil {
			add(advertising, f.advertisingID)
		} else {
			d.stats.UnknownNamespaces++
		}
	}
	if carried > MaxIdentifiers {
		return &Rejection{
			Code:    CodeTooManyIdentifiers,
			Message: fmt.Sprintf("carries more than %d identifiers", MaxIdentifiers),
			Hint:    "send identifiers of one person only",
		}
	}
	for _, c := range d.found {
		d.add(ev, c.namespace, c.value)
	}
	if len(ev.Identifiers) == 0 {
		return errNoIdentifier
	}
	return nil
}

// previousNamespace is what an alias's previousId is. Clients send either the cookie or a former
// user id, and don't say which: it is a cookie when it is the event's own anonymousId or has the
// form of a UUID, as clients make cookies; a user id otherwise.
func (d *Decoder) previousNamespace() *identifier.Namespace {
	previous := d.text(d.fields.previousID)
	if isUUID(previous) || len(previous) > 0 && bytes.Equal(previous, d.text(d.fields.anonymousID)) {
		return d.namespaces.anonymousID
	}
	return d.namespaces.userID
}

// isUUID tells whether text is 8-4-4-4-12 hexadecimal digits.
func isUUID(text []byte) bool {
	if len(text) != 36 {
		return false
	}
	for i, c := range text {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if letter := c | 0x20; (c < '0' || c > '9') && (letter < 'a' || letter > 'f') {
				return false
			}
		}
	}
	return true
}

// advertisingNamespace is that of an advertising id, by the device's platform; nil when the event
// doesn't say.
func (d *Decoder) advertisingNamespace() *identifier.Namespace {
	device, system := d.text(d.fields.deviceType), d.text(d.fields.systemName)
	switch {
	case foldEqual(device, "android"), foldEqual(system, "android"):
		return d.namespaces.gaid
	case foldEqual(device, "ios"), foldEqual(system, "ios"), foldEqual(system, "ipados"),
		foldEqual(system, "tvos"), foldEqual(system, "iphone os"):
		return d.namespaces.idfa
	}
	return nil
}

// add gives the event one identifier more, at its rank, or counts why not.
func (d *Decoder) add(ev *graph.Event, ns *identifier.Namespace, v jsonscan.Value) {
	if v.Kind != jsonscan.String && v.Kind != jsonscan.Number {
		d.stats.Invalid++
		return
	}
	// An escaped byte takes six at most. What is surely too long need not be unescaped.
	if v.Escaped && len(v.Raw) > 8*identifier.MaxBytes {
		d.stats.TooLong++
		return
	}
	n := len(ev.Identifiers)
	if n < cap(ev.Identifiers) {
		ev.Identifiers = ev.Identifiers[:n+1]
	} else {
		ev.Identifiers = append(ev.Identifiers, graph.Identifier{})
	}
	text := d.text(v) // may lie in the arena, so it comes before the room is reserved
	if hasReplacement(text) {
		ev.Identifiers = ev.Identifiers[:n]
		d.stats.Invalid++
		return
	}
	grown, err := d.normaliser.Identify(&ev.Identifiers[n], ns, text, d.arena.Reserve(identifier.MaxBytes))
	if err != nil {
		ev.Identifiers = ev.Identifiers[:n]
		d.countUnfit(err)
		return
	}
	d.arena.Keep(grown)
	sink(ev)
}

// hasReplacement reports whether text has U+FFFD in it, which stands for something that was lost: half a
// surrogate pair, a NUL, bytes of another encoding. Two values that differed there would be one.
func hasReplacement(text []byte) bool {
	return bytes.Contains(text, []byte("\ufffd"))
}

// sink moves the event's last identifier to its rank, or drops it where it is there already.
func sink(ev *graph.Event) {
	ids := ev.Identifiers
	last := len(ids) - 1
	at := last
	for at > 0 && ids[last].Key.Outranks(ids[at-1].Key) {
		at--
	}
	if at > 0 && ids[at-1].Key == ids[last].Key {
		ev.Identifiers = ids[:last]
		return
	}
	if at < last {
		moved := ids[last]
		copy(ids[at+1:], ids[at:last])
		ids[at] = moved
	}
}

func (d *Decoder) countUnfit(err error) {
	switch {
	case errors.Is(err, identifier.ErrEmpty):
		d.stats.Empty++
	case errors.Is(err, identifier.ErrTooLong):
		d.stats.TooLong++
	case errors.Is(err, identifier.ErrBlocked):
		d.stats.Blocked++
	default:
		d.stats.Invalid++
	}
}
