package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"golang.org/x/sync/semaphore"
)

// largeEvent is the size above which an event is warned about, in bytes.
const largeEvent = 32 << 10

// intake takes the events of one request. Intakes are used again, so that in the steady state
// little is allocated for an event.
type intake struct {
	decoder  *segment.Decoder
	events   []*graph.Event // those of the delivery, and one more
	delivery actors.Delivery
	verdicts []verdict
	dropped  []droppedField // the first of them
	excess   int            // events beyond the limit of a request
	large    int            // events above largeEvent
	answered chan error
}

// verdict is what became of one event of a body.
type verdict struct {
	status    verdictStatus
	typ       graph.EventType    // 0 where it can't be read
	rejection *segment.Rejection // of a rejected one
	id        []byte             // its message id
}

type verdictStatus uint8

const (
	statusAccepted verdictStatus = iota // so far: the engine decides
	statusDuplicate
	statusWithoutIdentifier
	statusRejected
	statusQuarantined
	statusEnd
)

var statusNames = [statusEnd]string{"accepted", "duplicate", "without_identifier", "rejected", "quarantined"}

// intakes keeps readers of bodies and intakes for the requests to come. An intake is only taken once there is room for
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

func (s *Server) newReader() *bodyReader {
	if b, ok := s.intakes.readers.Get().(*bodyReader); ok {
		return b
	}
	return new(bodyReader)
}

func (s *Server) keepReader(b *bodyReader) {
	if cap(b.body) > keptBytes {
		b.body = nil
	}
	s.intakes.readers.Put(b)
}

// enter waits for room for events in a body of so many bytes, and returns what gives it back.
func (i *intakes) enter(ctx context.Context, bytes, events int) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	n := min(i.most, int64(bytes)+decodedBytes*int64(events)) // one that is larger than all of it goes alone
	if i.room.Acquire(ctx, n) != nil {
		return nil, actors.ErrBusy
	}
	return func() { i.room.Release(n) }, nil
}

func (s *Server) newIntake() *intake {
	if in, ok := s.intakes.pool.Get().(*intake); ok {
		return in
	}
	return &intake{
		decoder: segment.NewDecoder(s.Registry, s.Decode), answered: make(chan error, 1),
	}
}

// keep keeps an intake. REQUIRES: its delivery was answered without an error, or never handed over:
// else a shard may still be reading it.
func (s *Server) keep(in *intake) {
	if cap(in.events) > 2*DefaultMaxEvents {
		return
	}
	clear(in.verdicts)
	clear(in.dropped)
	in.delivery.Reset()
	in.decoder.Reset()
	s.intakes.pool.Put(in)
}

// postEvents answers POST /v1/batch, with type 0, and /v1/{type}.
func (s *Server) postEvents(typ graph.EventType) handler {
	return func(w http.ResponseWriter, r *http.Request) *problem {
		verbose := false
		switch r.URL.Query().Get("results") { // other parameters are left to clients
		case "":
		case "all":
			verbose = true
		default:
			return newProblem(CodeBadParameter, "results: want all, or nothing")
		}
		live := true
		switch r.URL.Query().Get("live") {
		case "", "true":
		case "false":
			live = false
		default:
			return newProblem(CodeBadParameter, "live: want false for events of a file, or true, which it is unless given")
		}
		durableOnly := false
		switch r.URL.Query().Get("wait") {
		case "", "visible":
		case "durable":
			durableOnly = true
		default:
			return newProblem(CodeBadParameter, "wait: want durable, or visible, which it is unless given")
		}
		if r.ContentLength > int64(s.MaxBody) {
			return bodyProblem(errBodyTooLarge, s.MaxBody)
		}
		m, err := s.bodies.begin(r.Context())
		if err != nil {
			return bodyProblem(err, s.MaxBody)
		}
		defer m.release()
		b := s.newReader()
		defer s.keepReader(b)
		b.body, err = b.read(b.body[:0], http.MaxBytesReader(w, r.Body, int64(s.MaxBody)), r.Header.Get("Content-Encoding"), s.MaxBody, m)
		if err != nil {
			return bodyProblem(err, s.MaxBody)
		}
		return s.take(w, r, b.body, typ, verbose, durableOnly, live)
	}
}

