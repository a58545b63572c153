package debug

import (
	"bytes"
	"net/url"
	"slices"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
)

// filter says which events a listener wants. A zero field lets all through.
type filter struct {
	source string
	typ    graph.EventType
	status ingest.Status
	key    graph.NodeKey
	value  []byte // of the identifier as it was given: an event that could not be read is searched for it
}

// statuses are those that a filter may name.
var statuses = []ingest.Status{ingest.Accepted, ingest.Duplicate, ingest.WithoutIdentifier, ingest.Rejected, ingest.Quarantined}

// parseFilter reads the parameters of a request.
func parseFilter(query url.Values, registry *identifier.Registry) (*filter, *route.Problem) {
	f := &filter{source: query.Get("source")}
	if name := query.Get("type"); name != "" {
		if f.typ = graph.ParseEventType([]byte(name)); f.typ == 0 {
			return nil, route.NewProblem(document.CodeBadParameter, "type: want identify, track, page, screen, group or alias")
		}
	}
	if name := query.Get("result"); name != "" {
		i := slices.IndexFunc(statuses, func(s ingest.Status) bool { return s.String() == name })
		if i < 0 {
			return nil, route.NewProblem(document.CodeBadParameter, "result: want accepted, duplicate, without_identifier, rejected or quarantined")
		}
		f.status = statuses[i]
	}
	if id := query.Get("identifier"); id != "" {
		name, err := lookup.ParseID(registry, id)
		if err != nil {
			return nil, route.IDProblem(err)
		}
		f.key = name.Key
		if _, value, ok := bytes.Cut([]byte(id), []byte(":")); ok {
			f.value = value
		}
	}
	return f, nil
}

// matches reports whether a listener wants an event.
func (f *filter) matches(t *ingest.Traced) bool {
	switch {
	case f.source != "" && f.source != string(t.Arrival.Source),
		f.typ != 0 && f.typ != t.Verdict.Type,
		f.status != ingest.Pending && f.status != t.Verdict.Status:
		return false
	case f.key.IsZero():
		return true
	case t.Event == nil:
		return len(f.value) > 0 && bytes.Contains(t.Raw, f.value)
	}
	return slices.ContainsFunc(t.Event.Identifiers, func(id graph.Identifier) bool { return id.Key == f.key })
}
