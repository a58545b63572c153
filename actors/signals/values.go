package signals

import "github.com/kindred-id/kindred/graph/signal"

// Values reads scalars out of JSON, as Marker does with the properties of events. One goroutine at a time uses it.
type Values struct{ properties properties }

// Reset releases what was read.
func (v *Values) Reset() { v.properties.begin(nil) }

// Append appends the values at a path below a JSON value; those of the value itself where the path is empty. An array stands for
// its elements. They are valid until Reset.
func (v *Values) Append(values []signal.Scalar, text []byte, path string) []signal.Scalar {
	v.properties.text = text
	return v.properties.Append(values, path)
}
