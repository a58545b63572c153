package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/vmihailenco/msgpack/v5"
)

// fuzzFormat checks F1 and F4 for any bytes, and that a decoder with a history gives the same result (F2).
func fuzzFormat(f *testing.F, o Options) {
	if o.Schemas != nil {
		o.Schemas.pauses = nil // most ids are unknown, and no other registry node will have them
	}
	used := NewDecoder(o)
	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		fresh := NewDecoder(o)
		var batch, again segment.Batch
		err := fresh.Decode(context.Background(), value, &batch)
		used.Reset()
		errUsed := used.Decode(context.Background(), value, &again)
		if !bytes.Equal(value, before) {
			t.Fatal("the record was written to")
		}
		if err != nil {
			if _, ok := IsRejection(err); !ok {
				t.Fatalf("%v is no rejection (F1)", err)
			}
			if errUsed == nil || errUsed.Error() != err.Error() || len(batch.Events) > 0 {
				t.Fatalf("%v, and another time %v, with %d events", err, errUsed, len(batch.Events))
			}
			return
		}
		if errUsed != nil || !slices.EqualFunc(batch.Events, again.Events, bytes.Equal) {
			t.Fatalf("%q, and another time %q, %v (F2)", batch.Events, again.Events, errUsed)
		}
		if o.Format == JSON || o.Format == JSONSchema {
			return // unchanged from the producer
		}
		for _, event := range batch.Events {
			var s jsonscan.Scanner
			var arena jsonscan.Arena
			s.Reset(event, &arena)
			s.Value()
			var at *jsonscan.Error
			if err := s.End(); err != nil && !(errors.As(err, &at) && (at.Code == jsonscan.UTF8 || at.Code == jsonscan.Depth)) {
				t.Fatalf("%v in what was made: %q (F4)", err, event)
			}
		}
	})
}

func FuzzMessagePack(f *testing.F) {
	for _, v := range []any{nil, map[string]any{"a": []any{1, -1, 1.5, "x", []byte{1}}}, []any{map[string]any{}}} {
		b, err := msgpack.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{0x81, 0xa1, 'a', 0xd6, 0xff, 0, 0, 0, 1})
	fuzzFormat(f, Options{Format: MessagePack})
}

// The JSON has the values that the other library reads from the MessagePack.
func FuzzMessagePackAgainstLibrary(f *testing.F) {
	f.Add(`{"a":[1,-70000,1.5,"x",null,true,{"b":18446744073709551615}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		d := json.NewDecoder(bytes.NewReader([]byte(text)))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return
		}
		v = numbers(v)
		packed, err := msgpack.Marshal(v)
		if err != nil {
			return
		}
		want, err := json.Marshal(v)
		if err != nil {
			return
		}
		got, err := appendMessagePack(nil, packed, 1<<20)
		if err != nil {
			return // too deep, too large
		}
		sameJSON(t, string(got), string(want))
	})
}

// numbers turns whole numbers into integers, and others into floats.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = numbers(v[key])
		}
	}
	return v
}

func FuzzAvro(f *testing.F) {
	f.Add(frame(2, avroOrder(f)))
	fuzzFormat(f, Options{Format: Avro, Schemas: seedOrder(f)})
}

func FuzzProtobuf(f *testing.F) {
	fake, schemas := registry(f)
	fake.SeedSchema("money", 1, 1, sr.Schema{Schema: moneyProto, Type: sr.TypeProtobuf})
	fake.SeedSchema("visits-value", 1, 2, sr.Schema{Schema: visitProto, Type: sr.TypeProtobuf, References: []sr.SchemaReference{{Name: "shop/money.proto", Subject: "money", Version: 1}}})
	f.Add(append(frame(2, []byte{4, 2, 0}), protobufVisit(f, visitJSON)...))
	fuzzFormat(f, Options{Format: Protobuf, Schemas: schemas})
}

func FuzzMapping(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,{"c":2}]},"t":17.5,"o":{"x":1,"\u0079":2}}`))
	m := parseMapping(f, `{type: {value: track}, userId: a.b.1.c, timestamp: {from: t, unit: s}, properties: o, properties.y: a, traits: .}`)
	used := NewDecoder(Options{Mapping: m})
	f.Fuzz(func(t *testing.T, value []byte) {
		used.Reset()
		var batch segment.Batch
		err := used.Decode(context.Background(), value, &batch)
		if _, ok := IsRejection(err); err != nil && !ok {
			t.Fatalf("%v is no rejection (F1)", err)
		}
		for _, event := range batch.Events {
			if json.Valid(value) && !json.Valid(event) {
				t.Fatalf("%q is made of %q (F4)", event, value)
			}
		}
	})
}

// The formats whose records are JSON already.
func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"batch":[{"type":"track"}],"context":{}}`))
	f.Add([]byte(`{0}`)) // passed on unchanged: the event's own decoder rejects it
	f.Add([]byte("\x00\x00\x00\x00\x01[{}]"))
	fuzzFormat(f, Options{Format: JSON})
}
