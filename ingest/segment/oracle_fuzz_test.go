package segment

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/kindred-id/kindred/graph"
)

// FuzzAgainstEncodingJSON holds the decoder's own reading of JSON to that of encoding/json: what is not JSON is rejected;
// of what is, type, name, properties, traits and a plain anonymousId are the same values, the last one where a key comes
// twice.
func FuzzAgainstEncodingJSON(f *testing.F) {
	for _, text := range ordinary {
		f.Add([]byte(text))
	}
	for _, text := range []string{
		`{"type":"track","event":"a","event":"b\u00e9\n","anonymousId":"x1","properties":{"a":1.50,"a":[{},"\ud83d\ude00"]}}`,
		`{"type":"identify","traits":{"name":"A","name":"B","n":null,"o":{"x":[1e3]}},"context":{"traits":{"age":7,"name":"C"}},"anonymousId":"x1"}`,
		`{"type":"page","name":"\"q\"","anonymousId":"x1","properties":{},"properties":{"x":true}}`,
		` { "\u0074ype" : "track" , "anonymousId" : "x1" , "event" : "e" } `,
	} {
		f.Add([]byte(text))
	}
	d := NewDecoder(testRegistry(f), Options{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		defer d.Reset()
		var ev graph.Event
		err := d.Event(raw, now, web, &ev)
		var want map[string]any
		wantErr := json.Unmarshal(raw, &want)
		if err != nil {
			return // a rejection may have other reasons; that JSON is taken is for the checks below
		}
		if wantErr != nil || !utf8.Valid(raw) {
			t.Fatalf("accepted %q: %v", raw, wantErr)
		}
		if bytes.Contains(raw, []byte(`\u`)) || bytes.Contains(raw, []byte("\ufffd")) {
			return // halves of surrogate pairs are mended in another way
		}
		if typ, ok := want["type"].(string); ok && !strings.EqualFold(strings.TrimSpace(typ), ev.Type.String()) {
			t.Fatalf("%s: type %s", raw, ev.Type)
		}
		key := map[graph.EventType]string{graph.TypeTrack: "event", graph.TypePage: "name", graph.TypeScreen: "name"}[ev.Type]
		if name, ok := want[key].(string); ok && key != "" && len(name) <= 100 &&
			strings.TrimSpace(name) != strings.TrimSpace(string(ev.Name)) {
			t.Fatalf("%s: name %q, want %q", raw, ev.Name, name)
		}
		if properties, ok := want["properties"].(map[string]any); ok != (ev.Properties != nil) || ok && !sameValue(ev.Properties, properties) {
			t.Fatalf("%s: properties %s, want %v", raw, ev.Properties, properties)
		}
		sameTraits(t, raw, want, &ev)
		if id, ok := want["anonymousId"].(string); ok && len(id) == 2 && id[0] == 'x' && '0' <= id[1] && id[1] <= '9' &&
			!slices.ContainsFunc(ev.Identifiers, func(i graph.Identifier) bool { return string(i.Value) == id }) {
			t.Fatalf("%s: no identifier is %s", raw, id)
		}
	})
}

// sameTraits checks that each trait is that of the event, or of its context.
func sameTraits(t *testing.T, raw []byte, want map[string]any, ev *graph.Event) {
	own, _ := want["traits"].(map[string]any)
	context, _ := want["context"].(map[string]any)
	shared, _ := context["traits"].(map[string]any)
	for _, trait := range ev.Traits {
		v, ok := own[string(trait.Name)]
		if !ok {
			v, ok = shared[string(trait.Name)]
		}
		if !ok {
			t.Fatalf("%s: trait %q is not in it", raw, trait.Name)
		}
		if trait.Value != nil && !sameValue(trait.Value, v) || trait.Value == nil && v != nil {
			t.Fatalf("%s: trait %s=%s, want %v", raw, trait.Name, trait.Value, v)
		}
	}
}

// sameValue reports whether a text is the JSON of a value.
func sameValue(text []byte, want any) bool {
	var got any
	return json.Unmarshal(text, &got) == nil && reflect.DeepEqual(got, want)
}
