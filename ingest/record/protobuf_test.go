package record

import (
	"context"
	"testing"
	"time"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"
)

const moneyProto = `syntax = "proto3"; package shop; message Money { int64 units = 1; string currency = 2; }`

const visitProto = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "shop/money.proto";
message Other { string x = 1; }
message Envelope {
	enum Kind { NONE = 0; PAID = 1; }
	message Visit {
		string customer_id = 1; google.protobuf.Timestamp at = 2; map<string, int32> counts = 3; repeated Money paid = 4;
		oneof who { string email = 5; uint64 phone = 6; } Kind kind = 7; bytes raw = 8; double score = 9;
		google.protobuf.StringValue nick = 10; optional int32 zero = 11; bool absent = 12; Visit before = 13; float small = 14;
	}
}`

func visitText() *schemaText {
	return &schemaText{kind: sr.TypeProtobuf, text: visitProto, references: []referenced{{"shop/money.proto", moneyProto}}}
}

// protobufVisit is a visit with every kind of field, as the Protobuf library writes it.
func protobufVisit(t testing.TB, inJSON string) []byte {
	t.Helper()
	file, err := compileProtobuf(context.Background(), visitText())
	if err != nil {
		t.Fatal(err)
	}
	message := dynamicpb.NewMessage(messageAt(file, []int{1, 0}))
	if err := protojson.Unmarshal([]byte(inJSON), message); err != nil {
		t.Fatal(err)
	}
	payload, err := proto.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

const visitJSON = `{"customer_id":"c7","at":"2026-01-31T12:34:56.789Z","counts":{"b":2,"a":1},"paid":[{"units":9007199254740993,"currency":"EUR"}],
	"phone":18446744073709551615,"kind":"PAID","raw":"/wA=","score":1.5,"nick":"Ann","zero":0,"before":{"customer_id":"c6"},"small":0.1}`

func TestProtobuf(t *testing.T) {
	fake, schemas := registry(t)
	fake.SeedSchema("money", 1, 1, sr.Schema{Schema: moneyProto, Type: sr.TypeProtobuf})
	fake.SeedSchema("visits-value", 1, 2, sr.Schema{Schema: visitProto, Type: sr.TypeProtobuf, References: []sr.SchemaReference{{Name: "shop/money.proto", Subject: "money", Version: 1}}})
	o := Options{Format: Protobuf, Schemas: schemas}
	value := func(indexes []int, payload []byte) []byte {
		b, err := new(sr.ConfluentHeader).AppendEncode(nil, 2, indexes)
		if err != nil {
			t.Fatal(err)
		}
		return append(b, payload...)
	}
	payload := protobufVisit(t, visitJSON)
	events, _, r := decodeAll(t, o, value([]int{1, 0}, payload))
	if r != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), r)
	}
	sameJSON(t, events[0], visitJSON)
	first, _, r := decodeAll(t, o, value([]int{0}, []byte{0x0a, 1, 'y'}))
	if r != nil || first[0] != `{"x":"y"}` {
		t.Errorf("the first message: %q, %v", first, r)
	}
	for name, bad := range map[string][]byte{
		"no frame": payload, "no indexes": frame(2, nil), "a message that is not there": value([]int{1, 5}, payload), "cut off": value([]int{1, 0}, payload[:len(payload)-1]),
		"a nested message that is not there": value([]int{0, 0}, payload), "a score that is not finite": value([]int{1, 0}, protobufVisit(t, `{"score":"NaN"}`)),
		"no indexes that end":        frame(2, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}),
		"a time beyond the calendar": value([]int{1, 0}, append([]byte{0x12, 10, 0x08}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)),
	} {
		if _, _, r := decodeAll(t, o, bad); r == nil || r.Code != segment.CodeUndecodable {
			t.Errorf("%s: %v", name, r)
		}
	}
}

// A schema that does not compile rejects its records; it does not stop the topic.
func TestProtobufSchemas(t *testing.T) {
	fake, schemas := registry(t)
	fake.SeedSchema("a", 1, 1, sr.Schema{Schema: `syntax = "proto3"; import "nowhere.proto"; message A {}`, Type: sr.TypeProtobuf})
	start := time.Now()
	if _, _, r := decodeAll(t, Options{Format: Protobuf, Schemas: schemas}, frame(1, []byte{0})); r == nil || r.Code != segment.CodeUnknownSchema {
		t.Errorf("%v after %v", r, time.Since(start))
	}
}
