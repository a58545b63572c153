package record

import (
	"context"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
)

// avro appends an Avro record as JSON. A union is written as its value alone, decimals as numbers, times as RFC 3339,
// and binary data in base64.
func (d *Decoder) avro(ctx context.Context, dst, value []byte) ([]byte, error) {
	id, payload, err := unframe(value)
	if err != nil {
		return dst, err
	}
	compiled, err := d.Schemas.find(ctx, id, sr.TypeAvro)
	if err != nil {
		return dst, err
	}
	var v any
	rest, err := compiled.avro.Decode(payload, &v)
	if err != nil {
		return dst, undecodable(Avro, "schema %d does not fit: %v", id, err)
	}
	if len(rest) > 0 {
		return dst, undecodable(Avro, "%d bytes after a record of schema %d", len(rest), id)
	}
	if dst, err = appendValue(dst, v, 0); err != nil {
		return dst, undecodable(Avro, "%v", err)
	}
	return dst, nil
}

// compileAvro compiles the text of a schema and of those that it refers to.
func compileAvro(s *schemaText) (*avro.Schema, error) {
	var cache avro.SchemaCache
	for _, r := range s.references {
		if _, err := cache.Parse(r.text); err != nil {
			return nil, err
		}
	}
	return cache.Parse(s.text)
}
