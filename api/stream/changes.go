package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/egress"
	"github.com/kindred-id/kindred/graph"
)

// streamCursorEvery is the greatest number of entries between two cursors of a stream.
const streamCursorEvery = 64

// streamHeartbeat is the interval of the comments that show that an idle stream is alive.
const streamHeartbeat = 15 * time.Second

// getChanges answers GET /v1/changes?cursor=start|now|CURSOR&kinds=created,merged&follow=false&scores=true with entries
// of the change feed as server-sent events, each a CloudEvent:
//
//	event: updated
//	data: {"specversion":"1.0",…}
//	id: CURSOR
//
// The header Last-Event-ID, which clients send when they connect again, wins over cursor; without both it
// begins now. Ids come every few entries, and alone if none of the entries was asked for: a client that connects again
// may get some entries twice. With follow=false the stream ends where the feed does. With scores=true, entries that
// say something new of an identity's orders carry its scores.
func (s *Streams) getChanges(w http.ResponseWriter, r *http.Request) *route.Problem {
	query := r.URL.Query()
	kinds, err := parseKinds(query.Get("kinds"))
	if err != nil {
		return route.NewProblem(document.CodeBadParameter, "kinds: %v", err)
	}
	follow := true
	if text := query.Get("follow"); text != "" {
		if follow, err = strconv.ParseBool(text); err != nil {
			return route.NewProblem(document.CodeBadParameter, "follow: want true or false")
		}
	}
	shape, p := route.Shape(r, s.Scores, s.Control)
	if p == nil {
		p = route.NoStanding(&shape)
	}
	if p != nil {
		return p
	}
	cursor := query.Get("cursor")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		cursor = last
	}
	if cursor == "" {
		cursor = feed.Now
	}
	reader, err := s.Engine.Feed().Reader(r.Context(), cursor)
	if err != nil {
		return feedProblem(err)
	}
	leave := s.streams.take(access.CallerOf(r.Context()).ID)
	if leave == nil {
		return &route.Problem{
			Code: document.CodeBusy, RetryAfter: route.RetryAfterUnavailable,
			Detail: fmt.Sprintf("at most %d streams of changes are open at one time, and %d of one key", s.streams.most, s.streams.perCaller()),
		}
	}
	defer leave()
	// The first entries before the status: they may be gone.
	events, err := reader.TryNext(r.Context())
	if err != nil {
		return feedProblem(err)
	}
	since, _ := s.Engine.Feed().Since()
	route.Patient(w)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // proxies are not to wait for more
	st := &changeStream{
		w: route.NewStallGuard(w), control: http.NewResponseController(w), reader: reader, kinds: kinds,
		source: egress.Source(since),
	}
	if shape.Scores != nil {
		st.scores = ScoresOf(s.Engine, s.Scores)
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	if err := st.run(ctx, events, follow); err != nil && ctx.Err() == nil {
		s.Logger.Warn("a stream of changes ended early", "error", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// parseKinds reads a list of kinds; nil is all of them.
func parseKinds(text string) (map[graph.FeedKind]bool, error) {
	if text == "" {
		return nil, nil
	}
	kinds := make(map[graph.FeedKind]bool)
	for name := range strings.SplitSeq(text, ",") {
		kind := graph.ParseFeedKind(name)
		if kind == 0 {
			return nil, errors.New("want some of created, linked, merged, split, updated, erased, generic, entered, exited, with commas between")
		}
		kinds[kind] = true
	}
	return kinds, nil
}

// feedProblem turns errors of the feed into problems: whether there is one, whether the cursor is one of its own, and
// whether what follows the cursor is still there.
func feedProblem(err error) *route.Problem {
	switch {
	case errors.Is(err, feed.ErrOff):
		return &route.Problem{Code: document.CodeFeedOff}
	case errors.Is(err, feed.ErrTooLate):
		return &route.Problem{Code: document.CodeFeedBehind}
	case errors.Is(err, feed.ErrCursor):
		return route.NewProblem(document.CodeBadParameter, "cursor: %v", err).WithHint("give start, now, or an id that this stream gave")
	case errors.Is(err, feed.ErrWaits):
		return &route.Problem{Code: document.CodeShardLost, RetryAfter: route.RetryAfterUnavailable}
	default:
		return route.EngineProblem(err)
	}
}

// changeStream writes entries of the feed as server-sent events, as the HTML standard has them
// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type changeStream struct {
	w       *route.StallGuard
	control *http.ResponseController
	reader  *feed.Reader
	kinds   map[graph.FeedKind]bool
	source  string
	scores  egress.Scores // nil: entries carry none
	buffer  []byte
}

// run writes events, and then what follows, until the context or, without follow, the feed ends.
func (s *changeStream) run(ctx context.Context, events []feed.Event, follow bool) error {
	// Where it begins is known even if nothing ever happens.
	s.buffer = append(append(append(s.buffer[:0], "id: "...), s.reader.CursorAfter(nil, 0)...), "\n\n"...)
	for {
		if err := s.write(ctx, events); err != nil {
			return err
		}
		var err error
		if events, err = s.reader.TryNext(ctx); err != nil {
			return err
		}
		for len(events) == 0 {
			if !follow {
				return nil
			}
			waiting, cancel := context.WithTimeout(ctx, streamHeartbeat)
			events, err = s.reader.Next(waiting)
			cancel()
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, context.DeadlineExceeded):
				s.buffer = append(s.buffer[:0], ": alive\n\n"...)
				if err := s.flush(); err != nil {
					return err
				}
			case err != nil:
				return err
			}
		}
	}
}

// write writes events after what the buffer holds, piece by piece. A piece ends with an id, even if none of its
// entries was asked for: a client that waits for rare kinds would otherwise read everything again after each break.
func (s *changeStream) write(ctx context.Context, events []feed.Event) error {
	scores, err := s.scores.Of(ctx, events)
	if err != nil {
		return err
	}
	for start := 0; start < len(events) || len(s.buffer) > 0; start += streamCursorEvery {
		end := min(start+streamCursorEvery, len(events))
		placed := true // the id of the last entry is written
		for i := start; i < end; i++ {
			e := &events[i]
			placed = false
			if s.kinds != nil && !s.kinds[e.Kind] {
				continue
			}
			s.buffer = append(append(append(s.buffer, "event: "...), e.Kind.String()...), "\ndata: "...)
			s.buffer = append(egress.Append(s.buffer, e, s.source, scores[i]), '\n')
			if placed = i == end-1; placed {
				s.buffer = append(append(append(s.buffer, "id: "...), s.reader.CursorAfter(events, end)...), '\n')
			}
			s.buffer = append(s.buffer, '\n')
		}
		if !placed {
			s.buffer = append(append(append(s.buffer, "id: "...), s.reader.CursorAfter(events, end)...), "\n\n"...)
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// flush sends the buffer at once: a client is not to wait for more entries to see these.
func (s *changeStream) flush() error {
	_, err := s.w.Write(s.buffer)
	s.buffer = s.buffer[:0]
	if err != nil {
		return err
	}
	return s.control.Flush()
}
