package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage/row"
)

// newQuarantine is a server that keeps the events of unknown write keys aside.
func newQuarantine(t *testing.T) (*keyed, *letters.Letters) {
	k := newKeyed(t)
	kept := openLetters(t, k.engine.Now)
	k.reconfigure(func(c *Config) {
		c.Letters, c.Access = kept, access.New(access.Config{Keys: k.keys, Bounds: access.Bounds{SetAside: true}})
	})
	return k, kept
}

// Events with a write key that is not known, has expired or was revoked are kept as letters, wherever the key stands, and none
// of them is taken. With a source, an operator has them taken; the events are then those that they would have been.
func TestUnknownKeysAreSetAside(t *testing.T) {
	k, kept := newQuarantine(t)
	revoked := k.create(t, keyring.Spec{Kind: keyring.Write, Name: "shop", Source: "shop-web"})
	reader := k.create(t, keyring.Spec{Kind: keyring.Read, Name: "gone"})
	expired := k.create(t, keyring.Spec{Kind: keyring.Write, Name: "till", Source: "till", Expires: k.now + 1})
	k.now++
	for _, key := range k.keys.List() {
		if key.Source == "shop-web" || key.Name == "gone" {
			if _, err := k.keys.Revoke(context.Background(), key.ID, keyring.All()); err != nil {
				t.Fatal(err)
			}
		}
	}
	unknown := "wk_" + strings.Repeat("b", 52)
	batch := func(id, key string) string {
		return `{"writeKey":"` + key + `","context":{"locale":"nl"},"batch":[{"type":"page","userId":"u","messageId":"` + id + `"},{"type":"nonsense"}]}`
	}
	k.ask("POST", "/v1/batch", batch("m1", "a typo"), "").want(t, 200, `"success":true`, `"accepted":0`, `"code":"unknown_key"`, `"messageId":"m1"`)
	k.ask("POST", "/v1/batch?results=all", batch("m2", ""), unknown).want(t, 200, `"code":"unknown_key"`, `"status":"quarantined"`)
	k.ask("POST", "/v1/page", `{"userId":"u","messageId":"m3"}`, revoked).want(t, 200, `"code":"key_revoked"`)
	k.ask("POST", "/v1/page", `{"userId":"u","messageId":"m4"}`, expired).want(t, 200, `"code":"key_expired"`)
	k.ask("GET", "/pixel/v1/page?userId=u&messageId=m5&writeKey="+unknown, "", "").want(t, 200, "GIF89a")
	k.ask("POST", "/v1/map/shopify-orders", `{"id":1,"email":"ann@example.com"}`, unknown).want(t, 200, `"accepted":0`, `"code":"unknown_key"`)
	k.ask("POST", "/com.snowplowanalytics.snowplow/tp2", `{"data":[{"e":"pv","uid":"u","eid":"m6","aid":"typo"}]}`, "").want(t, 200, `"code":"unknown_key"`)
	k.ask("GET", "/v1/profiles/user_id:u", "", k.admin).want(t, 404)

	// Requests without a key, with a key of another scope, and for other routes are refused as ever.
	k.ask("POST", "/v1/page", `{"userId":"u"}`, "").want(t, 401, `"no_key"`)
	k.ask("POST", "/v1/page", `{"userId":"u"}`, k.create(t, keyring.Spec{Kind: keyring.Read, Name: "bi"})).want(t, 403, `"wrong_scope"`)
	k.ask("POST", "/v1/page", `{"userId":"u"}`, reader).want(t, 401, `"key_revoked"`)
	k.ask("GET", "/v1/export", "", unknown).want(t, 401, `"unknown_key"`)
	k.ask("GET", "/v1/export", "", revoked).want(t, 401, `"key_revoked"`)

	var page document.DeadLetters
	k.ask("GET", "/v1/deadletters", "", k.admin).into(t, &page)
	var got []string
	for _, l := range page.DeadLetters {
		got = append(got, fmt.Sprint(l.Code, " ", l.Source, " ", l.MessageID))
	}
	want := "unknown_key  m1, unknown_key  , unknown_key  m2, unknown_key  , key_revoked shop-web m3, key_expired till m4, unknown_key  m5"
	if all := strings.Join(got, ", "); !strings.HasPrefix(all, want) || page.Kept < 9 {
		t.Errorf("kept\n%s\nwant\n%s", all, want)
	}
	if secrets := k.ask("GET", "/v1/deadletters/1", "", k.admin).body + k.ask("GET", "/v1/deadletters/7", "", k.admin).body + k.log.String(); strings.Contains(secrets, unknown[3:20]) || strings.Contains(secrets, "a typo") {
		t.Errorf("a key is kept: %s", secrets)
	}

	k.ask("POST", "/v1/deadletters/1/resend", "", k.admin).want(t, 400, `"bad_parameter"`, "--source")
	k.ask("POST", "/v1/deadletters/1/resend?source=shop-web", "", k.admin).want(t, 200, `"status":"accepted"`, `"dropped":true`)
	k.ask("POST", "/v1/deadletters/2/resend?source=shop-web", "", k.admin).want(t, 200, `"status":"rejected"`, `"code":"unknown_type"`)
	k.ask("POST", "/v1/deadletters/5/resend?source=other", "", k.admin).want(t, 400, `shop-web`)
	k.ask("POST", "/v1/deadletters/5/resend", "", k.admin).want(t, 200, `"dropped":true`)
	k.ask("GET", "/v1/profiles/user_id:u/events", "", k.admin).want(t, 200, `"source":"shop-web"`, `"locale":"nl"`)
	if n, _ := kept.Size(); n != page.Kept-2 {
		t.Errorf("%d letters are left of %d", n, page.Kept)
	}
}

// A request that can't be kept whole is refused, and nothing of it is kept: too many events at once, a large one, a flood.
// The letters of others stay, and other addresses are heard.
func TestSetAsideIsBounded(t *testing.T) {
	k, kept := newQuarantine(t)
	if err := kept.Keep(context.Background(), []row.DeadLetter{{At: k.engine.Now(), Code: "bad_type", Source: "shop", Text: []byte(`{}`)}}); err != nil {
		t.Fatal(err)
	}
	batch := func(n int, event string) string {
		return `{"writeKey":"typo","batch":[` + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + `]}`
	}
	k.ask("POST", "/v1/batch", batch(letters.MostAtOnce+1, `{"type":"page","userId":"u"}`), "").want(t, 401, `"unknown_key"`)
	k.ask("POST", "/v1/batch", batch(1, `{"type":"page","userId":"`+strings.Repeat("x", letters.MaxText)+`"}`), "").want(t, 401)
	if n, _ := kept.Size(); n != 1 {
		t.Fatalf("%d letters", n)
	}
	from := func(address string) int {
		r := httptest.NewRequest("POST", "/v1/batch", strings.NewReader(batch(250, `{"type":"page","userId":"u"}`)))
		r.RemoteAddr = address
		return k.do(r).status
	}
	taken := 0
	for range 10 {
		k.world.now.Add(1000) // the rate of letters is not what is tried
		if from("198.51.100.7:1234") == 200 {
			taken++
		}
	}
	if taken != 4 {
		t.Errorf("%d batches of an address were kept, want 4 of 250 events", taken)
	}
	k.world.now.Add(1000)
	if from("[2001:db8::1]:99") != 200 {
		t.Error("another address is not heard")
	}
	if _, err := kept.Read(1); err != nil {
		t.Errorf("the letter of another is gone: %v", err)
	}
}
