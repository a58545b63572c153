package api

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// drop asks to drop a receiver, by its escaped name.
func (w *world) drop(name string, header http.Header) answer {
	r := httptest.NewRequest(http.MethodDelete, "/v1/changes/receivers/"+name, nil)
	for key, values := range header {
		r.Header[key] = values
	}
	return w.do(r)
}

// An operator sees how far each receiver of the feed is behind, and drops one that was retired.
func TestReceivers(t *testing.T) {
	w := newFed(t)
	w.get("/v1/changes/receivers").want(t, 200, `{"receivers":[]}`)
	for _, name := range []string{"warehouse", "ads/eu"} {
		if _, err := w.engine.Feed().Receiver(name); err != nil {
			t.Fatal(err)
		}
	}
	w.post("/v1/page", visit("a1", 1)).want(t, 200)
	w.get("/v1/changes/receivers").want(t, 200, `{"name":"ads/eu","behind":1}`, `{"name":"warehouse","behind":1}`)

	w.drop("ads%2Feu", nil).want(t, 200, `{"dropped":"ads/eu"}`)
	w.get("/v1/changes/receivers").want(t, 200, `{"receivers":[{"name":"warehouse","behind":1}]}`)
	w.drop("ads%2Feu", nil).want(t, 404, `"unknown_receiver"`, "warehouse")

	// A page of another origin can't make a browser drop one.
	w.drop("warehouse", http.Header{"Origin": {"https://elsewhere.example"}, "Sec-Fetch-Site": {"cross-site"}}).
		want(t, 403, `"cross_origin"`)
}

func TestReceiversWithoutFeed(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/v1/changes/receivers").want(t, 409, `"feed_off"`)
	w.drop("x", nil).want(t, 409, `"feed_off"`)
}
