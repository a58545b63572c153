package node

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/storage"
)

// Dead letters that are full, and settings that nobody has stated, are warnings: /readyz names them with their remedy, and
// stays ready.
func TestWarningsOfReadiness(t *testing.T) {
	ctx := context.Background()
	open := func(l Locale) *Kindred {
		t.Helper()
		k, err := Open(ctx, Config{
			Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 1, Locale: l, DeadLetters: DeadLetters{Bytes: leastLetterBytes},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stopped(t, k) })
		return k
	}
	ask := func(k *Kindred, path string) string {
		t.Helper()
		w := httptest.NewRecorder()
		k.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil))
		if w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String()
	}
	k := open(Locale{Region: "DE"})
	for n := range 2 {
		if full := strings.Contains(ask(k, "/readyz"), "dead letters are full"); full {
			t.Errorf("full after %d letters", n)
		}
		if err := k.letters.Keep(ctx, []letters.Letter{{At: k.Engine().Now(), Text: []byte(strings.Repeat("x", letters.MaxText))}}); err != nil {
			t.Fatal(err)
		}
	}
	if ready := ask(k, "/readyz"); !strings.Contains(ready, "dead letters are full") || !strings.Contains(ready, "--dead-letters") ||
		!strings.Contains(ready, "default_currency: USD") || strings.Contains(ready, "phone_region") || !strings.Contains(ready, "--region") {
		t.Error(ready)
	}
	if stats := ask(k, "/v1/stats"); !strings.Contains(stats, `"assumed":["default_currency: USD"]`) {
		t.Error(stats)
	}
	k = open(Locale{Region: "DE", Currency: "EUR"})
	if told := ask(k, "/readyz") + ask(k, "/v1/stats"); strings.Contains(told, "assumed") {
		t.Error(told)
	}
}
