package ingest

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
	Context  []byte   // JSON text of the context of events that have none; nil when there is none
	SentAt   []byte   // as text; nil when there is none
	WriteKey []byte   // likewise
}

// Parse takes a body apart. The events' texts are found by their brackets alone: what is wrong in
// one event is found when it is read, and rejects that event and not the batch. It fails with a
// *Rejection when the body around the events is not JSON, or "batch" is not a list.
func (b *Batch) Parse(body []byte) error {
	*b = Batch{Events: b.Events[:0]}
	var s jsonscan.Scanner
	s.Reset(body, new(jsonscan.Arena))
	enveloped := true
	switch {
	case s.Array():
		b.list(&s)
	case s.Object():
		r := b.envelope(&s, &enveloped)
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
	if !enveloped {
		b.Events = append(b.Events, bytes.TrimSpace(body))
		b.Context = nil // it is the event's own
	}
	return nil
}

func (b *Batch) list(s *jsonscan.Scanner) {
	for s.More() {
		if event := s.Balanced(); s.Err() == nil {
			b.Events = append(b.Events, event)
		}
	}
}

func (b *Batch) envelope(s *jsonscan.Scanner, enveloped *bool) *Rejection {
	*enveloped = false
	for s.Next() {
		switch string(s.Key()) {
		case "batch":
			kind := s.Peek()
			if !s.Array() {
				return badType("batch", "a list of events", kind)
			}
			*enveloped = true
			b.list(s)
		case "context":
			b.Context = s.Balanced()
		case "sentAt":
			b.SentAt = plain(s.Peek(), s.Balanced())
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

// SplitBatch calls each for every event of a body, as Batch.Parse finds them, and stops at its first
// error. It fails with that, or as Parse does.
func SplitBatch(body []byte, each func(index int, raw []byte) error) error {
	var b Batch
	if err := b.Parse(body); err != nil {
		return err
	}
	for i, raw := range b.Events {
		if err := each(i, raw); err != nil {
			return err
		}
	}
	return nil
}
