package query

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of one page of events.
const (
	defaultPage  = 50
	maxPage      = 1000
	maxPageBytes = 8 << 20
)

// getEvents answers GET /v1/profiles/{id}/events?type=&name=&since=&until=&limit=&cursor=: the newest first, and the cursor
// of the next page, null at the end.
//
// It asks the engine for one event more than the page holds: whether there is a next page is known without counting
// them. A page ends early at maxPageBytes, but has one event at least, so a client that follows cursors always gets
// on. Filters are applied before events are counted, so a page is full where there are enough.
func (q *Queries) getEvents(w http.ResponseWriter, r *http.Request) *route.Problem {
	limit, p := route.LimitParameter(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	wanted, p := eventFilter(r)
	if p != nil {
		return p
	}
	before, err := parseCursor(r.URL.Query().Get("cursor"))
	if err != nil {
		return route.BadCursor()
	}
	profile, problem := q.Need(r.Context(), r.PathValue("id"))
	if problem != nil {
		return problem
	}
	events, err := q.Engine.Timeline(r.Context(), profile.ID, actors.TimelineQuery{Before: before, Limit: limit + 1, Wanted: wanted})
	if err != nil {
		return route.EngineProblem(err)
	}
	page, n := document.BeginTimeline(nil, profile.ID), 0
	for ; n < min(limit, len(events)) && (n == 0 || len(page) < maxPageBytes); n++ {
		page = document.AppendTimelineEvent(page, &events[n])
	}
	next := ""
	if n < len(events) {
		next = cursor(actors.PositionOf(&events[n-1]))
	}
	return route.SendTagged(w, r, append(document.EndTimeline(page, next), '\n'))
}

// eventFilter reads which events are asked for: of types, of names, from since on and before until, by the time of the
// event. It is nil where all are.
func eventFilter(r *http.Request) (func(*graph.Event) bool, *route.Problem) {
	var types [graph.EventTypes]bool
	query := r.URL.Query()
	for _, list := range query["type"] {
		for name := range strings.SplitSeq(list, ",") {
			t := graph.ParseEventType([]byte(name))
			if t == 0 {
				return nil, route.NewProblem(document.CodeBadParameter, "type: want identify, track, page, screen, group or alias, or several with commas between")
			}
			types[t] = true
		}
	}
	since, until, p := eventTimes(r, "since", "until")
	if p != nil {
		return nil, p
	}
	names := query["name"]
	if len(query["type"])+len(names) == 0 && since == math.MinInt64 && until == math.MaxInt64 {
		return nil, nil //nolint:nilnil // no filter
	}
	return func(e *graph.Event) bool {
		return e.Stamp.Time >= since && e.Stamp.Time < until && (len(query["type"]) == 0 || types[e.Type]) &&
			(len(names) == 0 || slices.Contains(names, string(e.Name)))
	}, nil
}

// eventTimes reads two parameters that bound times: from the first on, and before the second.
func eventTimes(r *http.Request, from, to string) (since, until int64, p *route.Problem) {
	if since, p = route.TimeParameter(r, from, math.MinInt64); p != nil {
		return 0, 0, p
	}
	until, p = route.TimeParameter(r, to, math.MaxInt64)
	return since, until, p
}

// A cursor is a position in five fields, big-endian, then base64 for URLs:
//
//	┌────────────┬─────────┬───────────┬──────────┬────────────────┐
//	│ time 8, ms │ rank 1  │ tie 8     │ seen 8   │ received 8, ms │
//	└────────────┴─────────┴───────────┴──────────┴────────────────┘
//
// It holds the whole order of a timeline, so it stays exact where events have equal times, and it holds no id: after a
// merge it goes on in the timeline of both. It is not signed: a client that makes one up gets a page of the same
// person.
const cursorBytes = 8 + 1 + 8 + 8 + 8

// cursor is where a page ended: the position of its last event.
func cursor(p actors.Position) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, cursorBytes), uint64(p.Time))
	b = append(b, p.Rank)
	b = binary.BigEndian.AppendUint64(b, p.Tie)
	b = binary.BigEndian.AppendUint64(b, p.Seen)
	b = binary.BigEndian.AppendUint64(b, uint64(p.Received))
	return base64.RawURLEncoding.EncodeToString(b)
}

// parseCursor reads what cursor wrote; nothing is the zero position, which is the newest event. Every text of the
// right length is a position, so what is refused here is a cut or an altered one.
func parseCursor(text string) (actors.Position, error) {
	if text == "" {
		return actors.Position{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(b) != cursorBytes {
		return actors.Position{}, errors.New("not a cursor of this server")
	}
	number := func(at int) uint64 { return binary.BigEndian.Uint64(b[at:]) }
	return actors.Position{
		Stamp: graph.Stamp{Time: int64(number(0)), Rank: b[8], Tie: number(9)}, Seen: number(17), Received: int64(number(25)),
	}, nil
}
