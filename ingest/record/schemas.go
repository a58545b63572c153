package record

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/backoff"
)

// ErrSchemasUnavailable is returned if the schema registry does not answer or refuses to. It says nothing about the
// record (F1).
var ErrSchemasUnavailable = errors.New("the schema registry is not available")

// Bounds of the cache of schemas.
const (
	// schemasMax is the number of schemas that are kept, the last used ones.
	schemasMax = 1000
	// referencesMax bounds the schemas that a schema refers to, directly and indirectly.
	referencesMax = 200
	// unknownFor is how long we wait before asking again for an id that the registry does not have.
	unknownFor = 30 * time.Second
	// fetchTimeout bounds one look-up with its references.
	fetchTimeout = 30 * time.Second
)

// unknownRetries are the pauses before asking again for an absent id: in a registry of several nodes, ours may learn
// an id later than the producer.
var unknownRetries = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// Registry is the schema registry that Schemas asks: *sr.Client, for example.
type Registry interface {
	SchemaByID(ctx context.Context, id int) (sr.Schema, error)
	SchemaByVersion(ctx context.Context, subject string, version int) (sr.SubjectSchema, error)
}

// Schemas finds and compiles schemas by id, and caches them: the schema of an id never changes. Any number of
// goroutines may use it.
//
//	find ──► fetching ──┬──► compiled       kept until makeRoomLocked needs its place
//	                    ├──► rejected       no such schema, or a broken one: asked for again after unknownFor
//	                    └──► unavailable    the registry did not answer: asked for again by the next find
//
// All who ask for an id while it is fetched wait for one fetch, and none of them can cancel it for the others. An entry
// that loses its place meanwhile still answers those who hold it. mu is not held while the registry is asked.
type Schemas struct {
	registry Registry
	pauses   []time.Duration // unknownRetries

	mu      sync.Mutex // guards the following
	entries map[int]*schemaEntry
	uses    uint64
}

// schemaEntry is a schema that is cached or being fetched.
type schemaEntry struct {
	ready chan struct{} // closed when the following is valid
	schema
	err   error
	until time.Time // when an error expires; zero: never
	used  uint64    // guarded by Schemas.mu
}

// schema is a compiled schema; one of the two fields is set.
type schema struct {
	kind     sr.SchemaType
	avro     *avro.Schema
	protobuf protoreflect.FileDescriptor
}

// schemaText is the text of a schema and of those that it refers to, each after its dependencies.
type schemaText struct {
	kind       sr.SchemaType
	text       string
	references []referenced
}

// referenced is a schema that another one refers to, under the name that it uses.
type referenced struct{ name, text string }

// NewSchemas returns a cache of a registry's schemas.
func NewSchemas(registry Registry) *Schemas {
	return &Schemas{registry: registry, pauses: unknownRetries, entries: make(map[int]*schemaEntry)}
}

// find returns the schema with an id and of a kind. It fails with a *segment.Rejection if there is no such schema,
// with ErrSchemasUnavailable, or with the error of ctx.
func (s *Schemas) find(ctx context.Context, id int, kind sr.SchemaType) (*schema, error) {
	e := s.entry(id)
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if e.err != nil {
		return nil, e.err
	}
	if e.kind != kind {
		return nil, &segment.Rejection{
			Code:    segment.CodeUnknownSchema,
			Message: fmt.Sprintf("schema %d is of type %v, and the topic is declared as %v", id, e.kind, kind),
			Hint:    "declare the topic with the format that its producers use",
		}
	}
	return &e.schema, nil
}

// entry returns the entry of an id, and starts to fetch the schema if it is new.
func (s *Schemas) entry(id int) *schemaEntry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses++
	e, ok := s.entries[id]
	if ok {
		select {
		case <-e.ready:
			ok = e.until.IsZero() || time.Now().Before(e.until)
		default:
		}
	}
	if !ok {
		e = &schemaEntry{ready: make(chan struct{})}
		s.makeRoomLocked()
		s.entries[id] = e
		go s.load(id, e)
	}
	e.used = s.uses
	return e
}

