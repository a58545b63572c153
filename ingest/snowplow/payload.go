package snowplow

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
)

// Payload reads the body of a request, and returns a batch in Segment's format. It fails if the body is no payload; an event
// of it that is no object is passed on as it is. An app id for which secret reports true is the write key alone, and kept in
// no event.
func Payload(body []byte, secret func(appID string) bool) ([]byte, error) {
	var payload struct {
		Schema string            `json:"schema"`
		Data   []json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(body, &payload); err != nil {
		return nil, err
	}
	if payload.Data == nil {
		return nil, errors.New(`no list "data": want a payload of a Snowplow tracker, {"schema": …, "data": […]}`)
	}
	b := batch{Events: make([]any, 0, len(payload.Data)), secret: secret}
	for _, raw := range payload.Data {
		var fields map[string]any
		if err := decode(raw, &fields); err != nil || fields == nil {
			b.Events = append(b.Events, raw)
			continue
		}
		b.add(fields)
	}
	return json.Marshal(b)
}

// Query returns the event of a query, as trackers send it with GET, as a batch of one; see Payload.
func Query(query url.Values, secret func(appID string) bool) ([]byte, error) {
	fields := make(map[string]any, len(query))
	for name := range query {
		fields[name] = query.Get(name)
	}
	b := batch{secret: secret}
	b.add(fields)
	return json.Marshal(b)
}

// batch is a request in Segment's format.
type batch struct {
	WriteKey string `json:"writeKey,omitempty"` // the app id of the first event that has one
	Events   []any  `json:"batch"`
	secret   func(appID string) bool
}

func (b *batch) add(fields map[string]any) {
	t := tracked(fields)
	app := t.text("aid")
	if b.WriteKey == "" {
		b.WriteKey = app
	}
	e := t.event()
	if c, ok := e["context"].(object); ok && b.secret(app) {
		delete(c, "app")
	}
	b.Events = append(b.Events, e)
}

// decode reads JSON; numbers stay as they are written, so that a long order number stays whole.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}
