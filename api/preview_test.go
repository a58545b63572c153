package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

func (w *world) preview(text string, exact bool) (d document.AudiencePreview) {
	w.t.Helper()
	body, err := json.Marshal(document.AudiencePreviewRequest{Text: text, Exact: exact})
	if err != nil {
		w.t.Fatal(err)
	}
	w.post("/v1/audiences:preview", string(body)).into(w.t, &d)
	return d
}

func exactly(n int64) document.PreviewNumber {
	return document.PreviewNumber{Estimate: n, Low: n, High: n}
}

// A draft counts those for whom its conditions hold, and each condition in turn; nothing is defined by it.
func TestAudiencePreview(t *testing.T) {
	w := newWorld(t, nil)
	var events []string
	for i := range 10 {
		events = append(events, fmt.Sprintf(`{"type":"track","messageId":"v%d","anonymousId":"a%d","timestamp":"2026-01-01T00:00:00Z","event":"Viewed","properties":{"n":%d}}`, i, i, i))
	}
	for i := range 4 {
		events = append(events, fmt.Sprintf(`{"type":"identify","messageId":"i%d","anonymousId":"a%d","userId":"u%d","timestamp":"2026-01-02T00:00:00Z"}`, i, i, i))
	}
	w.feed(events...)
	for _, exact := range []bool{false, true} {
		d := w.preview(`events("Viewed",p.n>=2).any()&&has_identifier("user_id")`, exact)
		want := document.PreviewCount{All: exactly(2), Known: exactly(2)}
		if !d.Exact || d.LookedAt != 10 || d.Members != want || d.People != (document.PreviewCount{All: exactly(10), Known: exactly(4)}) {
			t.Errorf("%+v", d)
		}
		if len(d.Conditions) != 2 || d.Conditions[0].Alone != exactly(8) || d.Conditions[0].Kept != exactly(8) ||
			d.Conditions[1].Alone != exactly(4) || d.Conditions[1].Kept != exactly(2) || d.Conditions[1].Text != `has_identifier("user_id")` {
			t.Errorf("%+v", d.Conditions)
		}
		if !strings.Contains(d.Text, ` && has_identifier("user_id")`) {
			t.Error(d.Text)
		}
		ids := []string{w.id("user_id:u2"), w.id("user_id:u3")}
		slices.Sort(ids)
		slices.Sort(d.Sample)
		if !slices.Equal(d.Sample, ids) || len(d.Misses) != 8 {
			t.Errorf("sample %v, want %v; misses %v", d.Sample, ids, d.Misses)
		}
		for _, m := range d.Misses {
			user := m.ID == w.id("user_id:u0") || m.ID == w.id("user_id:u1")
			if want := d.Conditions[map[bool]int{true: 0, false: 1}[user]].ID; m.Condition != want {
				t.Errorf("%s is kept out by %s, want %s", m.ID, m.Condition, want)
			}
		}
	}
	w.get("/v1/audiences").want(t, 200, `"version":0`)
	for text, want := range map[string]string{
		`events(`:                               "line 1, column",
		`audience("nobody")`:                    "create it first",
		`score.discount_affinity.band == "low"`: "can't read scores yet",
	} {
		body, _ := json.Marshal(document.AudiencePreviewRequest{Text: text})
		w.post("/v1/audiences:preview", string(body)).want(t, 400, want)
	}
}

// Counts are bounded together with searches: beyond the bound they are refused, not queued.
func TestPreviewsAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	if !w.server.queries.Searches.TryAcquire(2) {
		t.Fatal("no room")
	}
	w.post("/v1/audiences:preview", `{"text":"orders().count() >= 1"}`).want(t, 429, "under way")
	w.server.queries.Searches.Release(2)
	w.post("/v1/audiences:preview", `{"text":"orders().count() >= 1"}`).want(t, 200, `"exact":true`)
}