// take reads the events of a body, hands them to the engine, waits until they are durable (P1) and can
// be seen (P8), and answers.
func (s *Server) take(w http.ResponseWriter, r *http.Request, body []byte, typ graph.EventType, verbose, durableOnly, live bool) *problem {
	body = bytes.TrimPrefix(body, []byte(utf8Mark))
	if len(bytes.TrimSpace(body)) == 0 {
		return &problem{code: CodeEmptyBody}
	}
	var batch segment.Batch
	if err := batch.Parse(body, s.MaxEvents); err != nil {
		return unreadableBody(err, body)
	}
	leave, err := s.intakes.enter(r.Context(), len(body), len(batch.Events))
	if err != nil {
		return engineProblem(err)
	}
	defer leave()
	in := s.newIntake()
	sentAt := batch.SentAt
	if sentAt == nil || batch.Single { // RudderStack's library for browsers says it in a header as well
		sentAt = []byte(r.Header.Get("SentAt"))
	}
	in.decode(&batch, typ, arrival{source: sourceOf(r, batch.WriteKey), at: s.Engine.Now(), sentAt: sentAt, live: live})
	if in.delivery.Len() > 0 {
		// done only sends into a channel with room, as it must not block.
		if err := s.submit(r.Context(), in); err != nil {
			s.keep(in)
			return engineProblem(err)
		}
		// Also for a client that has gone: the shards use the memory of the intake until then.
		if err := <-in.answered; err != nil {
			return engineProblem(err) // a shard may still be reading the intake
		}
	}
	defer s.keep(in)
	if !durableOnly {
		s.awaitVisible(r.Context())
	}
	in.settle()
	s.metrics.count(in.verdicts, in.excess, in.decoder.Stats().Fields)
	return in.answer(w, verbose)
}

// submit hands an intake to the engine, and waits a moment for room.
func (s *Server) submit(ctx context.Context, in *intake) error {
	waiting, cancel := context.WithTimeout(ctx, roomWait)
	defer cancel()
	err := s.Engine.Submit(waiting, &in.delivery, func(err error) { in.answered <- err })
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return actors.ErrBusy
	}
	return err
}

// arrival is how a body came.
type arrival struct {
	source string
	at     int64  // ms since 1970
	sentAt []byte // of events that have none of their own
	live   bool   // its events come as they happen, and not from a file
}

// decode reads the events of the body into the delivery; each has its verdict.
func (in *intake) decode(batch *segment.Batch, typ graph.EventType, from arrival) {
	in.decoder.Reset()
	in.delivery.Reset()
	in.verdicts = in.verdicts[:0]
	in.large, in.excess, in.dropped = 0, batch.Excess, in.dropped[:0]
	in.decoder.SetLive(from.live && in.decoder.Live())
	in.decoder.SetType(typ)
	in.decoder.SetSentAt(from.sentAt)
	// A bad context of the batch is none of its events' fault: they are read without it, and each
	// that has none of its own is rejected with the reason.
	contextErr := in.decoder.SetContext(batch.Context)
	source := []byte(from.source)
	for _, raw := range batch.Events {
		if in.delivery.Len() == len(in.events) {
			in.events = append(in.events, new(graph.Event))
		}
		e := in.events[in.delivery.Len()]
		if len(raw) > largeEvent {
			in.large++
		}
		err := contextErr
		if err == nil || topLevel(raw, "context").Kind > jsonscan.Null {
			err = in.event(raw, typ, from.at, source, e)
		}
		if err != nil {
			refused := refusal(err, raw)
			if refused.status == statusWithoutIdentifier {
				in.noteDropped()
			}
			in.verdicts = append(in.verdicts, refused)
			continue
		}
		in.noteDropped()
		in.verdicts = append(in.verdicts, verdict{typ: e.Type, id: e.ID})
		in.delivery.Add(e)
	}
}

