package record

import (
	"fmt"
	"slices"
	"strings"
)

// Format is what the records of a topic are written in.
type Format string

// The formats.
const (
	JSON        Format = "json"        // an event, a list of events, or {"batch": [...]}
	MessagePack Format = "msgpack"     // the same, in MessagePack
	JSONSchema  Format = "json_schema" // the same in JSON, behind Confluent's frame
	Avro        Format = "avro"        // behind Confluent's frame
	Protobuf    Format = "protobuf"    // behind Confluent's frame
)

var formats = []Format{JSON, MessagePack, JSONSchema, Avro, Protobuf}

// ParseFormat reads the name of a format; empty is JSON.
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

// NeedsSchemas tells whether records of this format can only be read with their schema.
func (f Format) NeedsSchemas() bool { return f == Avro || f == Protobuf }
