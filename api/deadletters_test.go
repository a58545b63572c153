package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// openLetters are dead letters on a store of their own.
func openLetters(t *testing.T, now func() int64) *letters.Letters {
	t.Helper()
	l, err := letters.Open(letters.Config{Catalog: catalog.New(storage.NewMemStore(), nil), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// What HTTP refuses of a request is listed with the reason, shown, taken after all once the reason is gone, and dropped.
func TestDeadLettersOfHTTP(t *testing.T) {
	w := newWorld(t, nil)
	kept := openLetters(t, w.engine.Now)
	w.reconfigure(func(c *Config) { c.Letters = kept })
	key := "wk_" + strings.Repeat("b", 52)
	w.post("/v1/batch", `{"batch":[
		{"type":"page","userId":"u1","messageId":"ok"},
		{"type":"page","messageId":"nobody"},
		{"type":"nonsense","userId":"u2","messageId":"odd","writeKey":"`+key+`"}],"context":{"locale":"nl"},"writeKey":"`+key+`"}`).want(t, 200, `"accepted":1`)
	w.post("/v1/track", `{"userId":"u3","event":"x","type":7}`).want(t, 400)
	w.post("/v1/map/shopify-orders", `{"id":1}`)

	var page document.DeadLetters
	w.get("/v1/deadletters?limit=2").into(t, &page)
	got := fmt.Sprint(page.DeadLetters[0].Code, page.DeadLetters[0].Index, page.DeadLetters[1].Code, page.DeadLetters[1].Index, page.DeadLetters[1].MessageID, page.DeadLetters[1].Source)
	if len(page.DeadLetters) != 2 || !strings.HasPrefix(got, "no_identifier1unknown_type2") || page.Next == "" || page.DeadLetters[1].Text != "" {
		t.Fatalf("%s, %+v", got, page)
	}
	first := page
	w.get("/v1/deadletters?cursor="+string(first.Next)).into(t, &page)
	if len(page.DeadLetters) < 1 || page.DeadLetters[0].Route != "/v1/track" {
		t.Fatalf("%+v", page)
	}
	odd := w.get("/v1/deadletters/2")
	odd.want(t, 200, `nonsense`, `(key)`)
	if strings.Contains(odd.body, key) {
		t.Errorf("a key is shown: %s", odd.body)
	}
	w.post("/v1/deadletters/2/resend", "").want(t, 200, `"dropped":false`, `"code":"unknown_type"`)
	w.get("/v1/deadletters/2").want(t, 200)
	if r := w.do(httptest.NewRequest("DELETE", "/v1/deadletters/2", nil)); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.get("/v1/deadletters/2").want(t, 404, `"no_such_letter"`)
	w.get("/v1/deadletters/x").want(t, 404, `"no_such_letter"`)
	w.get("/v1/deadletters?cursor=!").want(t, 400)
}

// An event that was refused by a limit is the event that it would have been, once the limit is higher: its time, its source
// and its context are those that it came with. Sent twice it counts once.
func TestDeadLettersAreTakenAfterAll(t *testing.T) {
	w := newWorld(t, nil)
	kept := openLetters(t, w.engine.Now)
	w.reconfigure(func(c *Config) { c.Letters, c.Decode.MaxEventBytes = kept, 100 })
	w.post("/v1/batch?writeKey=till", `{"batch":[{"type":"track","event":"Long","userId":"u1","properties":{"note":"`+strings.Repeat("x", 100)+`"}}],"context":{"locale":"nl"}}`).want(t, 400, `too_large`)
	then := w.engine.Now()
	w.now.Add(60_000)
	w.post("/v1/deadletters/1/resend", "").want(t, 200, `"dropped":false`)
	w.reconfigure(func(c *Config) { c.Decode.MaxEventBytes = 0 })
	letter, err := kept.Read(1)
	if err != nil {
		t.Fatal(err)
	}
	w.post("/v1/deadletters/1/resend", "").want(t, 200, `"status":"accepted"`, `"dropped":true`)
	w.get("/v1/deadletters/1").want(t, 404)
	w.get("/v1/profiles/user_id:u1/events").want(t, 200, `"source":"till"`, string(document.NewTime(then)), `"locale":"nl"`)
	// A crash between the event and the letter leaves the letter.
	if err := kept.Keep(context.Background(), []row.DeadLetter{letter}); err != nil {
		t.Fatal(err)
	}
	w.post("/v1/deadletters/2/resend", "").want(t, 200, `"status":"duplicate"`, `"dropped":true`)
	if n, _ := kept.Size(); n != 0 {
		t.Errorf("%d letters are left", n)
	}
}

// The text of a letter is personal data: an ops key alone does not see it, and can't have it taken.
func TestScopesOfDeadLetters(t *testing.T) {
	k := newKeyed(t)
	kept := openLetters(t, k.engine.Now)
	k.reconfigure(func(c *Config) { c.Letters = kept })
	k.ask("POST", "/v1/track", `{"event":"secret","userId":"u1","type":"page"}`, k.admin).want(t, 400)
	ops := k.create(t, keyring.Spec{Kind: keyring.Ops, Name: "pager"})
	k.ask("GET", "/v1/deadletters/1", "", k.admin).want(t, 200, "secret")
	if a := k.ask("GET", "/v1/deadletters/1", "", ops); a.status != 200 || strings.Contains(a.body, "secret") {
		t.Errorf("%d %s", a.status, a.body)
	}
	k.ask("POST", "/v1/deadletters/1/resend", "", ops).want(t, 403, `"wrong_scope"`)
}
