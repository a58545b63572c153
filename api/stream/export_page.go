package stream

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/lookup"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Bounds of one page of an export. A page is made in memory, so that its header can say where the next one goes on, and a
// client never has a part of one.
const (
	defaultPage  = 10_000
	maxPage      = 50_000
	maxPageBytes = 16 << 20

	firstPage = "start" // the cursor of the first page
)

// getPage answers GET /v1/export?cursor=…&limit=…: the lines of a page in the order of rows. It sorts nothing and waits for
// no event under way, so it begins at once whatever the deployment holds; and a client whose page was lost asks for it
// again, instead of for everything.
func (s *Streams) getPage(w http.ResponseWriter, r *http.Request, cursor string, lines *document.Lines, wanted lookup.Walk) *route.Problem {
	limit, p := route.LimitParameter(r, defaultPage, maxPage)
	if p != nil {
		return p
	}
	if cursor == firstPage {
		cursor = ""
	}
	lines.Now = s.Engine.Now()
	var page []byte
	if cursor == "" {
		page = append(page, lines.Header()...)
	}
	walk := wanted
	walk.Cursor, walk.Limit = cursor, limit
	standings := newStandings(s.Engine, &lines.Shape, lines.Now)
	walk.Each = func(c *graph.Component, profile *graph.Profile) error {
		if page = lines.AppendStanding(page, profile, standings.of(c, profile)); len(page) > maxPageBytes {
			walk.Limit = 0 // the page is full
		}
		return nil
	}
	next, err := (&lookup.Lookup{Engine: s.Engine}).Run(r.Context(), &walk)
	if errors.Is(err, lookup.ErrCursor) {
		return route.BadCursor()
	}
	if err != nil {
		return s.exportProblem(err)
	}
	h := w.Header()
	setExportType(h, lines.Format)
	h.Set("Kindred-Identities", strconv.Itoa(walk.People))
	if next != "" {
		h.Set("Kindred-Next", next)
	}
	out := route.Compress(w, r, route.NewStallGuard(w))
	if _, err = out.Write(page); err == nil {
		err = out.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // the client has gone, or would take a part for the page
	}
	return nil
}

// setExportType sets what an export is.
func setExportType(h http.Header, format document.Format) {
	h.Set("Content-Type", "application/x-ndjson")
	if format == document.CSV {
		h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	}
	h.Set("Cache-Control", "no-store")
}
