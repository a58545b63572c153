package segment

import (
	"bytes"
	"strings"

	"github.com/kindred-id/kindred/graph"
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
	groupID                           jsonscan.Value
	hasContext                        bool           // the event has a context of its own
	spaced, broken                    bool           // white space between tokens; text that Mend changes
	deviceID, advertisingID           jsonscan.Value // context.device…
	pushToken, deviceType, systemName jsonscan.Value // context.device…, context.os.name
}

func absent(v jsonscan.Value) bool { return v.Kind <= jsonscan.Null }

// pick reads a record into the decoder's fields, traits and candidates.
func (d *Decoder) pick(raw []byte) *Rejection {
	d.fields = fields{}
	d.own.reset()
	d.shared.reset()
	d.found = d.found[:0]
	clear(d.held.values)
	s := &d.scan
	s.Reset(raw, &d.arena)
	d.fields.kind = s.Peek()
	if d.fields.kind == jsonscan.Object {
		d.record(s)
	} else {
		s.Value()
	}
	if err := s.End(); err != nil {
		return unreadable(err)
	}
	d.fields.spaced, d.fields.broken = s.Spaced(), s.Broken()
	if d.context != nil {
		d.readBatchContext()
	}
	return nil
}

func (d *Decoder) record(s *jsonscan.Scanner) {
	f := &d.fields
	s.Object()
	for s.Next() {
		key := s.Key()
		n := d.paths.child(key)
		switch string(key) {
		case "type":
			f.typ = d.value(s, n)
		case "event":
			f.event = d.value(s, n)
		case "name":
			f.name = d.value(s, n)
		case "messageId":
			f.messageID = d.value(s, n)
		case "userId":
			f.userID = d.value(s, n)
		case "anonymousId":
			f.anonymousID = d.value(s, n)
		case "previousId":
			f.previousID = d.value(s, n)
		case "timestamp":
			f.timestamp = d.value(s, n)
		case "originalTimestamp":
			f.originalTimestamp = d.value(s, n)
		case "receivedAt":
			f.receivedAt = d.value(s, n)
		case "sentAt":
			f.sentAt = d.value(s, n)
		case "channel":
			f.channel = d.value(s, n)
		case "properties":
			f.properties = d.readProperties(s, n)
		case "groupId":
			f.groupID = d.value(s, n)
		case "context":
			d.readContext(s, n)
		case "traits":
			d.readTraits(s, n, "traits", &d.own)
		default:
			d.value(s, n)
		}
	}
}

// object enters the object in a field, and drops any other value.
func (d *Decoder) object(s *jsonscan.Scanner, n *pathNode, field string) bool {
	if s.Object() {
		return true
	}
	if v := d.value(s, n); s.Err() == nil {
		d.dropUnlessEmpty(field, v)
	}
	return false
}

func (d *Decoder) readDevice(s *jsonscan.Scanner, n *pathNode) {
	f := &d.fields
	if !d.object(s, n, "context.device") {
		return
	}
	for s.Next() {
		key := s.Key()
		child := n.child(key)
		switch string(key) {
		case "id":
			f.deviceID = d.value(s, child)
		case "advertisingId":
			f.advertisingID = d.value(s, child)
		case "token":
			f.pushToken = d.value(s, child)
		case "type":
			f.deviceType = d.value(s, child)
		default:
			d.value(s, child)
		}
	}
}

// readName reads the name of an object such as context.library. Some clients write the name alone.
func (d *Decoder) readName(s *jsonscan.Scanner, n *pathNode, field string, name *jsonscan.Value) {
	if s.Peek() == jsonscan.String {
		*name = d.value(s, n)
		return
	}
	if !d.object(s, n, field) {
		return
	}
	for s.Next() {
		key := s.Key()
		if v := d.value(s, n.child(key)); string(key) == "name" {
			*name = v
		}
	}
}

// readIntegrations finds context.integrations["Google Analytics"].clientId.
func (d *Decoder) readIntegrations(s *jsonscan.Scanner, n *pathNode) {
	if !d.object(s, n, "context.integrations") {
		return
	}
	for s.Next() {
		key := s.Key()
		child := n.child(key)
		if string(key) != "Google Analytics" || !s.Object() {
			d.value(s, child)
			continue
		}
		for s.Next() {
			key := s.Key()
			if v := d.value(s, child.child(key)); string(key) == "clientId" {
				d.fields.gaClientID = v
			}
		}
	}
}

// check rejects an event with a value of the wrong kind in a field of the spec. JSON null counts as absent.
func (d *Decoder) check() *Rejection {
	f := &d.fields
	switch {
	case f.kind != jsonscan.Object:
		return badType("", "an object", f.kind)
	case !absent(f.typ) && f.typ.Kind != jsonscan.String:
		return badType("type", "a string", f.typ.Kind)
	}
	if f.properties.Kind != jsonscan.Object && !absent(f.properties) {
		d.dropUnlessEmpty("properties", f.properties)
		f.properties = jsonscan.Value{}
	}
	if !isText(f.messageID) {
		d.dropText("messageId", &f.messageID)
	}
	if !isText(f.channel) {
		d.dropText("channel", &f.channel)
	}
	if !isText(f.library) {
		d.dropText("context.library.name", &f.library)
	}
	if !isText(f.systemName) {
		d.dropText("context.os.name", &f.systemName)
	}
	if !isText(f.deviceType) {
		d.dropText("context.device.type", &f.deviceType)
	}
	return nil
}

// dropText drops a field that should hold text and does not.
func (d *Decoder) dropText(field string, v *jsonscan.Value) {
	d.dropKind(field, "a string", v.Kind)
	*v = jsonscan.Value{}
}

// dropUnlessEmpty drops a field that should hold an object and does not. An empty list is an empty object.
func (d *Decoder) dropUnlessEmpty(field string, v jsonscan.Value) {
	if !absent(v) && !isEmptyList(v) {
		d.dropKind(field, "an object", v.Kind)
	}
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
func (d *Decoder) eventType() (graph.EventType, *Rejection) {
	name := d.text(d.fields.typ)
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
	if !absent(d.fields.typ) {
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
