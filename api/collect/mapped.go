package collect

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

// mappers are the mappings that requests may name: those of the configuration, and the ready-made ones.
type mappers struct {
	mu   sync.Mutex // guards the following
	own  map[string]*record.Mapping
	made map[string]*file.Mapper
}

// find returns the mapper of a mapping, or nil.
func (m *mappers) find(name string) *file.Mapper {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mapper := m.made[name]; mapper != nil {
		return mapper
	}
	mapping := m.own[name]
	if mapping == nil {
		ready, err := record.FindReady(name)
		if err != nil {
			return nil
		}
		mapping = ready
	}
	if m.made == nil {
		m.made = make(map[string]*file.Mapper)
	}
	m.made[name] = file.NewMapper(mapping, nil)
	return m.made[name]
}

// replace takes other mappings of the configuration, for requests from now on.
func (m *mappers) replace(own map[string]*record.Mapping) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.own, m.made = own, nil
}

// names lists the names of all mappings.
func (m *mappers) names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := slices.AppendSeq(record.ReadyNames(), maps.Keys(m.own))
	slices.Sort(names)
	return slices.Compact(names)
}

// mappedRoute is the route that takes records of other systems.
func (c *Collector) mappedRoute() route.Route {
	rt := c.eventRoute("/v1/map/{mapping}", 0, "Take records of another system as events, by a mapping", []document.ForeignRecord{}, document.ForeignRecord{})
	rt.Handler = c.timed(c.postMapped)
	rt.Notes = "The mapping is a ready-made one (kindred map list) or one that the server was started with (kindred serve --map NAME=FILE). " +
		"The body is a JSON object, several of them, a list, a document with a list, CSV with a header, or Parquet; its first bytes show which. " +
		"It may be compressed with gzip or zstd. The rest is as at /v1/batch; an index counts the events that were made, and line and record name the place in the body."
	rt.Media = []string{"text/csv", "application/x-ndjson", "application/vnd.apache.parquet"}
	rt.Problems = append(rt.Problems, document.CodeUnknownMapping)
	return rt
}

// postMapped answers POST /v1/map/{mapping}.
func (c *Collector) postMapped(w http.ResponseWriter, r *http.Request) *route.Problem {
	source, refusal := access.CallerOf(r.Context()).SourceOf(r.Context(), w, nil)
	if refusal != nil && !refusal.Aside {
		return route.Refused(refusal)
	}
	mapper := c.mappers.find(r.PathValue("mapping"))
	if mapper == nil {
		return route.NewProblem(document.CodeUnknownMapping, "%q; there are %s", r.PathValue("mapping"), strings.Join(c.mappers.names(), ", "))
	}
	a, p := askedBy(r, 0)
	if p != nil {
		return p
	}
	return c.withBody(w, r, func(body []byte) *route.Problem {
		body, p := trimmed(body)
		if p != nil {
			return p
		}
		leave, err := c.intakes.enter(r.Context(), mappedFactor*len(body), min(c.MaxEvents, len(body)/recordLeast+1))
		if err != nil {
			return route.EngineProblem(err)
		}
		defer leave()
		m := mapped{most: c.MaxEvents, bytes: mappedFactor * c.MaxBody}
		if err := m.read(body, mapper); err != nil {
			m.release()
			return c.unmappable(err)
		}
		batch, answer := &segment.Batch{Events: m.events}, func(in *request) *route.Problem { return in.answer(w, a.verbose) }
		if refusal != nil {
			defer m.release()
			return c.setAside(r, batch, &m, refusal, a, answer)
		}
		return c.takeBatch(r, batch, &m, source, a, answer)
	})
}

// mappedFactor is how much larger than its body the records of a request may become, inflated and mapped.
const mappedFactor = 4

// recordLeast is the size from which the number of records of a body is estimated.
const recordLeast = 32

// mapped are the events that the records of a body became. The texts are in the chunks, until release.
type mapped struct {
	most, bytes int // bounds
	chunks      []*file.Chunk
	events      [][]byte
	places      []file.Place
	problems    []*segment.Rejection // by event: why there is none; nil for those that are
	skipped     int                  // records of which the mapping made no event
}

// Returned by mapped.read.
var (
	errManyEvents  = errors.New("too many events")
	errManyRecords = errors.New("too many bytes, once inflated and mapped")
)

// read reads a body to its end.
func (m *mapped) read(body []byte, mapper *file.Mapper) error {
	r, err := file.NewReader(bytes.NewReader(body), "the body", 0)
	if err != nil {
		return err
	}
	defer r.Close()
	r.Map(mapper)
	r.Bound(int64(m.bytes))
	size := 0
	for {
		chunk, err := r.Next()
		if chunk != nil {
			m.chunks = append(m.chunks, chunk)
			chunk.Events(func(at file.Place, raw []byte, problem *segment.Rejection) {
				size += len(raw)
				m.events, m.places, m.problems = append(m.events, raw), append(m.places, at), append(m.problems, problem)
			})
			m.skipped += chunk.Skipped
		}
		switch {
		case err != nil:
			return err
		case chunk == nil:
			return nil
		case len(m.events) > m.most:
			return errManyEvents
		case size > m.bytes:
			return errManyRecords
		}
	}
}

// release gives the texts of the events back. REQUIRES: no shard reads them
func (m *mapped) release() {
	for _, chunk := range m.chunks {
		chunk.Release()
	}
	m.chunks = nil
}

// unmappable says why records can't be read.
func (c *Collector) unmappable(err error) *route.Problem {
	switch {
	case errors.Is(err, errManyEvents):
		return route.NewProblem(document.CodeTooManyEvents, "more than %d events, of which none was taken", c.MaxEvents).
			WithHint(fmt.Sprintf("send at most %d events in a request", c.MaxEvents))
	case errors.Is(err, errManyRecords):
		return bodyProblem(errBodyTooLarge, mappedFactor*c.MaxBody)
	}
	return route.NewProblem(document.CodeInvalidBody, "%v", err).WithHint("nothing was taken: correct the body, or send it in parts")
}
