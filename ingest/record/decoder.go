package record

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Bounds of a record.
const (
	// defaultMaxBytes bounds a record, and the JSON text that it is turned into.
	defaultMaxBytes = 8 << 20
	// maxEvents bounds the events of one record: their numbers have 16 bits.
	maxEvents = 1 << 16
)

// Options control how the records of a topic are read.
type Options struct {
	Format Format
	// Mapping turns records that are not events into events; nil if they are events.
	Mapping *Mapping
	// Usage, if given, counts what the mapping finds.
	Usage *Usage
	// Schemas finds the schemas of Avro and Protobuf.
	Schemas *Schemas
	// MaxBytes bounds a record; 0 is defaultMaxBytes.
	MaxBytes int
}

// Check reports every problem of the options in one error.
func (o Options) Check() error {
	if _, err := ParseFormat(string(o.Format)); err != nil {
		return err
	}
	if o.Format.NeedsSchemas() && o.Schemas == nil {
		return fmt.Errorf("format %s needs a schema registry: give its address", o.Format)
	}
	if o.MaxBytes < 0 {
		return fmt.Errorf("record limit of %d bytes: want 0 (default) or more", o.MaxBytes)
	}
	return nil
}

// Decoder turns records into JSON texts of events. One goroutine at a time uses it.
//
//	value ──format──► JSON text ──┬──► mapAll         with a mapping: the events that it makes
//	                              ├──► single         one event, which only its own decoder parses
//	                              └──► Batch.Parse    one event, a list, or an envelope
//
// Events point into value where that is JSON already, else into the arena. text is used again for the next record, so
// what outlives this one is copied.
type Decoder struct {
	Options
	arena jsonscan.Arena
	text  []byte  // the current record as JSON; reused
	pick  *picker // nil without a mapping
}

// NewDecoder returns a decoder. It panics if o.Check fails.
func NewDecoder(o Options) *Decoder {
	if err := o.Check(); err != nil {
		panic(err)
	}
	if o.Format == "" {
		o.Format = JSON
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	d := &Decoder{Options: o}
	if o.Mapping != nil {
		d.pick = newPicker(o.Mapping)
		d.pick.used = o.Usage
	}
	return d
}

// Reset reuses the memory of the records read so far: their events may not be used any more.
func (d *Decoder) Reset() { d.arena.Reset() }

// Decode splits a record into the JSON texts of its events, which are not checked yet, and their common context. They
// point into value and the decoder's memory, and are valid until Reset. A record without a value, as in compacted
// topics, has no events.
//
// It fails with a *segment.Rejection, with ErrSchemasUnavailable, or with the error of ctx.
func (d *Decoder) Decode(ctx context.Context, value []byte, batch *segment.Batch) error {
	*batch = segment.Batch{Events: batch.Events[:0]}
	if len(value) == 0 {
		return nil
	}
	if len(value) > d.MaxBytes {
		return tooLarge(d.MaxBytes)
	}
	text, err := d.json(ctx, value)
	if err != nil {
		return err
	}
	switch {
	case d.Mapping != nil:
		err = d.mapAll(text, batch)
	case single(text):
		batch.Events = append(batch.Events, text)
	default:
		err = batch.Parse(text, maxEvents)
	}
	if err == nil && len(batch.Events)+batch.Excess > maxEvents {
		err = &segment.Rejection{
			Code:    segment.CodeEventTooLarge,
			Message: fmt.Sprintf("holds more than %d events", maxEvents),
			Hint:    "send smaller batches",
		}
	}
	if err != nil {
		batch.Events = batch.Events[:0]
	}
	return err
}

// json returns a record as JSON.
func (d *Decoder) json(ctx context.Context, value []byte) (text []byte, err error) {
	switch d.Format {
	case JSON:
		return value, nil
	case JSONSchema:
		_, payload, err := unframe(value)
		return payload, err
	case MessagePack:
		d.text, err = appendMessagePack(d.text[:0], value, d.MaxBytes)
	case Avro:
		d.text, err = d.avro(ctx, d.text[:0], value)
	case Protobuf:
		d.text, err = d.protobuf(ctx, d.text[:0], value)
	}
	if err != nil {
		return nil, err
	}
	if len(d.text) > d.MaxBytes {
		return nil, tooLarge(d.MaxBytes)
	}
	if d.Mapping != nil {
		return d.text, nil // the mapping copies the values it picks
	}
	return d.arena.Keep(append(d.arena.Reserve(len(d.text)), d.text...)), nil
}

// single reports whether a text can only be one event, without parsing it, which the event's own decoder does again:
// it is an object in which no string ends in batch, and which has no backslash that could spell it. The event's
// decoder finds errors inside the object.
func single(text []byte) bool {
	last := len(text) - 1
	return last > 0 && text[0] == '{' && text[last] == '}' &&
		bytes.IndexByte(text, '\\') < 0 && !bytes.Contains(text, batchKey)
}

var batchKey = []byte(`batch"`) // begins with a letter that is rarer than a quotation mark

func tooLarge(limit int) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeEventTooLarge,
		Message: fmt.Sprintf("a record of more than %d bytes", limit),
		Hint:    "send smaller records, or raise max_record_bytes of the topic",
	}
}

// undecodable rejects a record that is not in its declared format. The message quotes no value.
func undecodable(format Format, message string, args ...any) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeUndecodable,
		Message: string(format) + ": " + fmt.Sprintf(message, args...),
		Hint:    "see that the producer's serializer is the one that the topic is declared with",
	}
}

// IsRejection returns the rejection in err, if any.
func IsRejection(err error) (*segment.Rejection, bool) {
	var r *segment.Rejection
	ok := errors.As(err, &r)
	return r, ok
}
