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

// ErrSchemasUnavailable is returned when the schema registry does not answer, or refuses to: it says
// nothing about the record (F1).
var ErrSchemasUnavailable = errors.New("the schema registry is not available")

// Bounds of what is known of a registry.
const (
	// SchemasMax is how many schemas are kept, the last used ones.
	SchemasMax = 1000
	// referencesMax is how many others a schema may refer to, all in all.
	referencesMax = 200
	// unknownFor is for how long an id that the registry does not have is not asked for again.
	unknownFor = 30 * time.Second
	// fetchTimeout bounds one look-up with its references.
	fetchTimeout = 30 * time.Second
)

// unknownRetries are the pauses before asking again for an id that is not there: a registry of several
// nodes may have told the producer before it tells us.
var unknownRetries = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second}

// Registry is what Schemas asks: a schema registry of Confluent's kind, *sr.Client for one.
type Registry interface {
	SchemaByID(ctx context.Context, id int) (sr.Schema, error)
	SchemaByVersion(ctx context.Context, subject string, version int) (sr.SubjectSchema, error)
}

// Schemas finds and compiles schemas by their ids, and keeps them: the schema of an id never changes.
// It may be used by any number of goroutines.
type Schemas struct {
	registry Registry
	pauses   []time.Duration // unknownRetries

	mu      sync.Mutex // guards the following
	entries map[int]*schemaEntry
	uses    uint64
}

// schemaEntry is a schema that is known, or being asked for.
type schemaEntry struct {
	ready chan struct{} // closed when the following is valid
	schema
	err   error
	until time.Time // when an error is forgotten; zero: never
	used  uint64    // guarded by Schemas.mu
}

// schema is a compiled schema: one of the two.
type schema struct {
	kind     sr.SchemaType
	avro     *avro.Schema
	protobuf protoreflect.FileDescriptor
}

// schemaText is the text of a schema with those that it refers to, each behind the ones that it needs.
type schemaText struct {
	kind       sr.SchemaType
	text       string
	references []referenced
}

type referenced struct{ name, text string }

// NewSchemas asks a registry for schemas.
func NewSchemas(registry Registry) *Schemas {
	return &Schemas{registry: registry, pauses: unknownRetries, entries: make(map[int]*schemaEntry)}
}

// find finds the schema of an id, which is to be of a kind. It fails with an *segment.Rejection where
// there is none, with ErrSchemasUnavailable, or as ctx does.
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

// entry finds what is known of an id, and begins to ask where that is nothing.
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

// makeRoomLocked forgets the schema that was not used for the longest time, where there are too many.
//
// REQUIRES: s.mu held
func (s *Schemas) makeRoomLocked() {
	if len(s.entries) < SchemasMax {
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

// load asks for a schema, for all who wait for it: so it takes nobody's context.
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

// fetch asks the registry for a schema and those that it refers to.
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

// answered tells whether the registry gave one of these answers. A bare 404 is none: whoever gave it may
// not even be a registry.
func answered(err error, answers ...*sr.Error) bool {
	var e *sr.ResponseError
	return errors.As(err, &e) && slices.Contains(answers, e.SchemaError())
}

var errReferences = fmt.Errorf("it refers to more than %d others", referencesMax)

// refer adds the schemas that a schema refers to, each behind those that it refers to itself.
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

func unusable(id int, err error) *segment.Rejection {
	return &segment.Rejection{
		Code:    segment.CodeUnknownSchema,
		Message: fmt.Sprintf("schema %d can't be used: %v", id, err),
		Hint:    "correct the schema in the registry",
	}
}
