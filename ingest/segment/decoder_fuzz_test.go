package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
)

// FuzzDecodeEvent holds E1, that an event is what it is whatever was read before it (E2), and that
// what it carries is JSON.
func FuzzDecodeEvent(f *testing.F) {
	for _, text := range ordinary {
		f.Add([]byte(text))
	}
	paths, err := filepath.Glob("testdata/clients/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		body, _, _ := bytes.Cut(text[bytes.IndexByte(text, '\n'):], []byte("\n----\n"))
		var b Batch
		if err := b.Parse(body, 0); err != nil {
			f.Fatal(err)
		}
		for _, raw := range b.Events {
			f.Add(raw)
		}
	}
	opts := Options{Paths: []Path{{"properties.card", "loyalty_card"}, {"context.crm.id", "crm_id"}, {"context", "crm_id"}}, Live: true}
	used := NewDecoder(testRegistry(f), opts)
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		var ev, again graph.Event
		err := used.Event(raw, now, web, &ev)
		fresh := NewDecoder(used.picker.registry, opts)
		errAgain := fresh.Event(raw, now, web, &again)
		if !bytes.Equal(raw, before) {
			t.Fatal("the record was written to")
		}
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("%v, then %v", err, errAgain)
		}
		if err != nil {
			var r *Rejection
			if !errors.As(err, &r) || r.Code == "" || r.Message == "" || r.Hint == "" {
				t.Fatalf("rejected without a reason: %#v", err)
			}
			used.Reset()
			return
		}
		checkEvent(t, &ev)
		if !json.Valid(raw) || !utf8.Valid(raw) {
			t.Fatal("accepted what is not JSON in UTF-8")
		}
		if describe(&ev) != describe(&again) || describeOrder(ev.Order) != describeOrder(again.Order) || ev.Stamp != again.Stamp ||
			!bytes.Equal(ev.ID, again.ID) || !bytes.Equal(ev.Name, again.Name) || len(ev.Traits) != len(again.Traits) {
			t.Fatalf("%+v, then %+v", ev, again)
		}
		if !bytes.Equal(ev.Context, again.Context) || ev.Context != nil && !isObject(ev.Context) || len(ev.Context) > defaultContextBytes {
			t.Fatalf("context %s, then %s", ev.Context, again.Context)
		}
		for _, kept := range [][]byte{ev.Context, ev.Properties} {
			if jsonscan.Broken(kept) {
				t.Fatalf("kept what is no text: %s", kept)
			}
		}
		for _, id := range ev.Identifiers {
			if bytes.Contains(id.Value, []byte("\ufffd")) {
				t.Fatalf("an identifier with U+FFFD in it: %q", id.Value)
			}
		}
		if ev.Properties != nil && !isObject(ev.Properties) {
			t.Fatalf("properties %s", ev.Properties)
		}
		for _, trait := range ev.Traits {
			if trait.Value != nil && (!json.Valid(trait.Value) || jsonscan.Broken(trait.Value)) {
				t.Fatalf("trait %s=%s", trait.Name, trait.Value)
			}
		}
		used.Reset()
	})
}

func isObject(raw []byte) bool {
	var s jsonscan.Scanner
	s.Reset(raw, new(jsonscan.Arena))
	return s.Value().Kind == jsonscan.Object && s.End() == nil
}

// FuzzBatch holds that a valid body is taken apart into its events, and nothing panics.
func FuzzBatch(f *testing.F) {
	f.Add([]byte(`{"batch":[{"a":1},{"b":[2]}],"writeKey":"k","context":{}}`))
	f.Add([]byte(`[{"a":"]}"},[[]],"\"",7]`))
	f.Add([]byte(`{"type":"track"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var b Batch
		err := b.Parse(body, 0)
		var list []json.RawMessage
		var envelope struct {
			Batch []json.RawMessage `json:"batch"`
		}
		var keys map[string]json.RawMessage
		switch {
		case !utf8.Valid(body) || !json.Valid(body):
			return
		case json.Unmarshal(body, &list) == nil && list != nil:
		case json.Unmarshal(body, &keys) == nil && len(keys) > 0 && keys["batch"] != nil && json.Unmarshal(body, &envelope) == nil && envelope.Batch != nil:
			list = envelope.Batch
			if again, _ := json.Marshal(keys); bytes.Count(body, []byte(`"`)) != bytes.Count(again, []byte(`"`)) {
				return // keys that come twice, or in another case
			}
		default:
			return
		}
		if err != nil || len(b.Events) != len(list) {
			t.Fatalf("%s: %d events of %d, %v", body, len(b.Events), len(list), err)
		}
		for i := range list {
			if !bytes.Equal(list[i], b.Events[i]) {
				t.Fatalf("%s: event %d is %s, want %s", body, i, b.Events[i], list[i])
			}
		}
	})
}
