package collect

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/segment"
)

// keepRefused keeps the events of a request that were refused as dead letters, the first of them. The answer says that they
// were refused in any case, so a failure is counted and changes nothing of it.
func (c *Collector) keepRefused(r *http.Request, in *request, batch *segment.Batch, a asked, sentAt []byte, source string) {
	if c.Letters == nil {
		return
	}
	var refused []letters.Letter
	over, size := 0, 0
	for i := range in.Verdicts() {
		v := &in.Verdicts()[i]
		if v.Status != ingest.Rejected && v.Status != ingest.WithoutIdentifier {
			continue
		}
		if size += len(batch.Events[i]); len(refused) == letters.MostAtOnce || len(refused) > 0 && size > letters.MostBytesAtOnce {
			over++
			continue
		}
		refused = append(refused, c.letter(r, in, batch, a, sentAt, source, i))
	}
	c.Letters.Lose(over)
	if len(refused) > 0 {
		_ = c.Letters.Keep(r.Context(), refused) // counted
	}
}

// letter is the letter of an event of a request, whose verdict says why it was refused.
func (c *Collector) letter(r *http.Request, in *request, batch *segment.Batch, a asked, sentAt []byte, source string, i int) letters.Letter {
	v := &in.Verdicts()[i]
	l := letters.Letter{
		At: c.Engine.Now(), Code: string(v.Rejection.Code), Field: v.Rejection.Field, Message: v.Rejection.Message, Hint: v.Rejection.Hint,
		Source: source, Route: r.Pattern, MessageID: string(v.ID), Index: uint32(i), //nolint:gosec // below MaxEvents
		Type: uint8(a.typ), Live: a.live, SentAt: sentAt, Context: batch.Context, Text: batch.Events[i],
	}
	if in.mapped != nil && in.mapped.problems[i] != nil {
		l.Mapping = r.PathValue("mapping")
	}
	return l
}

// Bounds of one page of dead letters.
const (
	defaultLetters = 100
	maxLetters     = 1000
)

// LetterRoutes are the routes of operators to the events that were refused.
func (c *Collector) LetterRoutes() []route.Route {
	number := []document.Code{document.CodeBadParameter, document.CodeNoSuchLetter, document.CodeUnknownRoute, document.CodeEngineFailed}
	routes := []route.Route{
		{
			Method: http.MethodGet, Path: "/v1/deadletters", Handler: c.getLetters,
			Summary: "List the events that were refused", Notes: "The oldest first, without their texts.",
			Parameters: []route.Parameter{{Name: "code", Text: "only letters with this code"}, route.Limit(defaultLetters, maxLetters, "letters in a page"), route.Cursor},
			Answers:    []route.Answer{{Document: document.DeadLetters{}}},
			Problems:   []document.Code{document.CodeBadParameter, document.CodeUnknownRoute, document.CodeEngineFailed},
		},
		{
			Method: http.MethodGet, Path: "/v1/deadletters/{number}", Handler: c.getLetter,
			Summary: "Get an event that was refused", Notes: "The text is personal data: it is left out unless the key has the scope profiles:read, too.",
			Answers: []route.Answer{{Document: document.DeadLetter{}}}, Problems: number,
		},
		{
			Method: http.MethodPost, Path: "/v1/deadletters/{number}/resend", Handler: c.resendLetter, SameOrigin: true,
			Summary: "Take an event that was refused, after all", Notes: "As if it came again from where it came, at the time when it came. The key needs the scope events:write, too. " +
				"An event that is taken, or was meanwhile, leaves the letters; one that is refused again stays.",
			Parameters: []route.Parameter{{Name: "source", Text: "the system that the event is of, if its write key was not known: such a letter has no source of its own"}},
			Answers:    []route.Answer{{Document: document.ResentLetter{}}},
			Problems:   append([]document.Code{document.CodeCrossOrigin, document.CodeWrongScope, document.CodeNoText, document.CodeBusy, document.CodeShuttingDown, document.CodeShardLost, document.CodeTimeout}, number...),
		},
		{
			Method: http.MethodDelete, Path: "/v1/deadletters/{number}", Handler: c.deleteLetter, SameOrigin: true,
			Summary: "Drop an event that was refused", Answers: []route.Answer{{Document: document.DroppedLetter{}}},
			Problems: append([]document.Code{document.CodeCrossOrigin}, number...),
		},
	}
	for i := range routes {
		routes[i].Audience, routes[i].Scope = route.Admin, keyring.Operate
	}
	return routes
}

