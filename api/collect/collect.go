package collect

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/semaphore"
)

// Collector takes events from HTTP requests into an engine.
//
//	request ──► body (inflate, bound) ──► segment.Batch ──► intake ──► Engine, durable ──► visible ──► answer
//
// Memory: bodies take room step by step while they arrive (see bodyRoom); an intake is only taken once there is room for
// what a body is decoded to, so a client that is still sending holds none.
type Collector struct {
	Config
	metrics   *metrics
	intakes   intakes
	mappers   mappers
	bodies    *bodyRoom // of request bodies under way
	strangers strangers
}

// Config says what a collector takes events into. All but Decode, Admission, Tap, Settled, Mappings and Letters are required.
type Config struct {
	*lookup.Lookup
	Decode    segment.Options
	Admission ingest.Admission // decides which events enter the engine; nil: all
	Tap       *ingest.Tap      // shows events to a debugger; nil: none
	Settled   func(received int64)
	MaxBody   int // of one request, on the wire and inflated, in bytes
	MaxEvents int // of one request: one with more is refused
	BodyBytes int // of the bodies of all requests under way; at least MaxBody is taken
	Mappings  map[string]*record.Mapping
	Metrics   prometheus.Registerer
	// Letters keep the events that are refused. Nil: they are not kept.
	Letters *letters.Letters
}

// New makes a collector.
func New(config Config) (*Collector, error) {
	m, err := newMetrics(config.Metrics)
	if err != nil {
		return nil, err
	}
	c := &Collector{Config: config, metrics: m, bodies: newBodyRoom(max(config.BodyBytes, config.MaxBody+meterStep))}
	c.mappers.own = config.Mappings
	if err := config.Metrics.Register(c.bodies.arrivals.cuts); err != nil {
		return nil, err
	}
	c.intakes.most = config.Engine.InputBytes() / 2 // bodies have the other half
	c.intakes.room = semaphore.NewWeighted(c.intakes.most)
	return c, nil
}

// SetMappings replaces the mappings of the configuration, for requests from now on.
func (c *Collector) SetMappings(own map[string]*record.Mapping) { c.mappers.replace(own) }

// largeEvent is the size above which an answer warns about an event, in bytes.
const largeEvent = 32 << 10

// request is the events of one request on their way through an intake. Requests are used again with their intakes, so that in
// the steady state little is allocated for an event.
type request struct {
	*ingest.Intake
	dropped []droppedField // the first of them
	mapped  *mapped        // where the events are from; nil if the body had them
	large   int            // events above largeEvent
}

// statusNames are the statuses that events of a request can have, as answers and metrics name them.
var statusNames = [ingest.Statuses]string{
	ingest.Accepted: ingest.Accepted.String(), ingest.Duplicate: ingest.Duplicate.String(), ingest.Rejected: ingest.Rejected.String(),
	ingest.WithoutIdentifier: ingest.WithoutIdentifier.String(), ingest.Quarantined: ingest.Quarantined.String(),
}

// intakes keeps readers of bodies and intakes for requests to come. An intake is only taken once there is room for
// what a body is decoded to: a client that is still sending holds none.
type intakes struct {
	readers sync.Pool
	pool    sync.Pool
	room    *semaphore.Weighted
	most    int64
}

// keptBytes bounds a buffer that is kept.
const keptBytes = 256 << 10

// decodedBytes is what an event takes, decoded, beside its encoding.
const decodedBytes = 640

func (c *Collector) newReader() *bodyReader {
	if b, ok := c.intakes.readers.Get().(*bodyReader); ok {
		return b
	}
	return new(bodyReader)
}

func (c *Collector) keepReader(b *bodyReader) {
	if cap(b.body) > keptBytes {
		b.body = nil
	}
	c.intakes.readers.Put(b)
}

// enter waits for room for events in a body of so many bytes, and returns what gives it back.
func (i *intakes) enter(ctx context.Context, bytes, events int) (leave func(), err error) {
	n := min(i.most, int64(bytes)+decodedBytes*int64(events)) // one that is larger than all of it goes alone
	if !i.room.TryAcquire(n) {
		ctx, cancel := context.WithTimeout(ctx, roomWait)
		defer cancel()
		if i.room.Acquire(ctx, n) != nil {
			return nil, actors.ErrBusy
		}
	}
	return func() { i.room.Release(n) }, nil
}

func (c *Collector) newRequest() *request {
	if in, ok := c.intakes.pool.Get().(*request); ok {
		return in
	}
	return &request{Intake: ingest.NewIntake(ingest.Into{
		Engine: c.Engine, Registry: c.Registry, Options: c.Decode, Admission: c.Admission, Tap: c.Tap, Settled: c.Settled,
	})}
}

// keep keeps an intake for another request, unless a shard may still be reading it.
func (c *Collector) keep(in *request) {
	if !in.Reusable() {
		return
	}
	clear(in.dropped)
	if in.mapped != nil {
		in.mapped.release()
		in.mapped = nil
	}
	in.Reset()
	c.intakes.pool.Put(in)
}

