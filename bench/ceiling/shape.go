package ceiling

import (
	"bytes"
	"errors"

	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
)

// Shape describes a stream of events, as measured by plain connected components.
type Shape struct {
	Events        int     `json:"events"` // lines with an identifier
	BytesPerEvent float64 `json:"bytes_per_event"`
	Identifiers   int     `json:"identifiers"`
	People        int     `json:"people"`
	Merges        int     `json:"merges"`     // of two people who both had events
	Duplicates    int     `json:"duplicates"` // lines that came again
	Late          int     `json:"late"`       // distinct events that are older than one before them
	Largest       int     `json:"largest"`    // events of the person with the most
	// HotShare is the share of the events that go to the hundredth of the people who have most.
	HotShare float64 `json:"hot_share"`
}

// ShapeOf measures a stream that is received at a time.
func ShapeOf(registry *identifier.Registry, options segment.Options, data []byte, received int64) (Shape, error) {
	r := New(registry, options)
	s := Shape{BytesPerEvent: float64(len(data))}
	latest := int64(-1 << 63)
	for line := range bytes.Lines(data) {
		r.decoder.Reset()
		if err := r.decoder.Event(bytes.TrimSuffix(line, []byte("\n")), received, nil, &r.event); err != nil {
			var rejection *segment.Rejection
			if errors.As(err, &rejection) && rejection.Code == segment.CodeNoIdentifier {
				continue
			}
			return s, err
		}
		s.Events++
		before := r.Distinct()
		r.Take(&r.event)
		if r.Distinct() > before && r.event.Stamp.Time < latest {
			s.Late++
		}
		latest = max(latest, r.event.Stamp.Time)
	}
	s.BytesPerEvent /= float64(max(1, s.Events))
	s.Identifiers, s.People, s.Merges = r.Identifiers(), r.People(), r.Merges()
	s.Duplicates = s.Events - r.Distinct()
	s.Largest, s.HotShare = r.concentration()
	return s, nil
}