// errFull ends a listing whose page is full.
var errFull = errors.New("the page is full")

// getLetters answers GET /v1/deadletters?code=&limit=&cursor=.
func (c *Collector) getLetters(w http.ResponseWriter, r *http.Request) *route.Problem {
	if c.Letters == nil {
		return noLetters()
	}
	limit, p := route.LimitParameter(r, defaultLetters, maxLetters)
	if p != nil {
		return p
	}
	position, p := route.CursorParameter(r)
	if p != nil {
		return p
	}
	above := uint64(0)
	if position != "" {
		var err error
		if above, err = strconv.ParseUint(position, 10, 64); err != nil {
			return route.BadCursor()
		}
	}
	code := r.URL.Query().Get("code")
	page := document.DeadLetters{DeadLetters: []document.DeadLetter{}}
	page.Kept, page.Bytes = c.Letters.Size()
	err := c.Letters.List(above, func(l *letters.Letter) error {
		switch {
		case code != "" && l.Code != code:
			return nil
		case len(page.DeadLetters) == limit:
			return errFull
		}
		page.DeadLetters = append(page.DeadLetters, letterDocument(l))
		return nil
	})
	if errors.Is(err, errFull) {
		page.Next = document.TextOrNull(route.NewCursor(strconv.FormatUint(page.DeadLetters[limit-1].Number, 10)))
	} else if err != nil {
		return route.EngineProblem(err)
	}
	return route.Send(w, page)
}

func noLetters() *route.Problem {
	return route.NewProblem(document.CodeUnknownRoute, "the server keeps no dead letters").WithHint("start it with --dead-letters SIZE")
}

// namedLetter reads the letter that a request names.
func (c *Collector) namedLetter(r *http.Request) (letters.Letter, *route.Problem) {
	if c.Letters == nil {
		return letters.Letter{}, noLetters()
	}
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err != nil {
		return letters.Letter{}, route.NewProblem(document.CodeNoSuchLetter, "want the number of a dead letter")
	}
	l, err := c.Letters.Read(number)
	if err != nil {
		return l, letterProblem(err)
	}
	return l, nil
}

func letterProblem(err error) *route.Problem {
	if errors.Is(err, letters.ErrNoSuch) {
		return &route.Problem{Code: document.CodeNoSuchLetter}
	}
	return route.EngineProblem(err)
}

// getLetter answers GET /v1/deadletters/{number}.
func (c *Collector) getLetter(w http.ResponseWriter, r *http.Request) *route.Problem {
	l, p := c.namedLetter(r)
	if p != nil {
		return p
	}
	d := letterDocument(&l)
	if access.CallerOf(r.Context()).Scopes.Has(keyring.ReadProfiles) && !l.Missing {
		d.Text = string(bytes.ToValidUTF8(l.Text, []byte("\ufffd")))
	}
	return route.Send(w, d)
}

// deleteLetter answers DELETE /v1/deadletters/{number}.
func (c *Collector) deleteLetter(w http.ResponseWriter, r *http.Request) *route.Problem {
	l, p := c.namedLetter(r)
	if p != nil {
		return p
	}
	if err := c.Letters.Drop(r.Context(), l.Number); err != nil {
		return letterProblem(err)
	}
	return route.Send(w, document.DroppedLetter{Dropped: l.Number})
}

