package stream

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
)

// Exports and reports read everything, so only so many of them run at one time.
func TestExportsAtOnce(t *testing.T) {
	s := New(Config{Scores: new(scoring.Keeper)})
	defer s.Close()
	if err := s.exports.Acquire(context.Background(), exportsAtOnce); err != nil {
		t.Fatal(err)
	}
	for path, h := range map[string]route.Handler{"/v1/export": s.getExport, "/v1/scores/report": s.getScoreReport} {
		if p := h(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)); p == nil || p.Code != document.CodeBusy || p.RetryAfter == 0 {
			t.Errorf("%s: %+v, want busy", path, p)
		}
	}
}

func TestParseKinds(t *testing.T) {
	kinds, err := parseKinds("merged,erased")
	if err != nil || len(kinds) != 2 || !kinds[graph.FeedMerged] || !kinds[graph.FeedErased] {
		t.Errorf("%v, %v", kinds, err)
	}
	if kinds, err := parseKinds(""); kinds != nil || err != nil {
		t.Errorf("%v, %v", kinds, err)
	}
}
