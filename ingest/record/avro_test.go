package record

import (
	"encoding/binary"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	hamba "github.com/hamba/avro/v2"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/twmb/franz-go/pkg/sr"
)

const orderSchema = `{"type":"record","name":"Order","namespace":"shop","fields":[
	{"name":"id","type":"long"},
	{"name":"customer","type":["null","Customer"],"default":null},
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},
	{"name":"state","type":{"type":"enum","name":"State","symbols":["OPEN","PAID"]}},
	{"name":"tags","type":{"type":"map","values":"string"}},
	{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"sku","type":"string"},{"name":"price","type":"double"}]}}},
	{"name":"raw","type":"bytes"},
	{"name":"ref","type":{"type":"string","logicalType":"uuid"}}]}`

const customerSchema = `{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"id","type":"string"}]}`

// frame puts Confluent's frame around a payload.
func frame(id int, payload []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(id)), payload...)
}

// An order as another library writes it, with the schema of the customer in a subject of its own.
func avroOrder(t testing.TB) []byte {
	t.Helper()
	cache := &hamba.SchemaCache{}
	if _, err := hamba.ParseWithCache(customerSchema, "", cache); err != nil {
		t.Fatal(err)
	}
	schema, err := hamba.ParseWithCache(orderSchema, "", cache)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := hamba.Marshal(schema, map[string]any{
		"id": int64(1) << 60, "customer": map[string]any{"shop.Customer": map[string]any{"id": "c7"}},
		"ts": time.UnixMilli(1_769_862_896_789).UTC(), "total": big.NewRat(1999, 100), "state": "PAID", "tags": map[string]any{"z": "1", "a": "2"},
		"lines": []any{map[string]any{"sku": "s1", "price": 9.5}}, "raw": []byte{0xff, 0x00}, "ref": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
	})
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

const orderJSON = `{"id":1152921504606846976,"customer":{"id":"c7"},"ts":"2026-01-31T12:34:56.789Z","total":19.99,"state":"PAID",
	"tags":{"a":"2","z":"1"},"lines":[{"sku":"s1","price":9.5}],"raw":"/wA=","ref":"6ba7b810-9dad-11d1-80b4-00c04fd430c8"}`

func seedOrder(t testing.TB) *Schemas {
	t.Helper()
	fake, schemas := registry(t)
	fake.SeedSchema("customer-value", 3, 1, sr.Schema{Schema: customerSchema})
	fake.SeedSchema("orders-value", 1, 2, sr.Schema{Schema: orderSchema, References: []sr.SchemaReference{{Name: "shop.Customer", Subject: "customer-value", Version: 3}}})
	fake.SeedSchema("proto-value", 1, 3, sr.Schema{Schema: `syntax = "proto3"; message A {}`, Type: sr.TypeProtobuf})
	fake.SeedSchema("gone", 1, 5, sr.Schema{Schema: customerSchema})
	fake.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/subjects/gone/") {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"error_code":40401,"message":"Subject 'gone' not found."}`))
		return true
	})
	fake.SeedSchema("dangling-value", 1, 4, sr.Schema{Schema: orderSchema, References: []sr.SchemaReference{{Name: "shop.Customer", Subject: "gone", Version: 1}}})
	return schemas
}

func TestAvro(t *testing.T) {
	o := Options{Format: Avro, Schemas: seedOrder(t)}
	payload := avroOrder(t)
	events, _, r := decodeAll(t, o, frame(2, payload))
	if r != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), r)
	}
	sameJSON(t, events[0], orderJSON)
	for _, test := range []struct {
		name  string
		value []byte
		code  segment.Code
		says  string
	}{
		{"no frame", []byte(`{"type":"track"}`), segment.CodeUndecodable, "frame"},
		{"cut off", frame(2, payload[:len(payload)-1]), segment.CodeUndecodable, "schema 2"},
		{"more after it", frame(2, append(payload, 0)), segment.CodeUndecodable, "1 bytes after"},
		{"of another type", frame(3, nil), segment.CodeUnknownSchema, "PROTOBUF"},
		{"a reference that is gone", frame(4, payload), segment.CodeUnknownSchema, "gone"},
	} {
		_, _, r := decodeAll(t, o, test.value)
		if r == nil || r.Code != test.code || !strings.Contains(r.Message, test.says) {
			t.Errorf("%s: %v", test.name, r)
		}
		if r != nil && strings.Contains(r.Error(), "c7") {
			t.Errorf("%s: the rejection quotes an identifier: %v", test.name, r)
		}
	}
}