// resendLetter answers POST /v1/deadletters/{number}/resend. The letter leaves after the event is durable: a crash in between
// leaves it, and sent once more it is a duplicate, since it has the id, or the text and the time, that it had.
func (c *Collector) resendLetter(w http.ResponseWriter, r *http.Request) *route.Problem {
	l, p := c.namedLetter(r)
	if p != nil {
		return p
	}
	if scopes := access.CallerOf(r.Context()).Scopes; !scopes.Has(keyring.WriteEvents) {
		return route.NewProblem(document.CodeWrongScope, "the route needs %s, too; this key has %s", keyring.WriteEvents, scopes)
	}
	if l.Missing {
		return &route.Problem{Code: document.CodeNoText}
	}
	if p := nameSource(r, &l); p != nil {
		return p
	}
	batch := &segment.Batch{Events: [][]byte{l.Text}}
	if len(l.Context) > 0 { // a row has no difference between an empty one and none
		batch.Context = l.Context
	}
	var from *mapped
	if l.Mapping != "" {
		mapper := c.mappers.find(l.Mapping)
		if mapper == nil {
			return route.NewProblem(document.CodeNoText, "the letter is a record of the mapping %q, which the server does not have", l.Mapping)
		}
		from = &mapped{most: c.MaxEvents, bytes: mappedFactor * c.MaxBody}
		if err := from.read(l.Text, mapper); err != nil {
			from.release()
			return route.NewProblem(document.CodeNoText, "%v", err)
		}
		batch.Events = from.events
	}
	leave, err := c.intakes.enter(r.Context(), len(l.Text), len(batch.Events))
	if err != nil {
		return route.EngineProblem(err)
	}
	defer leave()
	in := c.newRequest()
	defer c.keep(in)
	in.mapped = from
	in.take(batch, asked{typ: graph.EventType(l.Type), live: l.Live}, l.SentAt, ingest.Arrival{Received: l.At, Source: []byte(l.Source)})
	if err := c.deliver(r.Context(), in); err != nil {
		return route.EngineProblem(err)
	}
	c.AwaitVisible(r.Context())
	c.metrics.count(in.Verdicts(), in.Decoder.Stats().Fields)
	return c.resent(w, r, &l, in)
}

// nameSource gives a letter without a source, whose key was not known, the one that the request names. A letter with a source
// keeps it: its event would be another one.
func nameSource(r *http.Request, l *letters.Letter) *route.Problem {
	named := r.URL.Query().Get("source")
	switch {
	case l.Source == "" && named == "":
		return route.NewProblem(document.CodeBadParameter, "source: the event came with a write key that is not known, so nothing says what system it is of").
			WithHint("name the system, as its write key does: kindred deadletters resend --source NAME")
	case l.Source == "":
		l.Source = access.SourceName(named)
	case named != "" && named != l.Source:
		return route.NewProblem(document.CodeBadParameter, "source: the letter is of %q", l.Source).WithHint("leave source out")
	}
	return nil
}

// resent drops a letter whose events were all taken, and answers.
func (c *Collector) resent(w http.ResponseWriter, r *http.Request, l *letters.Letter, in *request) *route.Problem {
	answer := document.ResentLetter{Number: l.Number, Status: statusNames[ingest.Duplicate]}
	for i := range in.Verdicts() {
		v := &in.Verdicts()[i]
		if v.Status == ingest.Accepted && answer.Code == "" {
			answer.Status = statusNames[ingest.Accepted]
		}
		if v.Rejection != nil && answer.Code == "" {
			answer.Status, answer.Code, answer.Field = statusNames[v.Status], string(v.Rejection.Code), v.Rejection.Field
			answer.Message, answer.Hint = v.Rejection.Message, v.Rejection.Hint
		}
	}
	if answer.Code == "" && len(in.Verdicts()) > 0 {
		if err := c.Letters.Drop(r.Context(), l.Number); err != nil && !errors.Is(err, letters.ErrNoSuch) {
			return letterProblem(err)
		}
		answer.Dropped = true
	}
	return route.Send(w, answer)
}

func letterDocument(l *letters.Letter) document.DeadLetter {
	d := document.DeadLetter{
		Number: l.Number, Received: document.NewTime(l.At), Code: l.Code, Field: l.Field, Message: l.Message, Hint: l.Hint,
		Source: l.Source, Route: l.Route, Index: int(l.Index), MessageID: document.TextOrNull(l.MessageID), Mapping: l.Mapping,
		Bytes: int64(l.Bytes), Holds: "event", //nolint:gosec // the size of a body
	}
	switch {
	case l.Missing:
		d.Holds = "missing"
	case l.Mapping != "":
		d.Holds = "record"
	}
	return d
}
