package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/api/document"
)

// exportsAtOnce bounds the exports and reports at one time: each reads every profile, and an export has a sort of its own.
const exportsAtOnce = 2

// stallTimeout bounds how long a client may take for one piece of an export, about 64 KiB.
const stallTimeout = time.Minute

// getExport answers GET /v1/export?format=ndjson|csv&identifiers=all&scores=true. Kindred-Settled says whether no
// event was under way when it began (Export.Settled), Kindred-Identities how many lines follow. An
// export that fails half-way breaks the connection: what came is then not taken for the whole.
func (s *Server) getExport(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r, "format", "identifiers", "scores"); p != nil {
		return p
	}
	format, err := document.ParseFormat(r.URL.Query().Get("format"))
	if err != nil {
		return newProblem(document.CodeBadParameter, "format: want ndjson or csv")
	}
	identifiers := r.URL.Query().Get("identifiers")
	if identifiers != "" && identifiers != "all" {
		return newProblem(document.CodeBadParameter, "identifiers: want all, or nothing")
	}
	scores, p := s.scoresParameter(r)
	if p != nil {
		return p
	}
	if !s.exports.TryAcquire(1) {
		return exportsBusy()
	}
	defer s.exports.Release(1)
	patient(w)
	x := Exporter{Engine: s.Engine, Format: format, Empty: identifiers == "all", SortBytes: s.SortBytes, TempDir: s.TempDir}
	if scores {
		x.Scores, x.Control = s.Scores.Scorer(), s.Control
	}
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
	h.Set("Content-Type", "application/x-ndjson")
	if format == document.CSV {
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Kindred-Settled", strconv.FormatBool(export.Settled))
	h.Set("Kindred-Identities", strconv.FormatInt(export.Lines, 10))
	if err := export.Write(r.Context(), &stallGuard{w, http.NewResponseController(w)}); err != nil {
		if r.Context().Err() == nil {
			s.Logger.Warn("an export ended early", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return nil
}

// exportsBusy is the answer where exportsAtOnce is reached.
func exportsBusy() *problem {
	return &problem{code: document.CodeBusy, detail: "two exports or reports are running", retryAfter: retryAfterUnavailable}
}

func (s *Server) exportProblem(err error) *problem {
	if s.Engine.Err() != nil || errors.Is(err, context.Canceled) {
		return engineProblem(err)
	}
	if p := engineProblem(err); p.code != document.CodeEngineFailed {
		return p
	}
	s.Logger.Error("an export failed", "error", err) // of the store or of the temporary files
	return &problem{code: document.CodeExportFailed}
}

// patient lifts the deadlines of an answer that may take long. Where the connection has none, as in
// tests, there is nothing to lift.
func patient(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{})
	_ = c.SetWriteDeadline(time.Time{})
}

// stallGuard ends an answer whose client doesn't read.
type stallGuard struct {
	w       io.Writer
	control *http.ResponseController
}

func (g *stallGuard) Write(b []byte) (int, error) {
	_ = g.control.SetWriteDeadline(time.Now().Add(stallTimeout)) // see patient
	return g.w.Write(b)
}
