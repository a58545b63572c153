package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Batch is the body of a request, split into its parts. The body is one of
//
//	{"batch":[event, …], "context":{…}, "sentAt":"…", "writeKey":"…"}
//	[event, …]
//	event
//
// Slices point into the body, except strings with escapes. A Batch may be reused.
type Batch struct {
	Events   [][]byte // JSON text of each event, not yet checked
	Excess   int      // number of events beyond those, which were not kept
	Context  []byte   // JSON text of the context for events without their own; nil if absent
	SentAt   []byte   // the text of a string, else the raw JSON; nil if absent
	WriteKey []byte   // the text of a string; nil if absent
	Single   bool     // the body is an event, which has its own SentAt and WriteKey
}

// MaxBatchEvents is the default bound of the events of one body.
const MaxBatchEvents = 5000

// Parse splits a body and keeps the first most events, or MaxBatchEvents if most is 0, so that memory stays bounded
// for a body of commas. It finds the events' texts by their brackets alone: an error in an event is found when that
// event is read, and rejects it rather than the batch. Parse fails with a *Rejection if the body around the events is
// not JSON, or if "batch" is not a list.
func (b *Batch) Parse(body []byte, most int) error {
	*b = Batch{Events: b.Events[:0]}
	if most == 0 {
		most = MaxBatchEvents
	}
	var s jsonscan.Scanner
	s.Reset(body, new(jsonscan.Arena))
	enveloped := true
	switch {
	case s.Array():
		b.list(&s, most)
	case s.Object():
		r := b.envelope(&s, most, &enveloped)
		if r != nil {
			return r
		}
	default:
		found := s.Peek()
		if s.Value(); s.Err() == nil {
			return badType("", "an object or a list", found)
		}
	}
	if err := s.End(); err != nil {
		return unreadable(err)
	}
	if b.Single = !enveloped; b.Single {
		b.Events = append(b.Events, bytes.TrimSpace(body))
		b.Context = nil // it belongs to the event
	}
	return nil
}

// list takes the events of a list, up to most, and counts those beyond as Excess.
func (b *Batch) list(s *jsonscan.Scanner, most int) {
	for s.More() {
		event := s.Balanced()
		switch {
		case s.Err() != nil:
		case len(b.Events) < most:
			b.Events = append(b.Events, event)
		default:
			b.Excess++
		}
	}
}

// envelope reads the members of an object that may be a batch, or one event: enveloped is set at the member "batch".
// Until then the members that both have, such as context, may be the event's own, so Parse drops what was read of them
// for a single event.
func (b *Batch) envelope(s *jsonscan.Scanner, most int, enveloped *bool) *Rejection {
	*enveloped = false
	for s.Next() {
		switch string(s.Key()) {
		case "batch":
			kind := s.Peek()
			if !s.Array() {
				return badType("batch", "a list of events", kind)
			}
			*enveloped = true
			b.list(s, most)
		case "context":
			b.Context = s.Balanced()
		case "sentAt":
			kind := s.Peek()
			switch b.SentAt = s.Balanced(); kind {
			case jsonscan.String, jsonscan.Null:
				b.SentAt = plain(kind, b.SentAt)
			case jsonscan.Number: // and other kinds, which are not times; the decoder reports them
			}
		case "writeKey":
			b.WriteKey = plain(s.Peek(), s.Balanced())
		default:
			s.Balanced()
		}
	}
	return nil
}

// plain returns the text of a string; nil for any other value, and for an invalid string.
func plain(kind jsonscan.Kind, raw []byte) []byte {
	if kind != jsonscan.String {
		return nil
	}
	var s jsonscan.Scanner
	var arena jsonscan.Arena
	s.Reset(raw, &arena)
	v := s.Value()
	if s.End() != nil {
		return nil
	}
	if v.Escaped {
		return arena.Unescape(v.Inside())
	}
	return v.Inside()
}