// makeRoomLocked evicts the least recently used schema if the cache is full. It looks at all of them: there are at most
// schemasMax, and a new schema costs a request to the registry anyway.
//
// REQUIRES: s.mu held
func (s *Schemas) makeRoomLocked() {
	if len(s.entries) < schemasMax {
		return
	}
	oldest, used := 0, s.uses
	for id, e := range s.entries {
		if e.used < used {
			oldest, used = id, e.used
		}
	}
	delete(s.entries, oldest)
}

// load fetches a schema on behalf of every goroutine that waits for it, so it uses none of their contexts.
func (s *Schemas) load(id int, e *schemaEntry) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	defer close(e.ready)
	text, err := s.fetch(ctx, id)
	if err == nil {
		e.schema, err = compile(ctx, text)
		if err != nil && ctx.Err() == nil {
			err = unusable(id, err)
		}
	}
	if err == nil {
		return
	}
	if _, rejected := IsRejection(err); rejected {
		e.err, e.until = err, time.Now().Add(unknownFor)
		return
	}
	e.err, e.until = fmt.Errorf("%w: schema %d: %w", ErrSchemasUnavailable, id, err), time.Now()
}

// fetch requests a schema and those that it refers to.
func (s *Schemas) fetch(ctx context.Context, id int) (*schemaText, error) {
	found, err := s.registry.SchemaByID(ctx, id)
	for _, pause := range s.pauses {
		if !answered(err, sr.ErrSchemaNotFound) {
			break
		}
		if err := backoff.Sleep(ctx, pause); err != nil {
			return nil, err
		}
		found, err = s.registry.SchemaByID(ctx, id)
	}
	if answered(err, sr.ErrSchemaNotFound) {
		return nil, &segment.Rejection{
			Code:    segment.CodeUnknownSchema,
			Message: fmt.Sprintf("the registry has no schema %d", id),
			Hint:    "see that the registry is the one that the producer uses",
		}
	}
	if err != nil {
		return nil, err
	}
	text := &schemaText{kind: found.Type, text: found.Schema}
	if err := s.refer(ctx, text, found.References, make(map[sr.SchemaReference]bool)); err != nil {
		if answered(err, sr.ErrSubjectNotFound, sr.ErrVersionNotFound) || errors.Is(err, errReferences) {
			return nil, unusable(id, err)
		}
		return nil, err
	}
	return text, nil
}

// answered reports whether the registry gave one of these answers. A bare 404 is not an answer: it may not even come
// from a registry.
func answered(err error, answers ...*sr.Error) bool {
	var e *sr.ResponseError
	return errors.As(err, &e) && slices.Contains(answers, e.SchemaError())
}

var errReferences = fmt.Errorf("it refers to more than %d others", referencesMax)

// refer adds the schemas that a schema refers to, each after its own dependencies.
func (s *Schemas) refer(ctx context.Context, text *schemaText, references []sr.SchemaReference, seen map[sr.SchemaReference]bool) error {
	for _, r := range references {
		if seen[r] {
			continue
		}
		if seen[r] = true; len(seen) > referencesMax {
			return errReferences
		}
		found, err := s.registry.SchemaByVersion(ctx, r.Subject, r.Version)
		if err != nil {
			return fmt.Errorf("%s, version %d: %w", r.Subject, r.Version, err)
		}
		if err := s.refer(ctx, text, found.References, seen); err != nil {
			return err
		}
		text.references = append(text.references, referenced{r.Name, found.Schema.Schema})
	}
	return nil
}

func compile(ctx context.Context, text *schemaText) (s schema, err error) {
	s.kind = text.kind
	switch text.kind {
	case sr.TypeAvro:
		s.avro, err = compileAvro(text)
	case sr.TypeProtobuf:
		s.protobuf, err = compileProtobuf(ctx, text)
	}
	return s, err
}

// unusable rejects the records of a schema that can't be compiled. It is the records' problem and not the topic's:
// those of other schemas are read.
func unusable(id int, err error) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeUnknownSchema,
		Message: fmt.Sprintf("schema %d can't be used: %v", id, err),
		Hint:    "correct the schema in the registry",
	}
}
