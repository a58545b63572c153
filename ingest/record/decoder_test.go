package record

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"
	"github.com/vmihailenco/msgpack/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// decodeAll decodes one record.
func decodeAll(t testing.TB, o Options, value []byte) ([]string, string, *segment.Rejection) {
	t.Helper()
	var batch segment.Batch
	err := NewDecoder(o).Decode(context.Background(), value, &batch)
	r, rejected := IsRejection(err)
	if err != nil && !rejected {
		t.Fatalf("%v is no rejection (F1)", err)
	}
	var events []string
	for _, raw := range batch.Events {
		events = append(events, string(raw))
	}
	return events, string(batch.Context), r
}

func sameJSON(t testing.TB, got, want string) {
	t.Helper()
	read := func(text string) (v any) {
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		return v
	}
	if !reflect.DeepEqual(read(got), read(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	const event = `{"type":"track","event":"x","userId":"7"}`
	for _, test := range []struct {
		name, value string
		events      []string
		context     string
		code        segment.Code
	}{
		{"one event", event, []string{event}, "", ""},
		{"a list", "[" + event + ", " + event + "]", []string{event, event}, "", ""},
		{"a batch", `{"batch":[` + event + `],"context":{"ip":"::1"}}`, []string{event}, `{"ip":"::1"}`, ""},
		{"no event", `{"batch":[]}`, nil, "", ""},
		{"no value", "", nil, "", ""},
		{"no JSON", `{"batch":[`, nil, "", segment.CodeInvalidJSON},
		{"another value", `"text"`, nil, "", segment.CodeBadType},
		{"too large", `"` + strings.Repeat("x", 1<<10) + `"`, nil, "", segment.CodeEventTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, common, r := decodeAll(t, Options{MaxBytes: 1 << 10}, []byte(test.value))
			if !reflect.DeepEqual(events, test.events) || common != test.context {
				t.Errorf("events %q, context %q", events, common)
			}
			if (r == nil) != (test.code == "") || r != nil && r.Code != test.code {
				t.Errorf("rejection %v, want %q", r, test.code)
			}
		})
	}
}

// Plain JSON is not copied (F3).
func TestJSONIsNotCopied(t *testing.T) {
	d := NewDecoder(Options{})
	value := []byte(`[{"type":"track"},{"type":"page"}]`)
	var batch segment.Batch
	if err := d.Decode(context.Background(), value, &batch); err != nil {
		t.Fatal(err)
	}
	value[10], value[27] = 'T', 'P'
	if string(batch.Events[0]) != `{"type":"Track"}` || string(batch.Events[1]) != `{"type":"Page"}` {
		t.Errorf("%q", batch.Events)
	}
}

func TestMessagePack(t *testing.T) {
	type object = map[string]any
	value := object{
		"type": "track", "userId": uint64(math.MaxUint64), "n": -5, "small": -1, "big": int64(math.MinInt64), "f": 1.5, "f32": float32(0.1),
		"nil": nil, "yes": true, "no": false, "bin": []byte{0, 1, 255}, "text": "é\"\\\n\x01", "list": []any{1, "two", []any{}, object{}},
		"long": strings.Repeat("x", 70000), "at": time.Date(2026, 1, 31, 12, 34, 56, 789e6, time.UTC), "early": time.Unix(0, 0),
		"many": make([]int, 70000),
	}
	packed, err := msgpack.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	want := object{
		"type": "track", "userId": json.Number("18446744073709551615"), "n": -5, "small": -1, "big": json.Number("-9223372036854775808"), "f": 1.5, "f32": json.Number("0.1"),
		"nil": nil, "yes": true, "no": false, "bin": "AAH/", "text": "é\"\\\n\x01", "list": []any{1, "two", []any{}, object{}},
		"long": strings.Repeat("x", 70000), "at": "2026-01-31T12:34:56.789Z", "early": "1970-01-01T00:00:00Z", "many": make([]int, 70000),
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	events, _, r := decodeAll(t, Options{Format: MessagePack}, packed)
	if r != nil || len(events) != 1 {
		t.Fatalf("%d events, %v", len(events), r)
	}
	sameJSON(t, events[0], string(text))

	batch, err := msgpack.Marshal(object{"batch": []object{{"type": "page"}, {"type": "screen"}}, "context": object{"ip": "::1"}})
	if err != nil {
		t.Fatal(err)
	}
	events, common, r := decodeAll(t, Options{Format: MessagePack}, batch)
	if r != nil || len(events) != 2 || events[1] != `{"type":"screen"}` || common != `{"ip":"::1"}` {
		t.Errorf("%q, %q, %v", events, common, r)
	}
	for name, bad := range map[string][]byte{
		"cut off": packed[:len(packed)-1], "more after it": append(bytes.Clone(batch), 1), "a code without meaning": {0x81, 0xa1, 'a', 0xc1},
		"a key that is a number": {0x81, 1, 1}, "not finite": {0x81, 0xa1, 'a', 0xca, 0x7f, 0x80, 0, 0}, "an extension": {0x81, 0xa1, 'a', 0xd4, 5, 0},
		"a length beyond the end": {0xdf, 0xff, 0xff, 0xff, 0xff}, "too deep": bytes.Repeat([]byte{0x91}, 100), "a bad timestamp": {0x81, 0xa1, 'a', 0xd4, 0xff, 0},
	} {
		if events, _, r := decodeAll(t, Options{Format: MessagePack}, bad); r == nil || r.Code != segment.CodeUndecodable || len(events) > 0 {
			t.Errorf("%s: %q, %v", name, events, r)
		}
	}
}

// Escaping can make a text exceed its limit; the decoder notices before it exceeds it.
func TestMessagePackGrows(t *testing.T) {
	packed, err := msgpack.Marshal([]string{strings.Repeat("\x01", 1000)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, r := decodeAll(t, Options{Format: MessagePack, MaxBytes: 2000}, packed); r == nil || r.Code != segment.CodeEventTooLarge {
		t.Errorf("%v", r)
	}
}

// registry is a schema registry for a test.
func registry(t testing.TB) (*srfake.Registry, *Schemas) {
	t.Helper()
	fake := srfake.New()
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := sr.NewClient(sr.URLs(fake.URL()), sr.HTTPClient(&http.Client{Transport: transport, Timeout: 5 * time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake, NewSchemas(client)
}

// A registry that does not answer proves nothing about a record (F1), and is asked again at the next attempt. A
// registry that does not know an id does, and is not asked for each record.
func TestSchemasUnavailable(t *testing.T) {
	pauses := unknownRetries
	unknownRetries = []time.Duration{time.Millisecond}
	defer func() { unknownRetries = pauses }()
	fake, schemas := registry(t)
	fake.SeedSchema("a-value", 1, 1, sr.Schema{Schema: `{"type":"record","name":"A","fields":[]}`})
	var asked atomic.Int64
	var down atomic.Bool
	down.Store(true)
	fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		asked.Add(1)
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return down.Load()
	})
	d := NewDecoder(Options{Format: Avro, Schemas: schemas})
	var batch segment.Batch
	value := []byte{0, 0, 0, 0, 1}
	if err := d.Decode(context.Background(), value, &batch); !errors.Is(err, ErrSchemasUnavailable) {
		t.Fatalf("%v", err)
	}
	down.Store(false)
	if err := d.Decode(context.Background(), value, &batch); err != nil || len(batch.Events) != 1 {
		t.Fatalf("%d events, %v", len(batch.Events), err)
	}
	before := asked.Load()
	for range 10 {
		if err := d.Decode(context.Background(), value, &batch); err != nil {
			t.Fatal(err)
		}
	}
	if n := asked.Load() - before; n != 0 {
		t.Errorf("a known schema was asked for %d times", n)
	}
	for range 10 {
		err := d.Decode(context.Background(), []byte{0, 0, 0, 0, 9}, &batch)
		if r, ok := IsRejection(err); !ok || r.Code != segment.CodeUnknownSchema {
			t.Fatalf("%v", err)
		}
	}
	if n := asked.Load() - before; n != 2 {
		t.Errorf("an unknown schema was asked for %d times, want once and once more", n)
	}
}

// A bare 404 need not come from a registry, so it does not reject records.
func TestSchemasElsewhere(t *testing.T) {
	fake, schemas := registry(t)
	fake.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		http.NotFound(w, r)
		return true
	})
	var batch segment.Batch
	err := NewDecoder(Options{Format: Avro, Schemas: schemas}).Decode(context.Background(), []byte{0, 0, 0, 0, 1}, &batch)
	if !errors.Is(err, ErrSchemasUnavailable) {
		t.Errorf("%v", err)
	}
}

// countingRegistry has every schema.
type countingRegistry struct{ asked atomic.Int64 }

func (r *countingRegistry) SchemaByID(context.Context, int) (sr.Schema, error) {
	r.asked.Add(1)
	return sr.Schema{Schema: `"string"`}, nil
}

func (r *countingRegistry) SchemaByVersion(context.Context, string, int) (sr.SubjectSchema, error) {
	return sr.SubjectSchema{}, errors.New("not asked for")
}

// The number of schemas in memory is bounded, recently used ones stay (F5), and concurrent requests for one schema ask once.
func TestSchemasBounded(t *testing.T) {
	r := &countingRegistry{}
	s := NewSchemas(r)
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := s.find(context.Background(), 0, sr.TypeAvro)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	if n := r.asked.Load(); n != 1 {
		t.Errorf("asked %d times for one schema", n)
	}
	for id := range schemasMax + 10 {
		for _, id := range []int{id, 0} {
			if _, err := s.find(context.Background(), id, sr.TypeAvro); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(s.entries) > schemasMax {
		t.Errorf("%d schemas in memory", len(s.entries))
	}
	if n := r.asked.Load(); n != schemasMax+10 {
		t.Errorf("asked %d times: the schema that was always in use was forgotten", n)
	}
}

// A batch is recognised in every spelling of its key, and only as a key of its own object.
func TestDecodeBatchKey(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"track"}`:                      `{"type":"track"}`,
		`{"batch":[{"a":1}]}`:                   `{"a":1}`,
		`{"\u0062atch":[{"a":1}]}`:              `{"a":1}`,
		` {"batch" : [{"a":1}]} `:               `{"a":1}`,
		`{"event":"batch"}`:                     `{"event":"batch"}`,
		`{"properties":{"batch":[{"a":1}]}}`:    `{"properties":{"batch":[{"a":1}]}}`,
		`[{"type":"track"}]`:                    `{"type":"track"}`,
		`{"event":"a\"b","properties":{"x":1}}`: `{"event":"a\"b","properties":{"x":1}}`,
	} {
		var b segment.Batch
		if err := NewDecoder(Options{}).Decode(t.Context(), []byte(text), &b); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if len(b.Events) != 1 || string(b.Events[0]) != want {
			t.Errorf("%s: %q, want %s", text, b.Events, want)
		}
	}
}

// BenchmarkDecode decodes a record with one event.
func BenchmarkDecode(b *testing.B) {
	text := []byte(`{"timestamp":"2026-11-01T09:05:00.000Z","messageId":"m2","type":"track","event":"Product Viewed","anonymousId":"3f1c","context":{"page":{"path":"/p/1","url":"https://shop.example/p/1","title":"One","referrer":"https://search.example/"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36","library":{"name":"analytics.js","version":"2.1.0"},"locale":"en-GB"},"properties":{"product_id":"507f1f77bcf86cd799439011","sku":"G-32","category":"Games","name":"Monopoly: 3rd Edition","price":18.99,"quantity":1,"url":"https://shop.example/p/1"}}`)
	d := NewDecoder(Options{})
	var batch segment.Batch
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(b.Context(), text, &batch); err != nil {
			b.Fatal(err)
		}
	}
}
