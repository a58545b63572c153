package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/kindred-id/kindred/api/document"
)

// DebugFilter says which events to watch. An empty field lets all through.
type DebugFilter struct {
	Source, Type, Result string
	Identifier           string // namespace:value
}

// Debugging is an open stream of events and what they did. Close it.
type Debugging struct{ *Changes }

// Debug watches events live, from now on.
func (a Admin) Debug(ctx context.Context, f DebugFilter) (*Debugging, error) {
	query := url.Values{}
	for name, value := range map[string]string{"source": f.Source, "type": f.Type, "result": f.Result, "identifier": f.Identifier} {
		if value != "" {
			query.Set(name, value)
		}
	}
	changes, err := streamOf(a.conn.send(ctx, http.MethodGet, "/v1/debug/events", query, nil))
	return &Debugging{changes}, err
}

// Next returns the next event, or a notice that some were left out: one of both is nil. The text is the document's, and
// valid until the next call.
func (d *Debugging) Next() (event *document.DebugEvent, notice *document.DebugNotice, text []byte, err error) {
	if text, err = d.Changes.Next(); err != nil {
		return nil, nil, nil, err
	}
	if d.kind == "notice" {
		err = json.Unmarshal(text, &notice)
	} else {
		err = json.Unmarshal(text, &event)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("read an event of the debugger: %w", err)
	}
	return event, notice, text, nil
}
