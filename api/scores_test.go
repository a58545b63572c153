package api

import (
	"reflect"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/scoring"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/storage/row"
)

// TestFitThatFails: where nobody has bought a fit is told to have failed, the metric counts it, and the snapshot stays.
func TestFitThatFails(t *testing.T) {
	before := score.ColdStart()
	before.Version, before.FittedAt = 7, 1_700_000_000_123
	var keeper *scoring.Keeper
	w := newWorld(t, func(c *Config) {
		err := c.Engine.Catalog().Change(t.Context(), func(change *catalog.Change) error {
			return row.PutParameters(change.Batch(), &before)
		})
		if err != nil {
			t.Fatal(err)
		}
		if keeper, err = scoring.Open(c.Engine, score.Terms{}); err != nil {
			t.Fatal(err)
		}
		c.Scores = keeper
	})
	w.feed(`{"type":"page","messageId":"m1","userId":"7"}`)
	w.get("/metrics").want(t, 200, `kindred_score_fits_total{result="failed"} 0`, "kindred_score_parameters_version 7")
	w.post("/v1/scores/fit", "").want(t, 200, `"result":"failed"`, `"kept":"the sample says too little`, `"version":7`)
	w.get("/metrics").want(t, 200, `kindred_score_fits_total{result="failed"} 1`, `kindred_score_fits_total{result="ok"} 0`, "kindred_score_parameters_version 7")
	if got := *keeper.Scorer().Parameters(); !reflect.DeepEqual(got, before) {
		t.Errorf("in use\n%+v\nwant\n%+v", got, before)
	}
}
