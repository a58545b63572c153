package stream

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// getExport answers GET /v1/export?format=ndjson|csv&identifiers=all&scores=true&detail=true&fields=…&seen_since=…: everybody,
// sorted by id, or with cursor a page (getPage). Kindred-Settled reports whether no event was under way when it began
// (Export.Settled), Kindred-Identities how many lines follow. An export that fails half-way breaks the connection: a part
// is then not taken for the whole.
func (s *Streams) getExport(w http.ResponseWriter, r *http.Request) *route.Problem {
	format, err := document.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		return route.NewProblem(document.CodeBadParameter, "format: want ndjson or csv")
	}
	empty, p := route.EmptyParameter(r)
	if p != nil {
		return p
	}
	shape, p := route.Shape(r, s.Scores, s.Control)
	if p != nil {
		return p
	}
	if shape.Detail, p = route.BoolParameter(r, "detail"); p != nil {
		return p
	}
	since, p := route.TimeParameter(r, "seen_since", math.MinInt64)
	if p != nil {
		return p
	}
	wanted := func(p *graph.Profile) bool { return p.Last >= since }
	if !s.exports.TryAcquire(1) {
		return exportsBusy()
	}
	defer s.exports.Release(1)
	route.Patient(w)
	if cursor := r.URL.Query().Get("cursor"); cursor != "" {
		return s.getPage(w, r, cursor, &document.Lines{Format: format, Shape: shape}, lookup.Walk{Empty: empty, Wanted: wanted})
	}
	if r.URL.Query().Get("limit") != "" {
		return route.NewProblem(document.CodeBadParameter, "limit: only with cursor").WithHint("give cursor=start for the first page")
	}
	x := Exporter{Engine: s.Engine, Format: format, Empty: empty, Wanted: wanted, Shape: shape, SortBytes: s.SortBytes, TempDir: s.TempDir}
	export, err := x.Collect(r.Context())
	if err != nil {
		return s.exportProblem(err)
	}
	defer func() {
		if err := export.Close(); err != nil {
			s.Logger.Warn("an export left temporary files", "error", err)
		}
	}()
	h := w.Header()
	setExportType(h, format)
	h.Set("Kindred-Settled", strconv.FormatBool(export.Settled))
	h.Set("Kindred-Identities", strconv.FormatInt(export.Lines, 10))
	out := route.Compress(w, r, route.NewStallGuard(w))
	err = export.Write(r.Context(), out)
	if err == nil {
		err = out.Close()
	}
	if err != nil {
		if r.Context().Err() == nil {
			s.Logger.Warn("an export ended early", "error", err)
		}
		// The status 200 is sent. Only a connection that breaks can still tell the client that the lines are not
		// complete.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// exportsBusy is the answer where exportsAtOnce is reached.
func exportsBusy() *route.Problem {
	return &route.Problem{Code: document.CodeBusy, Detail: "two exports or reports are running", RetryAfter: route.RetryAfterUnavailable}
}

// exportProblem tells apart an engine that can't answer and an export that failed by itself, on the disk of its
// temporary files: the second is logged here, since the answer names no file.
func (s *Streams) exportProblem(err error) *route.Problem {
	if s.Engine.Err() != nil || errors.Is(err, context.Canceled) {
		return route.EngineProblem(err)
	}
	if p := route.EngineProblem(err); p.Code != document.CodeEngineFailed {
		return p
	}
	s.Logger.Error("an export failed", "error", err) // of the store or of the temporary files
	return &route.Problem{Code: document.CodeExportFailed}
}
