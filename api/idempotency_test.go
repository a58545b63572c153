package api

import (
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/api/document"
)

func (w *world) assertOnce(key, body string) answer {
	r := httptest.NewRequest("POST", "/v1/assertions", strings.NewReader(body))
	r.Header.Set("Idempotency-Key", key)
	return w.do(r)
}

// A request with an idempotency key makes one assertion, however often it comes, also on a server that was started anew;
// and its answer comes again as it was.
func TestIdempotencyKeys(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(`{"type":"page","messageId":"1","userId":"a"}`, `{"type":"page","messageId":"2","userId":"b"}`)
	const force = `{"verb":"force","a":"user_id:a","b":"user_id:b","note":"one"}`
	first := w.assertOnce("k1", force)
	first.want(t, 200, `"verb":"force"`)
	if first.header.Get("Idempotency-Replayed") != "" {
		t.Error(first.header)
	}
	again := func() {
		t.Helper()
		a := w.assertOnce("k1", `{"note":"one","b":"user_id:b","a":"user_id:a","verb":"force"}`)
		if a.status != 200 || a.body != first.body || a.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%d %v %s, want %s", a.status, a.header, a.body, first.body)
		}
	}
	again()
	w.reconfigure(func(*Config) {}) // another server on the same rows
	again()
	w.assertOnce("k1", `{"verb":"cannot","a":"user_id:a","b":"user_id:b"}`).want(t, 422, `"idempotency_key_reused"`)
	var held document.Assertions
	w.get("/v1/profiles/user_id:a/assertions").into(t, &held)
	if len(held.Assertions) != 1 {
		t.Errorf("%d assertions", len(held.Assertions))
	}

	// A request that is refused leaves its key free, and a dry run takes none.
	w.assertOnce("k2", `{"verb":"force","a":"user_id:a","b":"user_id:a"}`).want(t, 400)
	w.assertOnce("k2", `{"verb":"cannot","a":"user_id:a","b":"user_id:b","dry_run":true}`).want(t, 200, `"dry_run":true`)
	w.assertOnce("k2", `{"verb":"retract","a":"user_id:a","b":"user_id:b"}`).want(t, 200, `"verb":"retract"`)
	for _, key := range []string{strings.Repeat("k", 256), "é", "a\tb"} {
		w.assertOnce(key, force).want(t, 400, `"bad_parameter"`)
	}
}

// Of requests with one key that come at one time, one makes the assertion; the others get its answer, or are told to wait.
func TestIdempotencyKeysAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.feed(`{"type":"page","messageId":"1","userId":"a"}`, `{"type":"page","messageId":"2","userId":"b"}`)
	var wait sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		wait.Go(func() { answers[i] = w.assertOnce("k", `{"verb":"force","a":"user_id:a","b":"user_id:b"}`) })
	}
	wait.Wait()
	bodies := map[string]bool{}
	for _, a := range answers {
		switch {
		case a.status == 200:
			bodies[a.body] = true
		case a.status != 409 || a.header.Get("Retry-After") != "1":
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if len(bodies) != 1 {
		t.Errorf("%d different answers", len(bodies))
	}
}
