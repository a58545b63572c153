package segment

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// fields are the fields of the Segment spec in an event. If a key repeats, the last value wins, as in encoding/json.
type fields struct {
	kind                              jsonscan.Kind // of the record
	typ, event, name, messageID       jsonscan.Value
	userID, anonymousID, previousID   jsonscan.Value
	timestamp, originalTimestamp      jsonscan.Value
	receivedAt, sentAt, channel       jsonscan.Value
	properties                        jsonscan.Value
	propertiesDigest                  uint64         // see fingerprint
	library, gaClientID               jsonscan.Value // context.library.name, context.integrations…
	groupID, groupType                jsonscan.Value
	hasContext                        bool           // the event has a context of its own
	spaced, broken                    bool           // white space between tokens; text that Mend changes
	deviceID, advertisingID           jsonscan.Value // context.device…
	pushToken, deviceType, systemName jsonscan.Value // context.device…, context.os.name
}

// Fields names the members of an event that are read, as picker.record has them. An identifier may be at any other path that the
// rules name.
var Fields = []string{
	"type", "event", "name", "messageId", "userId", "anonymousId", "previousId", "timestamp", "originalTimestamp", "receivedAt", "sentAt",
	"channel", "properties", "groupId", "groupType", "context", "traits",
}

// absent reports whether a field is missing or null: the two mean the same everywhere.
func absent(v jsonscan.Value) bool { return v.Kind <= jsonscan.Null }

// picker collects the fields, traits and identifiers of a record in one pass.
//
// It keeps values as their text and kind, and interprets none: the meaning of a field may depend on one that comes
// later in the text, as that of properties on the type, or an advertising id on the device's platform. The digests of
// the fingerprint cover nearly all bytes, and are computed on the way, or the text would be read twice.
type picker struct {
	tools
	registry *identifier.Registry
	paths    *pathNode
	keys     contextKeys
	context  []byte // of the batch; nil if absent

	// The rest is the current event.
	scan   jsonscan.Scanner
	fields fields
	own    traitSet   // traits
	shared traitSet   // context.traits
	found  candidates // identifiers at configured paths, and in context.externalIds
	// properties are those that may matter to commerce.
	properties properties
	held       held // of the context
}

// newPicker makes what events of one decoder share: the configured paths, the keys of a context, and buffers.
func newPicker(reg *identifier.Registry, opts Options) picker {
	p := picker{registry: reg, paths: newPaths(reg, opts.Paths)}
	p.hash = sha256.New()
	p.keys = newContextKeys(opts.Context, p.paths)
	p.held = newHeld(len(p.keys.list))
	return p
}

// pick reads a record into the decoder's fields, traits and candidates. Nothing of the former record stays: the result
// depends on this one alone (E2). Only the end shows whether a text is JSON, so until then nothing is interpreted.
func (p *picker) pick(raw []byte) *Rejection {
	p.fields = fields{}
	p.own.reset()
	p.shared.reset()
	p.found = p.found[:0]
	p.properties.reset()
	clear(p.held.values)
	s := &p.scan
	s.Reset(raw, &p.arena)
	p.fields.kind = s.Peek()
	if p.fields.kind == jsonscan.Object {
		p.record(s)
	} else {
		s.Value()
	}
	if err := s.End(); err != nil {
		return unreadable(err)
	}
	p.fields.spaced, p.fields.broken = s.Spaced(), s.Broken()
	if p.context != nil {
		p.readBatchContext()
	}
	return nil
}

// record reads the members of an event in the order of the text. Each goes through value or a reader of its own, which
// follow n, the node of the configured paths, so that an identifier at such a path is found in the same scan. Members
// of no meaning here are only checked.
func (p *picker) record(s *jsonscan.Scanner) {
	f := &p.fields
	s.Object()
	for s.Next() {
		key := s.Key()
		n := p.paths.child(key)
		switch string(key) {
		case "type":
			f.typ = p.value(s, n)
		case "event":
			f.event = p.value(s, n)
		case "name":
			f.name = p.value(s, n)
		case "messageId":
			f.messageID = p.value(s, n)
		case "userId":
			f.userID = p.value(s, n)
		case "anonymousId":
			f.anonymousID = p.value(s, n)
		case "previousId":
			f.previousID = p.value(s, n)
		case "timestamp":
			f.timestamp = p.value(s, n)
		case "originalTimestamp":
			f.originalTimestamp = p.value(s, n)
		case "receivedAt":
			f.receivedAt = p.value(s, n)
		case "sentAt":
			f.sentAt = p.value(s, n)
		case "channel":
			f.channel = p.value(s, n)
		case "properties":
			f.properties = p.readProperties(s, n)
		case "groupId":
			f.groupID = p.value(s, n)
		case "groupType":
			f.groupType = p.value(s, n)
		case "context":
			p.readContext(s, n)
		case "traits":
			p.readTraits(s, n, "traits", &p.own)
		default:
			p.value(s, n)
		}
	}
}