// droppedField is a field left out of an event of the body.
type droppedField struct {
	index int
	segment.Drop
}

// noteDropped notes what was left out of the event that was read last, and has no verdict yet.
func (in *intake) noteDropped() {
	for _, drop := range in.decoder.Dropped() {
		in.dropped = append(in.dropped, droppedField{len(in.verdicts), drop})
	}
}

// event reads one event, which is of a type where its route says so: then it may leave it out.
func (in *intake) event(raw []byte, typ graph.EventType, received int64, source []byte, e *graph.Event) error {
	err := in.decoder.Event(raw, received, source, e)
	var r *segment.Rejection
	if typ != 0 && errors.As(err, &r) && r.Code == segment.CodeUnknownType && topLevel(raw, "type").Kind <= jsonscan.Null {
		raw = withType(raw, typ)
		err = in.decoder.Event(raw, received, source, e)
	}
	return err
}

// withType is a copy of an event with its type. REQUIRES: raw is a JSON object.
func withType(raw []byte, typ graph.EventType) []byte {
	body := bytes.TrimRight(raw, " \t\r\n")
	body = bytes.TrimRight(body[:len(body)-1], " \t\r\n") // less the closing brace
	typed := make([]byte, 0, len(body)+24)
	typed = append(typed, body...)
	if len(body) > 0 && body[len(body)-1] != '{' {
		typed = append(typed, ',')
	}
	typed = append(append(append(typed, `"type":"`...), typ.String()...), `"}`...)
	return typed
}

// topLevel finds a member of an object, as far as the object can be read; of one that comes twice
// the last.
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

// refusal is the verdict on an event that was not read.
func refusal(err error, raw []byte) verdict {
	v := verdict{status: statusRejected}
	if !errors.As(err, &v.rejection) {
		v.rejection = &segment.Rejection{Code: segment.CodeInvalidJSON, Message: err.Error(), Hint: "send one complete JSON object per event"}
	}
	if v.rejection.Code == segment.CodeNoIdentifier {
		v.status = statusWithoutIdentifier
	}
	if id := topLevel(raw, "messageId"); id.Kind == jsonscan.String && len(id.Raw) <= 8*segment.MaxIDBytes {
		v.id = id.Inside()
		if id.Escaped {
			v.id = jsonscan.Unescape(nil, v.id)
		}
	}
	return v
}

// settle notes what the engine made of the events that were handed over.
func (in *intake) settle() {
	n := 0
	for i := range in.verdicts {
		v := &in.verdicts[i]
		if v.status != statusAccepted {
			continue
		}
		switch in.delivery.Outcomes[n] {
		case actors.Duplicate:
			v.status = statusDuplicate
		case actors.Quarantined:
			v.status = statusQuarantined
			v.rejection = &segment.Rejection{
				Code: segment.Code(eventQuarantined), Message: "its handler failed: it is kept aside, with the reason",
				Hint: "this is a defect of Kindred: report it; do not send the event again",
			}
		case actors.Accepted, actors.Pending, actors.OutOfTurn:
		}
		n++
	}
}

func unreadableBody(err error, body []byte) *problem {
	var r *segment.Rejection
	if !errors.As(err, &r) {
		return &problem{code: CodeInvalidBody, detail: err.Error()}
	}
	p := &problem{code: CodeInvalidBody, detail: r.Error()}
	if c := bytes.TrimLeft(body, " \t\r\n")[0]; c != '{' && c != '[' {
		if format := file.OtherFormat(body); format != "" {
			p.detail += "; this looks like " + format
		}
	} else if first, rest, more := bytes.Cut(body, []byte{'\n'}); more && json.Valid(first) && len(bytes.TrimSpace(rest)) > 0 {
		p.detail += "; this looks like NDJSON"
		return p.withHint(`send an event, a list of events, or {"batch":[…]}; kindred ingest --to sends a file of NDJSON`)
	}
	return p.withHint(`send an event, a list of events, or {"batch":[…]}, as JSON in UTF-8`)
}
