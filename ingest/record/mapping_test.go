package record

import (
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/yamlfile"
)

// unmarshalMapping reads a mapping as in a configuration file.
func unmarshalMapping(text string, m *Mapping) error {
	d, root, err := yamlfile.Parse("kafka.yaml", "map", []byte(text))
	if err != nil {
		return err
	}
	m.ReadYAML(d, root, "map")
	return d.Err()
}

func parseMapping(t testing.TB, text string) *Mapping {
	t.Helper()
	m := new(Mapping)
	if err := unmarshalMapping(text, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMapping(t *testing.T) {
	const record = `{"kind":"sale","customer":{"id":"c7","emails":["a@x.de","b@x.de"],"none":null},"ts":1769862896.789,"us":1769862896789001,"amount":12.50,
		"nested":{"a":1,"b":{"c":"d"}},"key \"quoted\"":"v"}`
	for _, test := range []struct{ name, mapping, want string }{
		{"constants", `{type: {value: track}, event: {value: 7}, properties.flag: {value: true}}`, `{"type":"track","event":7,"properties":{"flag":true}}`},
		{"a constant null", `{type: {value: track}, properties.flag: {value: null}}`, `{"type":"track","properties":{"flag":null}}`},
		{"paths", `{userId: customer.id, context.traits.email: customer.emails.1}`, `{"userId":"c7","context":{"traits":{"email":"b@x.de"}}}`},
		{"what is not there", `{userId: customer.nobody, anonymousId: kind.below, context.traits.email: customer.emails.5, event: kind}`, `{"event":"sale"}`},
		{"null", `{userId: customer.none}`, `{"userId":null}`},
		{"seconds", `{timestamp: {from: ts, unit: s}}`, `{"timestamp":1769862896789}`},
		{"microseconds", `{timestamp: {from: us, unit: us}}`, `{"timestamp":1769862896789}`},
		{"a time in no number", `{timestamp: {from: kind, unit: s}}`, `{"timestamp":"sale"}`},
		{"an object", `{properties: nested}`, `{"properties":{"a":1,"b":{"c":"d"}}}`},
		{"an object and fields", `{properties: nested, properties.a: amount, properties.more: kind}`, `{"properties":{"b":{"c":"d"},"a":12.50,"more":"sale"}}`},
		{"the whole record", `{properties: ., properties.nested: {value: gone}, properties.customer: {value: gone}, properties.ts: {value: 0}, properties.us: {value: 0}}`, `{"properties":{"kind":"sale","amount":12.50,"key \"quoted\"":"v","nested":"gone","customer":"gone","ts":0,"us":0}}`},
		{"a value and what is in it", `{userId: customer.id, traits: customer}`, `{"userId":"c7","traits":{"id":"c7","emails":["a@x.de","b@x.de"],"none":null}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, _, r := decodeAll(t, Options{Mapping: parseMapping(t, test.mapping)}, []byte(record))
			if r != nil || len(events) != 1 {
				t.Fatalf("%q, %v", events, r)
			}
			sameJSON(t, events[0], test.want)
		})
	}
	m := parseMapping(t, `{type: {value: track}, userId: id}`)
	events, _, r := decodeAll(t, Options{Mapping: m}, []byte(`[{"id":1},{"id":2}]`))
	if r != nil || strings.Join(events, " ") != `{"type":"track","userId":1} {"type":"track","userId":2}` {
		t.Errorf("a list: %q, %v", events, r)
	}
	for value, code := range map[string]segment.Code{
		`{"id":1`: segment.CodeInvalidJSON, `[{"id":1},3]`: segment.CodeBadType, `7`: segment.CodeBadType, `[{"id":1},{"id":]`: segment.CodeInvalidJSON,
	} {
		if events, _, r := decodeAll(t, Options{Mapping: m}, []byte(value)); r == nil || r.Code != code || len(events) > 0 {
			t.Errorf("%s: %q, %v, want %s", value, events, r, code)
		}
	}
	if _, _, r := decodeAll(t, Options{Mapping: parseMapping(t, `{properties: kind, properties.more: ts}`)}, []byte(record)); r == nil || r.Field != "properties" {
		t.Errorf("fields of a text: %v", r)
	}
}

func TestMilliseconds(t *testing.T) {
	for _, test := range []struct {
		text string
		unit timeUnit
		want int64
		ok   bool
	}{
		{"1769862896", unitSeconds, 1769862896000, true},
		{"1769862896.7899", unitSeconds, 1769862896789, true},
		{"1769862896789", unitMilliseconds, 1769862896789, true},
		{"1769862896789999999", unitNanoseconds, 1769862896789, true},
		{"-1", unitMicroseconds, -1, true},
		{"9223372036854775807", unitSeconds, 0, false},
		{"1e400", unitSeconds, 0, false},
		{"NaN", unitSeconds, 0, false},
		{"2026-01-31T00:00:00Z", unitSeconds, 0, false},
		{"", unitSeconds, 0, false},
	} {
		if got, ok := milliseconds(test.text, test.unit); got != test.want || ok != test.ok {
			t.Errorf("%s %s: %d, %t", test.text, test.unit, got, ok)
		}
	}
}

func TestMappingErrors(t *testing.T) {
	for text, says := range map[string]string{
		`{}`: "without fields", `{a..b: x}`: "keys with a dot", `{a: x..y}`: "keys with a dot", `{a: {from: x, value: y}}`: "not both", `{a: {}}`: "give a path",
		`{a: {from: x, unit: h}}`: "unit", `{a: {value: 1, unit: s}}`: "no unit", `{a: {value: 1}, a.b: x}`: "fields of its own", `{a: [[x]]}`: "want a list of words",
		`{a: {what: x}}`: "map.a.what: unknown key; known here: from, sum, value, values, else, prefix, suffix, unit, when", `[a]`: "a mapping is", "a: x\na: y": "twice", `{a: {from: ts, unit: s}, a.b: x}`: "fields of its own",
		`events: [{a: x}, {b: {}}]`: "event 2 (line 1): field \"b\": give a path", `{a: x, events: [{b: y}]}`: "a is beside events", `events: [x]`: "an event is its fields",
		`nosuch`: "want a file, or one of", `{read: {parse: x}, a: y}`: "want records", `events: [{when: [x], a: y}]`: "want paths with what", `events: [{when: {x: {is: y}}, a: y}]`: "want a text, a list",
		`events: [{when: {x: {above: y}}, a: y}]`: "want a number", `{a: {value: 1, prefix: x}}`: "no prefix", `{a: {sum: ..}}`: "sum", `events: [{each: a..b, a: y}]`: "each", `{read: {unpack: [a..b]}, a: y}`: "read: path",
	} {
		err := unmarshalMapping(text, new(Mapping))
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", text, err, says)
		}
	}
}

// String is equal for equal mappings only.
func TestMappingString(t *testing.T) {
	a, b := parseMapping(t, `{a: x, b: {value: 1}}`), parseMapping(t, `{b: {value: 1}, a: x}`)
	if a.String() != b.String() {
		t.Errorf("%s and %s", a, b)
	}
	for _, other := range []string{`{a: x}`, `{a: y, b: {value: 1}}`, `{a: x, b: {value: "1"}}`, `{a: {from: x, unit: s}, b: {value: 1}}`} {
		if parseMapping(t, other).String() == a.String() {
			t.Errorf("%s is like %s", other, a)
		}
	}
}

// A mapping of several events makes those whose conditions hold, and for lists one an element.
func TestMappingOfSeveralEvents(t *testing.T) {
	m := parseMapping(t, `
read: {records: orders, parse: [attributes], unpack: [params]}
events:
  - when: {status: [paid, shipped], test: {not: true}, total: {above: 10}, customer: {present: true}}
    messageId: {from: id, prefix: "order-"}
    userId: [customer.id, customer.email]
    event: {from: status, values: {paid: Order Completed}}
    properties.plan: attributes.plan
    properties.page: params.page
    properties.session: params.session
    properties.total: {from: cents, unit: hundredths}
    properties.tax: {sum: lines.taxes.amount, from: tax}
    properties.tip: {from: tip, when: {tipped: true}}
  - each: refunds.payments
    when: {kind: refund, $.status: {not: [draft]}}
    messageId: id
    properties.order_id: $.id
    properties.dotted: a.b
`)
	order := `{"id":7,"status":"paid","total":"12.5","customer":{"id":"","email":"a@x.de"},"attributes":"{\"plan\":\"pro\"}",
		"params":[{"key":"page","value":{"string_value":"/x","int_value":null}},{"key":"session","value":{"string_value":null,"int_value":"5"}},3],
		"cents":1234,"lines":[{"taxes":[{"amount":"1.10"},{"amount":2}]},{"taxes":[]}],"tip":1,"tipped":false,
		"refunds":[{"payments":[{"id":1,"kind":"refund","a.b":"x"},{"id":2,"kind":"void"}]},{"payments":[{"id":3,"kind":"refund"}]}]}`
	want := []string{
		`{"event":"Order Completed","messageId":"order-7","properties":{"page":"/x","plan":"pro","session":"5","tax":3.1,"total":12.34},"userId":"a@x.de"}`,
		`{"messageId":1,"properties":{"dotted":"x","order_id":7}}`, `{"messageId":3,"properties":{"order_id":7}}`,
	}
	for _, text := range []string{order, "[" + order + "]", `{"page":1,"orders":[` + order + `]}`} {
		usage := NewUsage(m)
		events, _, r := decodeAll(t, Options{Mapping: m, Usage: usage}, []byte(text))
		if r != nil || len(events) != len(want) {
			t.Fatalf("%s: %q, %v", text, events, r)
		}
		for i := range want {
			sameJSON(t, events[i], want[i])
		}
		if warnings := usage.Warnings(); usage.Skipped() != 0 || len(warnings) != 0 {
			t.Errorf("%s: %d skipped, %q", text, usage.Skipped(), warnings)
		}
	}
	for _, other := range []string{
		`{"id":7,"status":"draft"}`, `{"id":7,"status":"paid","total":"10","customer":1}`, `{"id":7,"status":"paid","total":"11"}`,
		`{"id":7,"status":"paid","total":"11","customer":{}, "test":true}`,
	} {
		usage := NewUsage(m)
		events, _, r := decodeAll(t, Options{Mapping: m, Usage: usage}, []byte(other))
		if r != nil || len(events) != 0 || usage.Skipped() != 1 || len(usage.Warnings()) != 1 {
			t.Errorf("%s: %q, %v, %d skipped, %q", other, events, r, usage.Skipped(), usage.Warnings())
		}
	}
}

// A path that no record has is told with its line; so is an event that is never made.
func TestUsageTells(t *testing.T) {
	m := parseMapping(t, "events:\n  - userId: id\n    properties.total: amuont\n    type: {value: track}\n  - when: {kind: refund}\n    userId: id\n")
	usage := NewUsage(m)
	if _, _, r := decodeAll(t, Options{Mapping: m, Usage: usage}, []byte(`[{"id":1,"amount":2},{"id":2,"amount":3}]`)); r != nil {
		t.Fatal(r)
	}
	got := strings.Join(usage.Warnings(), "\n")
	if got != "line 3 of the mapping: properties.total: none of 2 records has amuont\nline 5 of the mapping: event 2 was made of none of 2 records: its conditions never hold" {
		t.Error(got)
	}
}
