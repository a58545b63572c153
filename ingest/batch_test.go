package ingest

import (
	"errors"
	"strings"
	"testing"
)

func TestBatches(t *testing.T) {
	for _, c := range []struct{ body, events, context, sentAt, writeKey string }{
		{`{"batch":[{"a":1},{"b":[2]}],"writeKey":"k\u0031","sentAt":"2026-01-01T00:00:00Z","context":{"library":{}}}`, `{"a":1}|{"b":[2]}`, `{"library":{}}`, "2026-01-01T00:00:00Z", "k1"},
		{`{"context":null,"batch":[],"writeKey":null,"sentAt":7}`, ``, `null`, "", ""},
		{` [ {"a":1} , {"b":2} ] `, `{"a":1}|{"b":2}`, "", "", ""},
		{`[]`, ``, "", "", ""},
		{` {"type":"track","context":{"a":1},"writeKey":"k","sentAt":"s"} `, `{"type":"track","context":{"a":1},"writeKey":"k","sentAt":"s"}`, "", "s", "k"},
		{`{"batch":[{"a":nonsense},7,{"b":2}]}`, `{"a":nonsense}|7|{"b":2}`, "", "", ""},
		{"{\"batch\":[{\"a\":\"\xff\"},{\"b\":2}]}", "{\"a\":\"\xff\"}|{\"b\":2}", "", "", ""},
		{`{"batch":[` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,{"b":2}]}`, strings.Repeat("[", 500) + strings.Repeat("]", 500) + `|{"b":2}`, "", "", ""},
	} {
		var b Batch
		if err := b.Parse([]byte(c.body)); err != nil {
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
		err := new(Batch).Parse([]byte(body))
		var r *Rejection
		if !errors.As(err, &r) || r.Error() != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestSplitBatch(t *testing.T) {
	var got []string
	stop := errors.New("stop")
	err := SplitBatch([]byte(`[1,2,3]`), func(i int, raw []byte) error {
		if got = append(got, string(raw)); i == 1 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || strings.Join(got, ",") != "1,2" {
		t.Errorf("%v, %v", got, err)
	}
	if err := SplitBatch([]byte(`[1`), func(int, []byte) error { t.Error("called"); return nil }); err == nil {
		t.Error("no error")
	}
}