// asked is what a request says of its events, and asks of its answer.
type asked struct {
	typ         graph.EventType // of all events; 0: each says its own
	verbose     bool            // the answer has an entry for each event
	durableOnly bool            // the answer does not wait for look-ups
	live        bool            // events come as they happen, and not from a file
}

// askedBy reads the parameters of a request; other parameters are left to clients.
func askedBy(r *http.Request, typ graph.EventType) (asked, *route.Problem) {
	a := asked{typ: typ, live: true}
	query := r.URL.Query()
	switch query.Get("results") {
	case "":
	case "all":
		a.verbose = true
	default:
		return a, route.NewProblem(document.CodeBadParameter, "results: want all, or nothing")
	}
	switch query.Get("live") {
	case "", "true":
	case "false":
		a.live = false
	default:
		return a, route.NewProblem(document.CodeBadParameter, "live: want false for events of a file, or true, which it is unless given")
	}
	switch query.Get("wait") {
	case "", "visible":
	case "durable":
		a.durableOnly = true
	default:
		return a, route.NewProblem(document.CodeBadParameter, "wait: want durable, or visible, which it is unless given")
	}
	return a, nil
}

// timed measures how long a request with events takes.
func (c *Collector) timed(h route.Handler) route.Handler {
	return func(w http.ResponseWriter, r *http.Request) *route.Problem {
		start := time.Now()
		p := h(w, r)
		c.metrics.duration.Observe(time.Since(start).Seconds())
		return p
	}
}

// post answers POST /v1/batch, with type 0, and /v1/{type}.
func (c *Collector) post(typ graph.EventType) route.Handler {
	return func(w http.ResponseWriter, r *http.Request) *route.Problem {
		a, p := askedBy(r, typ)
		if p != nil {
			return p
		}
		return c.withBody(w, r, func(body []byte) *route.Problem {
			return c.take(w, r, body, a, func(in *request) *route.Problem { return in.answer(w, a.verbose) })
		})
	}
}

// withBody lets use answer with the body of a request, inflated and bounded; it is valid during the call.
func (c *Collector) withBody(w http.ResponseWriter, r *http.Request, use func(body []byte) *route.Problem) *route.Problem {
	if r.ContentLength > int64(c.MaxBody) {
		return bodyProblem(errBodyTooLarge, c.MaxBody)
	}
	m, err := c.bodies.begin(r.Context())
	if err != nil {
		return bodyProblem(err, c.MaxBody)
	}
	defer m.release()
	b := c.newReader()
	defer c.keepReader(b)
	source := c.bodies.arrive(m, http.MaxBytesReader(w, r.Body, int64(c.MaxBody)), func() {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // without deadlines, as in tests, it reads on
	})
	b.body, err = b.read(b.body[:0], source, r.Header.Get("Content-Encoding"), c.MaxBody, m)
	source.settle()
	if err != nil {
		return bodyProblem(err, c.MaxBody)
	}
	return use(b.body)
}

// take reads the events of a body, hands them to the engine, waits until they are durable (P1) and can
// be seen (P8), and answers.
func (c *Collector) take(w http.ResponseWriter, r *http.Request, body []byte, a asked, answer func(*request) *route.Problem) *route.Problem {
	body, p := trimmed(body)
	if p != nil {
		return p
	}
	var batch segment.Batch
	if err := batch.Parse(body, c.MaxEvents); err != nil {
		return unreadableBody(err, body)
	}
	if batch.Excess > 0 {
		c.metrics.excess.Add(float64(len(batch.Events) + batch.Excess))
		return route.NewProblem(document.CodeTooManyEvents, "%d events, of which none was taken", len(batch.Events)+batch.Excess).
			WithHint(fmt.Sprintf("send at most %d events in a request", c.MaxEvents))
	}
	source, refusal := access.CallerOf(r.Context()).SourceOf(r.Context(), w, batch.WriteKey)
	if refusal != nil {
		return c.setAside(r, &batch, nil, refusal, a, answer)
	}
	leave, err := c.intakes.enter(r.Context(), len(body), len(batch.Events))
	if err != nil {
		return route.EngineProblem(err)
	}
	defer leave()
	return c.takeBatch(r, &batch, nil, source, a, answer)
}

// trimmed returns a body without its byte-order mark, unless it is empty.
func trimmed(body []byte) ([]byte, *route.Problem) {
	body = bytes.TrimPrefix(body, []byte(utf8Mark))
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, &route.Problem{Code: document.CodeEmptyBody}
	}
	return body, nil
}

