package record

import (
	"fmt"
	"slices"
	"strings"
)

// Format is the encoding of a topic's records.
type Format string

// The formats.
const (
	JSON        Format = "json"        // an event, a list of events, or {"batch": [...]}
	MessagePack Format = "msgpack"     // the same, in MessagePack
	JSONSchema  Format = "json_schema" // the same in JSON, after Confluent's frame
	Avro        Format = "avro"        // after Confluent's frame
	Protobuf    Format = "protobuf"    // after Confluent's frame
)

var formats = []Format{JSON, MessagePack, JSONSchema, Avro, Protobuf}

// ParseFormat parses the name of a format; "" means JSON.
func ParseFormat(name string) (Format, error) {
	if name == "" {
		return JSON, nil
	}
	if f := Format(name); slices.Contains(formats, f) {
		return f, nil
	}
	var names []string
	for _, f := range formats {
		names = append(names, string(f))
	}
	return "", fmt.Errorf("format %q: want one of %s", name, strings.Join(names, ", "))
}

// NeedsSchemas reports whether records of this format can only be read with their schema.
func (f Format) NeedsSchemas() bool { return f == Avro || f == Protobuf }
