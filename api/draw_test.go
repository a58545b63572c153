package api

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

func (w *world) draw(key, body string) (d document.Draw) {
	w.t.Helper()
	w.post("/v1/audiences/"+key+"/draw", body).into(w.t, &d)
	return d
}

// A draw is of the members who are in no suppression, by a brute-force difference of the lists; the report adds up, a seed draws the same again,
// a smaller draw is the beginning of a larger one, and somebody who leaves changes nobody else.
func TestDraws(t *testing.T) {
	w := newWorld(t, nil)
	for i := range 60 {
		w.feed(fmt.Sprintf(`{"type":"track","messageId":"v%d","userId":"u%d","timestamp":"2026-01-01T00:00:00Z","event":"Viewed","properties":{"n":%d}}`, i, i, i))
	}
	w.defineAudience("viewers", `events("Viewed").any()`)
	w.defineAudience("thirds", `events("Viewed", p.n in [0, 3, 6, 9, 12, 15, 18, 21, 24, 27]).any()`)
	w.defineAudience("buyers", `orders().count() >= 1`)
	buy := func(n int) {
		w.feed(fmt.Sprintf(`{"type":"track","messageId":"o%d","userId":"u%d","event":"Order Completed","timestamp":"2026-01-02T00:00:00Z","properties":{"order_id":"o%d","revenue":5,"currency":"EUR"}}`, n, n, n))
	}
	for n := range 5 {
		buy(n)
	}
	thirds, buyers := w.members("thirds", 200), w.members("buyers", 200)
	free := slices.DeleteFunc(w.members("viewers", 200), func(id string) bool { return slices.Contains(thirds, id) || slices.Contains(buyers, id) })

	all := w.draw("viewers", `{"suppress":["thirds","buyers"],"limit":1000,"seed":7}`)
	if got := slices.Sorted(slices.Values(all.IDs)); !slices.Equal(got, free) || all.Members != 60 || all.Free != int64(len(free)) {
		t.Errorf("drew %v of %d, want %v", got, all.Members, free)
	}
	if want := []document.Held{{Key: "thirds", People: 10}, {Key: "buyers", People: 5}}; !slices.Equal(all.HeldBack, want) {
		t.Errorf("held back %v, want %v", all.HeldBack, want)
	}
	some := w.draw("viewers", `{"suppress":["thirds","buyers"],"limit":20,"seed":7}`)
	if !slices.Equal(some.IDs, all.IDs[:20]) {
		t.Errorf("20 are %v, and of all the first are %v", some.IDs, all.IDs[:20])
	}
	if other := w.draw("viewers", `{"suppress":["thirds","buyers"],"limit":20,"seed":8}`); slices.Equal(other.IDs, some.IDs) {
		t.Error("another seed drew the same")
	}
	buy(20)
	if !slices.Contains(free, w.id("user_id:u20")) {
		t.Fatal("the next buyer was held back already")
	}
	rest := slices.DeleteFunc(slices.Clone(all.IDs), func(id string) bool { return id == w.id("user_id:u20") })
	if again := w.draw("viewers", `{"suppress":["thirds","buyers"],"limit":20,"seed":7}`); !slices.Equal(again.IDs, rest[:20]) {
		t.Errorf("after one has bought, drew %v, want %v", again.IDs, rest[:20])
	}
	if none := w.draw("viewers", `{"limit":1,"seed":0}`); len(none.IDs) != 1 || none.Free != 60 || len(none.HeldBack) != 0 {
		t.Errorf("%+v", none)
	}
	w.post("/v1/audiences/nobody/draw", `{"limit":1,"seed":0}`).want(t, 404, `"unknown_audience"`)
	w.post("/v1/audiences/viewers/draw", `{"limit":1,"seed":0,"suppress":["nobody"]}`).want(t, 404, `audience \"nobody\"`)
	w.post("/v1/audiences/viewers/draw", `{"limit":0,"seed":0}`).want(t, 400, `"invalid_body"`)
}
