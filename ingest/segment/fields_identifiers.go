package segment

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// namespaces are those of the Segment spec's fields.
type namespaces struct {
	userID, anonymousID, email, phone, deviceID, idfa, gaid, pushToken, gaClientID *identifier.Namespace
}

// newNamespaces looks up the namespaces of the spec's fields once; an event then compares pointers.
func newNamespaces(reg *identifier.Registry) namespaces {
	find := func(name string) *identifier.Namespace { return reg.Namespace([]byte(name)) }
	return namespaces{
		userID: find("user_id"), anonymousID: find("anonymous_id"), email: find("email"), phone: find("phone"),
		deviceID: find("device_id"), idfa: find("idfa"), gaid: find("gaid"), pushToken: find("push_token"),
		gaClientID: find("ga_client_id"),
	}
}

// externalAliases maps types of context.externalIds, as Segment's own libraries send them, to namespaces with another
// name here.
var externalAliases = map[string]string{
	"ios.id": "device_id", "android.id": "device_id",
	"ios.idfa": "idfa", "android.idfa": "gaid",
	"ios.push_token": "push_token", "android.push_token": "push_token",
}

// readExternalIDs finds identifiers in context.externalIds: a list of {id, type, collection, encoding}, with a
// namespace as type. An id of a collection other than users does not identify a person, and one with an encoding is
// not the identifier itself: both are dropped and counted.
func (p *picker) readExternalIDs(s *jsonscan.Scanner, n *pathNode) {
	if !s.Array() {
		if v := p.value(s, n); !absent(v) && !isEmptyObject(v) {
			p.dropKind("context.externalIds", "a list", v.Kind)
		}
		return
	}
	for s.More() {
		if !s.Object() {
			if v := s.Value(); s.Err() == nil && !absent(v) {
				p.dropUnlessEmpty("context.externalIds[]", v)
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
		ns := p.externalNamespace(p.text(kind))
		if ns == nil || !p.isOrAbsent(collection, "users") || !p.isOrAbsent(encoding, "none") {
			p.stats.UnknownNamespaces++
			continue
		}
		p.found.add(ns, id, "context.externalIds[].id")
	}
}

// externalNamespace is the namespace of a type of context.externalIds: of that name, or of an alias; nil for a type
// that is not configured.
func (p *picker) externalNamespace(kind []byte) *identifier.Namespace {
	if ns := p.registry.Namespace(kind); ns != nil {
		return ns
	}
	if name, ok := externalAliases[string(kind)]; ok {
		return p.registry.Namespace([]byte(name))
	}
	return nil
}

// isOrAbsent reports whether a value is a certain text, or is not given: collection and encoding have a default.
func (p *picker) isOrAbsent(v jsonscan.Value, want string) bool {
	return absent(v) || string(p.text(v)) == want
}

// identifierReader gives an event its identifiers, normalised and ranked.
//
// Invariants:
//   - They are in descending rank at every moment, each once, so the first one is the route. Only alias, as the last
//     step, puts the userId before those that outrank it.
//   - An identifier that can't be used is counted and dropped, and never rejects the event, unless no other is left.
//   - The text of a value may be in the arena, as is the room into which it is normalised: the text is taken first, and
//     the room is reserved after it.
type identifierReader struct {
	*picker
	normaliser *identifier.Normaliser
	namespaces namespaces
	aside      graph.Event    // takes the readings of a previousId that are only counted
	cookie     graph.NodeKey  // of an anonymousId beside a userId; else zero
	address    jsonscan.Value // in the properties of a form event, for form to add
}

// identify sets the event's identifiers, from the spec's fields and from elsewhere, in descending rank, each once (E1).
// The anonymousId comes first, because a userId is compared with it. The bound counts what an event carries before
// anything is dropped: it bounds the work, and not only the result.
func (r *identifierReader) identify(ev *graph.Event) *Rejection {
	f, ns := &r.fields, &r.namespaces
	ev.Identifiers = ev.Identifiers[:0]
	carried := len(r.found)
	add := func(field string, ns *identifier.Namespace, v jsonscan.Value) {
		if !absent(v) {
			carried++
			r.add(ev, field, ns, v)
		}
	}
	add("anonymousId", ns.anonymousID, f.anonymousID)
	before := len(ev.Identifiers)
	r.cookie = graph.NodeKey{}
	if before > 0 {
		r.cookie = ev.Identifiers[0].Key
	}
	if absent(f.userID) {
	} else if r.isAnonymousID(ev, f.userID) {
		carried++
		r.stats.Blocked++
		r.drop("userId", CodeAnonymousUserID, "is the event's own anonymousId", "send userId once the customer's id is known")
	} else {
		add("userId", ns.userID, f.userID)
	}
	named := len(ev.Identifiers) > before
	user := graph.NodeKey{} // of userId, which ranks above a cookie
	if named {
		user = ev.Identifiers[0].Key
	} else {
		r.cookie = graph.NodeKey{}
	}
	if ev.Type == graph.TypeAlias && !absent(f.previousID) {
		carried += 2 // readings
	}
	if ev.Type != graph.TypeGroup { // its own traits describe the group
		add("traits.email", ns.email, r.own.email)
		add("traits.phone", ns.phone, r.own.phone)
	}
	if r.isOwn(ev, ns.email, r.own.email, r.shared.email, "context.traits.email") {
		add("context.traits.email", ns.email, r.shared.email)
	}
	if r.isOwn(ev, ns.phone, r.own.phone, r.shared.phone, "context.traits.phone") {
		add("context.traits.phone", ns.phone, r.shared.phone)
	}
	if r.address = r.formAddress(ev); !absent(r.address) {
		carried++ // form adds it
	}
	add("context.device.id", ns.deviceID, f.deviceID)
	add("context.device.token", ns.pushToken, f.pushToken)
	add("context.integrations.Google Analytics.clientId", ns.gaClientID, f.gaClientID)
	if !absent(f.advertisingID) {
		if advertising := r.advertisingNamespace(); advertising != nil {
			add("context.device.advertisingId", advertising, f.advertisingID)
		} else {
			r.stats.UnknownNamespaces++
		}
	}
	if carried > maxIdentifiers {
		return &Rejection{
			Code:    CodeTooManyIdentifiers,
			Message: fmt.Sprintf("carries more than %d identifiers", maxIdentifiers),
			Hint:    "send identifiers of one person only",
		}
	}
	for _, c := range r.found {
		r.add(ev, c.field, c.namespace, c.value)
	}
	ev.Alias = ev.Alias[:0]
	if ev.Type == graph.TypeAlias && !absent(f.previousID) {
		r.alias(ev, user, named)
	}
	if len(ev.Identifiers) == 0 && !absent(r.address) { // which is all that the event has
		r.add(ev, "properties.email", ns.email, r.address)
		r.address = jsonscan.Value{}
	}
	if len(ev.Identifiers) == 0 {
		return errNoIdentifier
	}
	return nil
}

// isAnonymousID reports whether a user id is the event's own anonymous id, as libraries send it before a login: then
// it does not identify a customer. Both are compared as anonymous ids: a UUID in any case. REQUIRES: the event has
// only its anonymous id so far
func (r *identifierReader) isAnonymousID(ev *graph.Event, userID jsonscan.Value) bool {
	if len(ev.Identifiers) == 0 || userID.Kind != jsonscan.String && userID.Kind != jsonscan.Number {
		return false
	}
	return r.normaliser.Same(r.namespaces.anonymousID, r.idText(userID), ev.Identifiers[0].Value)
}

// isOwn reports whether a remembered identifier in context.traits belongs to the event: not if the call itself has
// another value there, or at a configured path of that namespace, even null or an invalid one. The client may still
// remember the traits of the previous person.
func (r *identifierReader) isOwn(ev *graph.Event, ns *identifier.Namespace, own, shared jsonscan.Value, field string) bool {
	said := own.Kind != jsonscan.None && ev.Type != graph.TypeGroup
	for i := 0; i < len(r.found) && !said; i++ {
		said = r.found[i].namespace == ns && !strings.HasPrefix(r.found[i].field, "context.")
	}
	if !said || absent(shared) {
		return true
	}
	if !bytes.Equal(own.Raw, shared.Raw) {
		r.drop(field, CodeRemembered, "is remembered, and the call itself says another", "forget traits when a user logs out")
	}
	return false
}

// advertisingNamespace returns the namespace of an advertising id, by the device's platform; nil if the event does
// not tell the platform.
func (r *identifierReader) advertisingNamespace() *identifier.Namespace {
	device, system := r.text(r.fields.deviceType), r.text(r.fields.systemName)
	switch {
	case foldEqual(device, "android"), foldEqual(system, "android"):
		return r.namespaces.gaid
	case foldEqual(device, "ios"), foldEqual(system, "ios"), foldEqual(system, "ipados"),
		foldEqual(system, "tvos"), foldEqual(system, "iphone os"):
		return r.namespaces.idfa
	}
	return nil
}

// add adds an identifier to the event at its rank, or drops it.
func (r *identifierReader) add(ev *graph.Event, field string, ns *identifier.Namespace, v jsonscan.Value) {
	if v.Kind != jsonscan.String && v.Kind != jsonscan.Number {
		r.stats.Invalid++
		r.dropKind(field, "a string", v.Kind)
		return
	}
	// An escaped byte takes at most six. Do not unescape a value that is certainly too long.
	if v.Escaped && len(v.Raw) > 8*identifier.MaxBytes {
		r.unfit(field, &identifier.TooLongError{Namespace: ns.Name, Bytes: len(v.Raw)})
		return
	}
	n := len(ev.Identifiers)
	if n < cap(ev.Identifiers) {
		ev.Identifiers = ev.Identifiers[:n+1]
	} else {
		ev.Identifiers = append(ev.Identifiers, graph.Identifier{})
	}
	text := r.idText(v) // may be in the arena, so read it before reserving room there
	switch {
	case hasReplacement(text):
		ev.Identifiers = ev.Identifiers[:n]
		r.unfit(field, identifier.ErrInvalid)
		return
	case v.Kind == jsonscan.Number && ns.Normaliser == graph.NormalisePhone && isRounded(v.Raw):
		ev.Identifiers = ev.Identifiers[:n]
		r.unfit(field, identifier.ErrRounded)
		return
	}
	grown, err := r.normaliser.Identify(&ev.Identifiers[n], ns, text, r.arena.Reserve(identifier.MaxBytes))
	if err != nil {
		ev.Identifiers = ev.Identifiers[:n]
		r.unfit(field, err)
		return
	}
	r.arena.Keep(grown)
	sink(ev)
}

// hasReplacement reports whether text contains U+FFFD, which replaces lost text: half a surrogate pair, a NUL, bytes
// of another encoding. Two values that differed there would be equal.
func hasReplacement(text []byte) bool {
	return bytes.Contains(text, []byte("\ufffd"))
}

// isRounded reports whether a number has unwritten zeros at its end, as in 4.47911E+11, which may replace lost
// digits.
func isRounded(raw []byte) bool {
	if isInteger(raw) {
		return false
	}
	_, zeros := appendNumber(nil, raw)
	return zeros > 0
}

// sink moves the event's last identifier to its rank, or drops it if the event has it already. Lists have a few
// entries, so this insertion costs less than a sort and needs no room.
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

// unfit counts an unusable identifier by reason, and drops it. Empty ones are not reported. Messages never quote a
// value: for a blocked one they name the kind of the word.
func (r *identifierReader) unfit(field string, err error) {
	var blocked *identifier.BlockedError
	switch {
	case errors.Is(err, identifier.ErrEmpty):
		r.stats.Empty++
	case errors.As(err, &blocked):
		r.stats.Blocked++
		r.stats.Words.add(blocked.Word.Text, 1)
		r.dropIdentifier(field, CodeBlockedIdentifier, err, "leave the field out where the id is not known")
	case errors.Is(err, identifier.ErrTooLong):
		r.stats.TooLong++
		r.dropIdentifier(field, CodeLongIdentifier, err, "send an id")
	default:
		r.stats.Invalid++
		r.dropIdentifier(field, CodeBadIdentifier, err, "send one value, as it is")
	}
}

// WordCounts counts blocked identifiers by the word or rule that blocked them: identifier.Words, a fixed set without
// values of customers. The zero value is ready to use, and stays nil if nothing is counted.
type WordCounts map[string]uint64

func (c *WordCounts) add(word string, n uint64) { addCount(c, word, n) }

// Add adds other, which it does not change.
func (c *WordCounts) Add(other WordCounts) { addCounts(c, other) }
