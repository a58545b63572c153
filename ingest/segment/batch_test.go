package segment

import (
	"errors"
	"strings"
	"testing"
)

func TestBatches(t *testing.T) {
	for _, c := range []struct{ body, events, context, sentAt, writeKey string }{
		{`{"batch":[{"a":1},{"b":[2]}],"writeKey":"k\u0031","sentAt":"2026-01-01T00:00:00Z","context":{"library":{}}}`, `{"a":1}|{"b":[2]}`, `{"library":{}}`, "2026-01-01T00:00:00Z", "k1"},
		{`{"context":null,"batch":[],"writeKey":null,"sentAt":[7]}`, ``, `null`, "[7]", ""},
		{` [ {"a":1} , {"b":2} ] `, `{"a":1}|{"b":2}`, "", "", ""},
		{`[]`, ``, "", "", ""},
		{` {"type":"track","context":{"a":1},"writeKey":"k","sentAt":"s"} `, `{"type":"track","context":{"a":1},"writeKey":"k","sentAt":"s"}`, "", "s", "k"},
		{`{"batch":[{"a":nonsense},7,{"b":2}]}`, `{"a":nonsense}|7|{"b":2}`, "", "", ""},
		{"{\"batch\":[{\"a\":\"\xff\"},{\"b\":2}]}", "{\"a\":\"\xff\"}|{\"b\":2}", "", "", ""},
		{`{"batch":[` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,{"b":2}]}`, strings.Repeat("[", 500) + strings.Repeat("]", 500) + `|{"b":2}`, "", "", ""},
	} {
		var b Batch
		if err := b.Parse([]byte(c.body), 0); err != nil {
			t.Errorf("%.80s: %v", c.body, err)
			continue
		}
		var events []string
		for _, raw := range b.Events {
			events = append(events, string(raw))
		}
		if strings.Join(events, "|") != c.events || string(b.Context) != c.context || string(b.SentAt) != c.sentAt || string(b.WriteKey) != c.writeKey {
			t.Errorf("%.80s: %q, context %s, sent %s, key %s", c.body, events, b.Context, b.SentAt, b.WriteKey)
		}
	}
}

func TestBatchRejections(t *testing.T) {
	for body, want := range map[string]string{
		``:                       `invalid_json: byte 0: want a value, found the end`,
		`7`:                      `bad_type: is a number, want an object or a list`,
		`{"batch":{}}`:           `bad_type: batch: is an object, want a list of events`,
		`{"batch":[{"a":1}`:      `invalid_json: byte 17: want ',' or ']', found the end`,
		`{"batch":[{"a":1},]}`:   `invalid_json: byte 18: want a value, found ']'`,
		`{"batch":[{"a":1}]}x`:   `invalid_json: byte 19: want the end, found 'x'`,
		`[{"a":1} {"b":2}]`:      `invalid_json: byte 9: want ',' or ']', found '{'`,
		`{"a":1}{"b":2}`:         `invalid_json: byte 7: want the end, found '{'`,
		`{"batch":[{"a":"open]}`: `invalid_json: byte 22: want the closing '"' of a string, found the end`,
	} {
		err := new(Batch).Parse([]byte(body), 0)
		var r *Rejection
		if !errors.As(err, &r) || r.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

// TestBatchBound: what is beyond the bound is counted, and not kept; what is wrong there is still found.
func TestBatchBound(t *testing.T) {
	list := strings.Repeat("7,", MaxBatchEvents) + "7,7"
	for _, body := range []string{"[" + list + "]", `{"batch":[` + list + `],"sentAt":"s"}`} {
		var b Batch
		if err := b.Parse([]byte(body), 0); err != nil || len(b.Events) != MaxBatchEvents || b.Excess != 2 {
			t.Errorf("%d events and %d beyond, %v, want %d and 2", len(b.Events), b.Excess, err, MaxBatchEvents)
		}
		if err := b.Parse([]byte(body), 3); err != nil || len(b.Events) != 3 || b.Excess != MaxBatchEvents-1 {
			t.Errorf("%d events and %d beyond, %v, want 3 and %d", len(b.Events), b.Excess, err, MaxBatchEvents-1)
		}
		if err := b.Parse([]byte(body[:len(body)-2]), 3); err == nil {
			t.Error("a list that does not end was read")
		}
		if err := b.Parse([]byte(`[1]`), 3); err != nil || b.Excess != 0 {
			t.Errorf("%d beyond, %v, of the body before", b.Excess, err)
		}
	}
}
