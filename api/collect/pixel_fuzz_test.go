package collect

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
)

// Any query is one event, or is refused; and the same query is always the same event, because an event
// without a message id is known by its text.
func FuzzQueriedEvent(f *testing.F) {
	for _, query := range []string{
		"userId=u&event=x&properties.a=1&properties.a.b=2&properties=3", "data=eyJ1c2VySWQiOiJjdXNfMSJ9&userId=v", "data=bnVsbA",
		"a..b=1", "=1", ".=", "a=\xff&a=2", "data=eyJhIjp7ImIiOjF9fQ&a.b.c=1", "writekey=k&data=e30=", "data=eyJiYXRjaCI6W119",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, text string) {
		query, _ := url.ParseQuery(text) // what can be read of it, as a request has it
		event, p := queriedEvent(query)
		if p != nil {
			return
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(event, &object); err != nil || object == nil {
			t.Fatalf("%q: %v", event, err)
		}
		var batch segment.Batch
		if err := batch.Parse(event, 0); err != nil || !batch.Single {
			t.Fatalf("%q: %v", event, err)
		}
		again, _ := queriedEvent(query)
		if string(again) != string(event) {
			t.Fatalf("%q, then %q", event, again)
		}
	})
}
