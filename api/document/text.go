package document

import (
	"encoding/json"
	"time"

	"github.com/kindred-id/kindred/internal/jsontext"
)

// Time is a moment, as RFC 3339 in UTC with milliseconds.
type Time string

// TimeOrNull is a moment, as RFC 3339 in UTC with milliseconds; null where there is none, which is "" in Go.
type TimeOrNull string

// TextOrNull is a text; null where there is none, which is "" in Go.
type TextOrNull string

// Amount is an amount of money as it is written: a decimal number in the unit of its currency. It is a text in Go, so
// that no digit is lost.
type Amount = json.Number

// AmountOrNull is an Amount; null where it is not known, which is "null" in Go.
type AmountOrNull string

// CountOrNull is a count; null where there is nothing to count any more, which is "null" in Go.
type CountOrNull string

// Encoded is a document of type T that is JSON text already, such as the work of a hand-written encoder.
type Encoded[T any] []byte

// NewTime is the Time of ms since 1970.
func NewTime(ms int64) Time { return Time(time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")) }

// MarshalJSON implements json.Marshaler.
func (t TimeOrNull) MarshalJSON() ([]byte, error) { return TextOrNull(t).MarshalJSON() }

// MarshalJSON implements json.Marshaler.
func (t TextOrNull) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return json.Marshal(string(t))
}

// MarshalJSON implements json.Marshaler.
func (a AmountOrNull) MarshalJSON() ([]byte, error) { return []byte(a), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (a *AmountOrNull) UnmarshalJSON(text []byte) error {
	*a = AmountOrNull(text)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (c CountOrNull) MarshalJSON() ([]byte, error) { return []byte(c), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (c *CountOrNull) UnmarshalJSON(text []byte) error {
	*c = CountOrNull(text)
	return nil
}

// MarshalJSON implements json.Marshaler.
func (e Encoded[T]) MarshalJSON() ([]byte, error) { return json.RawMessage(e).MarshalJSON() }

// UnmarshalJSON implements json.Unmarshaler.
func (e *Encoded[T]) UnmarshalJSON(text []byte) error {
	*e = append((*e)[:0], text...)
	return nil
}

// JSONSchemaAlias makes the schema of T that of e.
func (e Encoded[T]) JSONSchemaAlias() any { return *new(T) }

// Decode reads the document.
func (e Encoded[T]) Decode() (document T, err error) {
	err = json.Unmarshal(e, &document)
	return document, err
}

func appendString[T string | []byte](dst []byte, s T) []byte { return jsontext.AppendString(dst, s) }

func appendCompact(dst, text []byte) []byte { return jsontext.AppendCompact(dst, text) }

func appendTime(dst []byte, ms int64) []byte { return jsontext.AppendTime(dst, ms) }

func appendTimeOrNull(dst []byte, ms int64, known bool) []byte {
	return jsontext.AppendTimeOrNull(dst, ms, known)
}