// object enters the object in a field, and drops any other value. It reports whether it entered one.
func (p *picker) object(s *jsonscan.Scanner, n *pathNode, field string) bool {
	if s.Object() {
		return true
	}
	if v := p.value(s, n); s.Err() == nil {
		p.dropUnlessEmpty(field, v)
	}
	return false
}

// readDevice reads the ids of a phone. The device's type decides which kind of advertising id it has, and may come
// later in the text.
func (p *picker) readDevice(s *jsonscan.Scanner, n *pathNode) {
	f := &p.fields
	if !p.object(s, n, "context.device") {
		return
	}
	for s.Next() {
		key := s.Key()
		child := n.child(key)
		switch string(key) {
		case "id":
			f.deviceID = p.value(s, child)
		case "advertisingId":
			f.advertisingID = p.value(s, child)
		case "token":
			f.pushToken = p.value(s, child)
		case "type":
			f.deviceType = p.value(s, child)
		default:
			p.value(s, child)
		}
	}
}

// readName reads the name of an object such as context.library. Some clients write the name alone.
func (p *picker) readName(s *jsonscan.Scanner, n *pathNode, field string, name *jsonscan.Value) {
	if s.Peek() == jsonscan.String {
		*name = p.value(s, n)
		return
	}
	if !p.object(s, n, field) {
		return
	}
	for s.Next() {
		key := s.Key()
		if v := p.value(s, n.child(key)); string(key) == "name" {
			*name = v
		}
	}
}

// readIntegrations finds context.integrations["Google Analytics"].clientId.
func (p *picker) readIntegrations(s *jsonscan.Scanner, n *pathNode) {
	if !p.object(s, n, "context.integrations") {
		return
	}
	for s.Next() {
		key := s.Key()
		child := n.child(key)
		if string(key) != "Google Analytics" || !s.Object() {
			p.value(s, child)
			continue
		}
		for s.Next() {
			key := s.Key()
			if v := p.value(s, child.child(key)); string(key) == "clientId" {
				p.fields.gaClientID = v
			}
		}
	}
}

// check rejects an event with a value of the wrong kind in a field of the spec. JSON null counts as absent.
func (p *picker) check() *Rejection {
	f := &p.fields
	switch {
	case f.kind != jsonscan.Object:
		return badType("", "an object", f.kind)
	case !absent(f.typ) && f.typ.Kind != jsonscan.String:
		return badType("type", "a string", f.typ.Kind)
	}
	if f.properties.Kind != jsonscan.Object && !absent(f.properties) {
		p.dropUnlessEmpty("properties", f.properties)
		f.properties = jsonscan.Value{}
	}
	if !isText(f.messageID) {
		p.dropText("messageId", &f.messageID)
	}
	if !isText(f.channel) {
		p.dropText("channel", &f.channel)
	}
	if !isText(f.library) {
		p.dropText("context.library.name", &f.library)
	}
	if !isText(f.systemName) {
		p.dropText("context.os.name", &f.systemName)
	}
	if !isText(f.deviceType) {
		p.dropText("context.device.type", &f.deviceType)
	}
	return nil
}

// isEmptyList reports whether v is [], which is how PHP writes an object without members.
func isEmptyList(v jsonscan.Value) bool {
	return v.Kind == jsonscan.Array && len(bytes.TrimSpace(v.Raw[1:len(v.Raw)-1])) == 0
}

// isText reports whether v is a string, a number, or absent: ids and times may be any of these.
func isText(v jsonscan.Value) bool {
	return v.Kind <= jsonscan.Null || v.Kind == jsonscan.String || v.Kind == jsonscan.Number
}

// eventType returns the event's type, in any case.
func (p *picker) eventType() (graph.EventType, *Rejection) {
	name := p.text(p.fields.typ)
	if t := graph.ParseEventType(name); t != 0 {
		return t, nil
	}
	trimmed := bytes.TrimSpace(name)
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		if foldEqual(trimmed, t.String()) {
			return t, nil
		}
	}
	r := &Rejection{Code: CodeUnknownType, Field: "type", Message: "is missing"}
	if !absent(p.fields.typ) {
		r.Message = quote(name) + " is no type of event"
	}
	var names []string
	for t := graph.TypeIdentify; int(t) < graph.EventTypes; t++ {
		names = append(names, t.String())
	}
	r.Hint = "send one of " + strings.Join(names, ", ")
	return 0, r
}

// foldEqual reports whether text equals lower, which is in lower case, ignoring the case of ASCII letters.
func foldEqual(text []byte, lower string) bool {
	return len(text) == len(lower) && foldPrefix(text, lower)
}

// foldPrefix reports whether text begins with lower, which is in lower case, ignoring the case of ASCII letters.
func foldPrefix(text []byte, lower string) bool {
	if len(text) < len(lower) {
		return false
	}
	for i := range len(lower) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isEmptyObject reports whether v is {}, which is how Lua writes a list without elements.
func isEmptyObject(v jsonscan.Value) bool {
	return v.Kind == jsonscan.Object && len(bytes.TrimSpace(v.Raw[1:len(v.Raw)-1])) == 0
}