// takeBatch is take after the body was split: by itself, or into records that were mapped. REQUIRES: there is room
func (c *Collector) takeBatch(r *http.Request, batch *segment.Batch, from *mapped, source string, a asked, answer func(*request) *route.Problem) *route.Problem {
	in := c.newRequest()
	defer c.keep(in)
	sentAt := sentAt(r, batch, from)
	in.mapped = from
	in.take(batch, a, sentAt, ingest.Arrival{Received: c.Engine.Now(), Source: []byte(source)})
	if err := c.deliver(r.Context(), in); err != nil {
		return route.EngineProblem(err)
	}
	c.keepRefused(r, in, batch, a, sentAt, source)
	if !a.durableOnly {
		c.AwaitVisible(r.Context())
	}
	c.metrics.count(in.Verdicts(), in.Decoder.Stats().Fields)
	return answer(in)
}

// sentAt is when the sender's clock says that the request was sent.
func sentAt(r *http.Request, batch *segment.Batch, from *mapped) []byte {
	if from == nil && (batch.SentAt == nil || batch.Single) { // RudderStack's library for browsers says it in a header as well
		return []byte(r.Header.Get("SentAt"))
	}
	return batch.SentAt
}

// deliver hands the events of a request to the engine, waits a moment for room, and then until all of them are durable.
func (c *Collector) deliver(ctx context.Context, in *request) error {
	waiting, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	err := in.Deliver(waiting)
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return actors.ErrBusy
	}
	for i := range in.Verdicts() {
		if v := &in.Verdicts()[i]; v.Status == ingest.Quarantined {
			v.Rejection = quarantined
		}
	}
	return err
}

// quarantined is the reason that the sender of an event gets for a defect of ours.
var quarantined = &segment.Rejection{
	Code: segment.Code(document.CodeQuarantined), Message: "its handler failed: it is kept aside, with the reason",
	Hint: "this is a defect of Kindred: report it; do not send the event again",
}

// take reads the events of a body; each has its verdict.
func (in *request) take(batch *segment.Batch, a asked, sentAt []byte, from ingest.Arrival) {
	in.large, in.dropped = 0, in.dropped[:0]
	in.Decoder.SetLive(a.live && in.Decoder.Live())
	in.Decoder.SetType(a.typ)
	in.Decoder.SetSentAt(sentAt)
	// A bad context of the batch is no fault of its events: they are read without it, and each that has no context of its own
	// is rejected with the reason.
	contextErr := in.Decoder.SetContext(batch.Context)
	for i, raw := range batch.Events {
		if in.mapped != nil && in.mapped.problems[i] != nil {
			in.Refuse(in.mapped.problems[i])
			continue
		}
		if len(raw) > largeEvent {
			in.large++
		}
		if contextErr != nil && topLevel(raw, "context").Kind <= jsonscan.Null {
			in.Refuse(segment.AsRejection(contextErr)).ID = messageID(raw)
			continue
		}
		v := in.Take(raw, from)
		if v.Rejection != nil {
			v.ID = messageID(raw)
		}
		for _, drop := range in.Decoder.Dropped() {
			in.dropped = append(in.dropped, droppedField{i, drop})
		}
	}
}

// droppedField is a field left out of an event of the body.
type droppedField struct {
	index int
	segment.Drop
}

// topLevel finds a member of an object, as far as the object can be read. If the member repeats, the last one wins.
func topLevel(raw []byte, key string) (found jsonscan.Value) {
	var s jsonscan.Scanner
	s.Reset(raw, new(jsonscan.Arena))
	if !s.Object() {
		return jsonscan.Value{}
	}
	for s.Next() {
		here := string(s.Key()) == key
		if v := s.Value(); here && s.Err() == nil {
			found = v
		}
	}
	return found
}

// messageID finds the message id of an event that was not taken; nil if it has no readable one.
func messageID(raw []byte) []byte {
	id := topLevel(raw, "messageId")
	if id.Kind != jsonscan.String || len(id.Raw) > 8*segment.MaxIDBytes {
		return nil
	}
	if id.Escaped {
		return jsonscan.Unescape(nil, id.Inside())
	}
	return id.Inside()
}

func unreadableBody(err error, body []byte) *route.Problem {
	var r *segment.Rejection
	if !errors.As(err, &r) {
		return &route.Problem{Code: document.CodeInvalidBody, Detail: err.Error()}
	}
	p := &route.Problem{Code: document.CodeInvalidBody, Detail: r.Error()}
	if c := bytes.TrimLeft(body, " \t\r\n")[0]; c != '{' && c != '[' {
		if format := file.OtherFormat(body); format != "" {
			p.Detail += "; this looks like " + format
		}
	} else if first, rest, more := bytes.Cut(body, []byte{'\n'}); more && json.Valid(first) && len(bytes.TrimSpace(rest)) > 0 {
		p.Detail += "; this looks like NDJSON"
		return p.WithHint(`send an event, a list of events, or {"batch":[…]}; kindred ingest --to sends a file of NDJSON`)
	}
	return p.WithHint(`send an event, a list of events, or {"batch":[…]}, as JSON in UTF-8`)
}
