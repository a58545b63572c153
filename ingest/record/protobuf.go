package record

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/jsontext"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// protobuf appends a Protobuf message as JSON: fields under the names in the schema, without unset fields; whole
// numbers as numbers, enumerations by name, binary data in base64.
func (d *Decoder) protobuf(ctx context.Context, dst, value []byte) ([]byte, error) {
	id, payload, err := unframe(value)
	if err != nil {
		return dst, err
	}
	compiled, err := d.Schemas.find(ctx, id, sr.TypeProtobuf)
	if err != nil {
		return dst, err
	}
	indexes, payload, err := messageIndexes(payload)
	if err != nil {
		return dst, undecodable(Protobuf, "message indexes: %v", err)
	}
	descriptor := messageAt(compiled.protobuf, indexes)
	if descriptor == nil {
		return dst, undecodable(Protobuf, "schema %d has no message %v", id, indexes)
	}
	message := dynamicpb.NewMessage(descriptor)
	if err := (proto.UnmarshalOptions{RecursionLimit: jsonscan.MaxDepth}).Unmarshal(payload, message); err != nil {
		return dst, undecodable(Protobuf, "schema %d does not fit: %v", id, err)
	}
	if dst, err = appendMessage(dst, message, 0); err != nil {
		return dst, undecodable(Protobuf, "%v", err)
	}
	return dst, nil
}

// messageAt finds a message by its indexes: the first counts the file's messages, each further one the messages
// nested in the previous one. It returns nil if an index is out of range.
func messageAt(file protoreflect.FileDescriptor, indexes []int) protoreflect.MessageDescriptor {
	var found protoreflect.MessageDescriptor
	among := file.Messages()
	for _, i := range indexes {
		if i < 0 || i >= among.Len() {
			return nil
		}
		found = among.Get(i)
		among = found.Messages()
	}
	return found
}

// wellKnown is the package of the messages with a JSON form of their own.
const wellKnown = "google.protobuf."

// appendMessage appends a message as an object: the fields that are set, under their names in the schema and in its
// order. Messages of the package google.protobuf, such as Timestamp and Struct, have a form in JSON of their own.
func appendMessage(dst []byte, m protoreflect.Message, depth int) (_ []byte, err error) {
	if depth > jsonscan.MaxDepth {
		return dst, errDepth
	}
	if strings.HasPrefix(string(m.Descriptor().FullName()), wellKnown) {
		text, err := protojson.Marshal(m.Interface())
		if err != nil {
			return dst, errors.New("holds a well-known type with an invalid value")
		}
		return append(dst, text...), nil
	}
	dst = append(dst, '{')
	fields := m.Descriptor().Fields()
	first := true
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jsontext.AppendVerbatim(dst, string(f.Name())), ':')
		if dst, err = appendField(dst, f, m.Get(f), depth); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendField appends the value of a field: a map, a list, or one value.
func appendField(dst []byte, f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) (_ []byte, err error) {
	switch {
	case f.IsMap():
		return appendMap(dst, f.MapValue(), v.Map(), depth)
	case f.IsList():
		dst = append(dst, '[')
		list := v.List()
		for i := range list.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendScalar(dst, f, list.Get(i), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	}
	return appendScalar(dst, f, v, depth)
}

// appendMap appends a map ordered by the text of its keys: a Protobuf map has no order (F2).
func appendMap(dst []byte, f protoreflect.FieldDescriptor, m protoreflect.Map, depth int) (_ []byte, err error) {
	type entry struct {
		key   string
		value protoreflect.Value
	}
	var entries []entry
	m.Range(func(key protoreflect.MapKey, v protoreflect.Value) bool {
		entries = append(entries, entry{key.String(), v})
		return true
	})
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	dst = append(dst, '{')
	for i, e := range entries {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendVerbatim(dst, e.key), ':')
		if dst, err = appendScalar(dst, f, e.value, depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

// appendScalar appends one value. Whole numbers of 64 bits stay numbers, where Protobuf's own JSON makes them text:
// the scanner of events reads all digits. A value of an enum that the schema does not name is its number.
func appendScalar(dst []byte, f protoreflect.FieldDescriptor, v protoreflect.Value, depth int) ([]byte, error) {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return strconv.AppendBool(dst, v.Bool()), nil
	case protoreflect.EnumKind:
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return jsontext.AppendVerbatim(dst, string(e.Name())), nil
		}
		return strconv.AppendInt(dst, int64(v.Enum()), 10), nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind, protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return strconv.AppendUint(dst, v.Uint(), 10), nil
	case protoreflect.FloatKind:
		return appendFloat(dst, v.Float(), 32)
	case protoreflect.DoubleKind:
		return appendFloat(dst, v.Float(), 64)
	case protoreflect.StringKind:
		return jsontext.AppendVerbatim(dst, v.String()), nil
	case protoreflect.BytesKind:
		return appendBytes(dst, v.Bytes()), nil
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return appendMessage(dst, v.Message(), depth+1)
	}
	return dst, fmt.Errorf("holds a field of kind %v", f.Kind())
}

// compileProtobuf compiles the text of a .proto file and of those that it imports.
func compileProtobuf(ctx context.Context, s *schemaText) (protoreflect.FileDescriptor, error) {
	const main = "kindred.main.proto" // the registry does not provide the file's name
	sources := map[string]string{main: s.text}
	for _, r := range s.references {
		sources[r.name] = r.text
	}
	compiler := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: func(path string) (io.ReadCloser, error) {
			text, ok := sources[path]
			if !ok {
				return nil, fmt.Errorf("%s is not among the schema's references", path)
			}
			return io.NopCloser(strings.NewReader(text)), nil
		},
	})}
	files, err := compiler.Compile(ctx, main)
	if err != nil {
		return nil, err
	}
	return files.FindFileByPath(main), nil
}
