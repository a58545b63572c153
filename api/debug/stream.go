package debug

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Times of a stream.
const (
	heartbeat    = 15 * time.Second // between comments that show that an idle stream is alive
	noticeEvery  = time.Second      // between two notices of what was left out
	visibleAfter = 2 * time.Second  // at most: then an event is shown without its person
	roundMax     = 64               // entries that are looked up together
)

// getEvents answers GET /v1/debug/events?source=&type=&result=&identifier= with server-sent events:
//
//	event: event       data: a document.DebugEvent
//	event: notice      data: a document.DebugNotice, at most one a second, when events were left out
func (d *Debugger) getEvents(w http.ResponseWriter, r *http.Request) *route.Problem {
	f, p := parseFilter(r.URL.Query(), d.find.Registry)
	if p != nil {
		return p
	}
	l, ok := d.listen(f)
	if !ok {
		return &route.Problem{
			Code: document.CodeBusy, Detail: fmt.Sprintf("%d streams of the debugger are open", listenersMax), RetryAfter: route.RetryAfterUnavailable,
		}
	}
	defer d.leave(l)
	route.Patient(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies are not to wait for more
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)()
	s := &stream{debugger: d, listener: l, w: route.NewStallGuard(w), control: http.NewResponseController(w)}
	if err := s.run(ctx); err != nil && ctx.Err() == nil {
		panic(http.ErrAbortHandler) // the client has gone
	}
	return nil
}

// stream writes what a listener is shown.
type stream struct {
	debugger *Debugger
	listener *listener
	w        *route.StallGuard
	control  *http.ResponseController
	buffer   []byte
}

func (s *stream) run(ctx context.Context) error {
	s.buffer = append(s.buffer, ": listening\n\n"...)
	alive, notices := time.NewTicker(heartbeat), time.NewTicker(noticeEvery)
	defer alive.Stop()
	defer notices.Stop()
	for {
		if err := s.flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-alive.C:
			s.buffer = append(s.buffer, ": alive\n\n"...)
		case <-notices.C:
			if sampled, missed := s.listener.leftOut(); sampled > 0 || missed > 0 {
				s.append("notice", document.DebugNotice{Sampled: sampled, Missed: missed, Rate: Rate})
			}
		case e := <-s.listener.queue:
			for _, d := range s.settle(ctx, s.round(e)) {
				s.append("event", d)
			}
		}
	}
}

// round takes what waits in the queue beside the first entry.
func (s *stream) round(first *entry) []*entry {
	list := []*entry{first}
	for len(list) < roundMax {
		select {
		case e := <-s.listener.queue:
			list = append(list, e)
			continue
		default:
		}
		break
	}
	for _, e := range list {
		s.listener.took(e)
	}
	return list
}

// settle adds to entries what they did to the graph: once look-ups find them, their person is read, and the merges of steps
// that are durable by then are in the journal. ReadMany asks, since ingest does not yield to it.
func (s *stream) settle(ctx context.Context, list []*entry) []document.DebugEvent {
	told := make([]document.DebugEvent, len(list))
	var keys []graph.NodeKey
	var of []int
	for i, e := range list {
		told[i] = e.document
		if !e.route.IsZero() {
			keys, of = append(keys, e.route), append(of, i)
		}
	}
	if len(keys) == 0 {
		return told
	}
	ctx, cancel := context.WithTimeout(ctx, visibleAfter)
	defer cancel()
	engine := s.debugger.find.Engine
	err := engine.Visible(ctx)
	if err == nil {
		err = engine.ReadMany(ctx, keys, func(n int, v *actors.View) {
			if p, wrong := v.Profile(); wrong == nil { // each writes its own
				told[of[n]].Person = &document.DebugPerson{ID: p.ID.String(), Identifiers: len(p.Identifiers), Events: p.Events}
			}
		})
	}
	for _, i := range of {
		told[i].Merges = s.debugger.journal.of(list[i].cause)
		told[i].Unsettled = err != nil
	}
	return told
}

func (s *stream) append(name string, d any) {
	text, err := json.Marshal(d)
	if err != nil {
		return // the document of an event that was read; nothing of it is worth the stream
	}
	s.buffer = append(append(append(s.buffer, "event: "...), name...), "\ndata: "...)
	s.buffer = append(append(s.buffer, text...), "\n\n"...)
}

// flush sends the buffer at once.
func (s *stream) flush() error {
	if len(s.buffer) == 0 {
		return nil
	}
	_, err := s.w.Write(s.buffer)
	if s.buffer = s.buffer[:0]; cap(s.buffer) > 1<<20 {
		s.buffer = nil
	}
	if err != nil {
		return err
	}
	return s.control.Flush()
}
