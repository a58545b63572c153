package stream

import (
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// Routes are the routes that answer with everything.
func (s *Streams) Routes() []route.Route {
	scores := route.Parameter{Name: "scores", Type: "boolean", Default: "false"}
	exportScores, changeScores := scores, scores
	exportScores.Text = "true: each line has the scores, all as of one moment"
	changeScores.Text = "true: entries that say something new about a person's orders have the scores"
	engine := []document.Code{document.CodeBadParameter, document.CodeBusy, document.CodeShuttingDown, document.CodeEngineFailed, document.CodeTimeout}
	return []route.Route{
		{
			Method: "GET", Path: "/v1/export", Lasting: true, Handler: s.getExport, Audience: route.Stream, Scope: keyring.ReadProfiles,
			Summary: "Export every person, one a line, sorted by id",
			Notes:   "An export that fails half-way breaks the connection, so that a part is not taken for the whole. With cursor it comes in pages, which begin at once and can be asked for again.",
			Parameters: []route.Parameter{
				{Name: "format", Enum: []string{string(document.NDJSON), string(document.CSV)}, Default: string(document.NDJSON), Text: "how lines are written"},
				{Name: "identifiers", Enum: []string{"all"}, Text: "all: people without an event as well"},
				exportScores,
				{Name: "audiences", Type: "boolean", Default: "false", Text: "true: each line has the audiences that the person is in, all as of one moment and without since when"},
				{Name: "detail", Type: "boolean", Default: "false", Text: "true: with the members that the change feed does not tell, so that a line is what GET /v1/profiles/{id} answers"},
				{Name: "computed", Type: "boolean", Default: "false", Text: "true: each line has the computed traits, all as of one moment"},
				route.Fields,
				{Name: "seen_since", Text: "only people whose last event is of this time or later, such as 2026-01-31T09:30:00Z"},
				{Name: "cursor", Text: "a page instead of everybody, not sorted: start, or Kindred-Next of the page before"},
				route.Limit(defaultPage, maxPage, "people in a page, with cursor; a page also ends at about 16 MiB, or after two seconds"),
				{Name: "Accept-Encoding", Header: true, Text: "zstd and gzip compress the lines"},
			},
			Answers: []route.Answer{
				{Media: "application/x-ndjson", Document: document.AnyProfile{}, Text: "A line of JSON a person", Headers: exportHeaders},
				{Media: "text/csv", Text: "A row a person, after a header", Headers: exportHeaders},
			},
			Problems: append(engine, document.CodeExportFailed),
		},
		{
			Method: "GET", Path: "/v1/changes", Lasting: true, Handler: s.getChanges, Audience: route.Stream, Scope: keyring.ReadProfiles,
			Summary: "Stream the change feed as server-sent events",
			Notes: "Each entry is a CloudEvent in the data of an event whose name is the entry's kind. Ids come every few entries, so a client that connects " +
				"again may get some entries twice. A comment every 15 seconds says that the stream is alive.",
			Parameters: []route.Parameter{
				{Name: "cursor", Default: "now", Text: "where to begin: start, now, or an id that the stream gave"},
				{Name: "kinds", Text: "kinds of entries, with commas between: created, linked, merged, split, updated, erased, generic, entered, exited; default: all"},
				{Name: "follow", Type: "boolean", Default: "true", Text: "false: the stream ends where the feed does"},
				changeScores,
				{Name: "Last-Event-ID", Header: true, Text: "the last id that came: it wins over cursor"},
			},
			Answers:  []route.Answer{{Media: "text/event-stream", Document: document.Change{}, Text: "Server-sent events, each with an entry of the feed as its data"}},
			Problems: append(engine, document.CodeFeedOff, document.CodeFeedBehind),
		},
		{
			Method: "GET", Path: "/v1/scores/report", Handler: s.getScoreReport, Audience: route.Stream, Scope: keyring.ReadProfiles,
			Summary: "Compare the control group with the rest", Notes: "It reads every profile, so it counts as an export. The route exists only where the server computes scores.",
			Parameters: []route.Parameter{{Name: "window_days", Type: "integer", Min: 1, Max: scoring.DaysMax, Default: "30", Text: "length of the window that ends now, in days"}},
			Answers:    []route.Answer{{Document: document.ScoreReport{}}},
			Problems:   append(engine, document.CodeUnknownRoute, document.CodeExportFailed),
		},
	}
}

var exportHeaders = []route.Header{
	{Name: "Kindred-Next", Text: "with cursor: the cursor of the next page; left out at the end"},
	{Name: "Kindred-Settled", Text: "true if no event was under way when the export began; else the newest may be missing"},
	{Name: "Kindred-Identities", Text: "how many people follow"},
}
