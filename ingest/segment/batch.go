package segment

import (
	"bytes"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Batch is the body of a request, taken apart. It is one of
//
//	{"batch":[event, …], "context":{…}, "sentAt":"…", "writeKey":"…"}
//	[event, …]
//	event
//
// Slices point into the body, but for strings with escapes. A Batch may be used again.
type Batch struct {
	Events   [][]byte // JSON text of each event, not yet checked
	Excess   int      // events beyond those: they were counted, and not kept
	Context  []byte   // JSON text of the context of events that have none; nil when there is none
	SentAt   []byte   // the text of a string, else as it stands; nil when there is none
	WriteKey []byte   // the text of a string; nil when there is none
	Single   bool     // the body is an event: SentAt and WriteKey are its own
}

// MaxBatchEvents bounds the events of one body, unless Parse is told otherwise.
const MaxBatchEvents = 5000

// Parse takes a body apart and keeps the first most events, MaxBatchEvents where that is 0: what is
// kept of a body of commas is bounded. The events' texts are found by their brackets alone: what is wrong in
// one event is found when it is read, and rejects that event and not the batch. It fails with a
// *Rejection when the body around the events is not JSON, or "batch" is not a list.
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
		b.Context = nil // it is the event's own
	}
	return nil
}

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
			case jsonscan.Number: // and anything else, which is no time, and told
			}
		case "writeKey":
			b.WriteKey = plain(s.Peek(), s.Balanced())
		default:
			s.Balanced()
		}
	}
	return nil
}

// plain is the text of a string; nil for any other value, and for a string that isn't valid.
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
