package access

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/storage"
)

func newKeys(t *testing.T) *keyring.Keyring {
	t.Helper()
	keys, err := keyring.Open(catalog.New(storage.NewMemStore(), nil), func() int64 { return 1_000_000 })
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func create(t *testing.T, keys *keyring.Keyring, s keyring.Spec) string {
	t.Helper()
	_, secret, err := keys.Create(context.Background(), s, keyring.All())
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// The source of a request is the id of its write key, from the most deliberate place that has one.
func TestSourceOf(t *testing.T) {
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ authorization, header, body, query, want string }{
		{"", "", "", "", "http"},
		{basic("k1:"), "k2", "k3", "k4", "k1"},
		{basic("k1"), "", "", "", "k1"},
		{"basic " + basic("k1:secret")[len("Basic "):], "", "", "", "k1"},
		{"Bearer abc", "k2", "k3", "k4", "k2"},
		{"Basic !", "", "k3", "k4", "k3"},
		{"", "", "", "k4", "k4"},
		{"", "k2:secret", "", "", "k2"},
		{"", "two words", "", "", "sha256:"},
		{"", strings.Repeat("k", maxSource), "", "", strings.Repeat("k", maxSource)},
		{"", strings.Repeat("k", maxSource+1), "", "", "sha256:"},
	} {
		r := httptest.NewRequest("POST", "/v1/batch", nil)
		r.URL.RawQuery = "writeKey=" + c.query
		r.Header.Set("Authorization", c.authorization)
		r.Header.Set("X-Write-Key", c.header)
		got := ""
		w := httptest.NewRecorder()
		r, refusal := New(Config{}).Admit(w, r, Need{Scope: keyring.WriteEvents, Events: true})
		if refusal == nil {
			got, refusal = CallerOf(r.Context()).SourceOf(r.Context(), w, []byte(c.body))
		}
		if refusal != nil {
			t.Fatal(refusal)
		}
		if strings.HasPrefix(c.want, "sha256:") {
			if !strings.HasPrefix(got, "sha256:") || len(got) != len("sha256:")+32 {
				t.Errorf("%+v: %q", c, got)
			}
		} else if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// The key may stand in each of the places where libraries put one, and the most deliberate place wins. Text that does not have the form of
// a key does not hide one that has.
func TestPlacesOfWriteKeys(t *testing.T) {
	keys := newKeys(t)
	admin := create(t, keys, keyring.Spec{Kind: keyring.Admin, Name: "ann"})
	a := create(t, keys, keyring.Spec{Kind: keyring.Write, Name: "key a", Source: "a"})
	b := create(t, keys, keyring.Spec{Kind: keyring.Write, Name: "key b", Source: "b"})
	unknown := a[:54] + "a"
	if unknown == a {
		unknown = a[:54] + "b"
	}
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct{ authorization, header, body, query, want string }{
		{basic(a + ":"), b, b, b, "a"},
		{basic(a), "", "", "", "a"},
		{"", a, b, b, "a"},
		{"Bearer " + a, "", b, b, "a"},
		{"bearer " + a, "", "", "", "a"},
		{"", "", a, b, "a"},
		{"", "", "", a, "a"},
		{"", a + ":secret", "", "", "a"},
		{basic(a + ":"), "", "***masked***", "", "a"},
		{"Bearer of.another.system", "", a, "", "a"},
		{basic("old"), "", a, "", "a"},
		{"Bearer " + admin, "shop", "", "", "shop"},
		{"Bearer " + admin, "", "shop", "", "shop"},
		{"Bearer " + admin, "", b, "", "ann"}, // a key is no name
		{"Bearer " + admin, "", "", "", "ann"},
		{basic(unknown + ":"), a, a, a, "unknown_key"},
		{"", "", unknown, a, "unknown_key"},
		{"", "", "", "old", "unknown_key"},
		{"Bearer x", "", "", "", "unknown_key"},
		{"", "", "", "", "no_key"},
	} {
		r := httptest.NewRequest("POST", "/v1/batch?writeKey="+c.query, nil)
		r.Header.Set("Authorization", c.authorization)
		r.Header.Set("X-Write-Key", c.header)
		w := httptest.NewRecorder()
		source, refusal := "", (*Refusal)(nil)
		if r, refusal = New(Config{Keys: keys}).Admit(w, r, Need{Scope: keyring.WriteEvents, Events: true}); refusal == nil {
			source, refusal = CallerOf(r.Context()).SourceOf(r.Context(), w, []byte(c.body))
		}
		got := source
		if refusal != nil {
			got = string(refusal.Code)
			if refusal.Challenge == "" || strings.Contains(refusal.Detail+refusal.Hint, unknown) {
				t.Errorf("%+v: %+v", c, refusal)
			}
		}
		if got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
	// A key in an address or in X-Write-Key counts for events alone.
	r := httptest.NewRequest("GET", "/v1/export?writeKey="+admin, nil)
	r.Header.Set("X-Write-Key", admin)
	if _, refusal := New(Config{Keys: keys}).Admit(httptest.NewRecorder(), r, Need{Scope: keyring.ReadProfiles}); refusal == nil || refusal.Code != document.CodeNoKey {
		t.Errorf("a key in an address: %+v", refusal)
	}
}

// On an open server a key is no source either (A2).
func TestKeysAreNoSources(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("X-Write-Key", "wk_"+strings.Repeat("a", 52))
	r, _ = New(Config{}).Admit(httptest.NewRecorder(), r, Need{Scope: keyring.WriteEvents, Events: true})
	source, refusal := CallerOf(r.Context()).SourceOf(context.Background(), httptest.NewRecorder(), nil)
	if refusal != nil || !strings.HasPrefix(source, "sha256:") {
		t.Error(source, refusal)
	}
}

// A handler that runs without a gate may do nothing.
func TestNoGate(t *testing.T) {
	c := CallerOf(context.Background())
	if c.Scopes != 0 {
		t.Error(c.Scopes)
	}
	if _, refusal := c.SourceOf(context.Background(), httptest.NewRecorder(), nil); refusal == nil {
		t.Error("events without a gate have a source")
	}
}

func TestRates(t *testing.T) {
	keys := newKeys(t)
	create(t, keys, keyring.Spec{Kind: keyring.Admin, Name: "ann"})
	slow := create(t, keys, keyring.Spec{Kind: keyring.Read, Name: "slow", PerSecond: 2})
	other := create(t, keys, keyring.Spec{Kind: keyring.Read, Name: "other"})
	g := New(Config{Keys: keys, Bounds: Bounds{PerSecond: 1000}})
	ask := func(key string) (*Refusal, map[string]string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		_, refusal := g.Admit(w, r, Need{Scope: keyring.ReadProfiles})
		told := map[string]string{}
		for _, name := range []string{"Limit", "Remaining", "Reset"} {
			told[name] = w.Header().Get("RateLimit-" + name)
		}
		return refusal, told
	}
	var refused *Refusal
	var told map[string]string
	for range 100 { // faster than two a second on any machine
		if refused, told = ask(slow); refused != nil {
			break
		}
	}
	if refused == nil || refused.Code != document.CodeRateLimited || refused.RetryAfter != 1 {
		t.Fatalf("%+v", refused)
	}
	if told["Limit"] != "2" || told["Remaining"] != "0" || told["Reset"] != "1" {
		t.Error(told)
	}
	if refused, told := ask(other); refused != nil || told["Limit"] != "1000" {
		t.Error("another key is slowed down, too", refused, told)
	}
}

// Buckets are bounded, and the full ones are forgotten first (A4).
func TestBucketsAreBounded(t *testing.T) {
	l := limits{of: map[string]*limiter{}}
	now := time.Now()
	l.find("busy", 1).AllowN(now, 1)
	for i := range limitersMost {
		l.of[fmt.Sprint(i)] = l.find("other", 1)
	}
	l.makeRoomLocked(now)
	l.find("new", 1)
	if len(l.of) > limitersMost || l.of["busy"] == nil {
		t.Errorf("%d buckets, that of a busy key among them: %t", len(l.of), l.of["busy"] != nil)
	}
}

func TestHosts(t *testing.T) {
	h, err := NewHosts([]string{"Kindred.example", "*.shop.example"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"127.0.0.1:8080": true, "[::1]:8080": true, "10.0.0.7": true, "localhost:8080": true, "kindred": true, "a.localhost": true,
		"kindred.example": true, "KINDRED.example.:443": true, "eu.shop.example": true,
		"evil.example": false, "evil.example:8080": false, "shop.example": false, "kindred.example.evil.example": false, "127.0.0.1.evil.example": false,
		"xkindred.example": false, "": true, "a b": false, "[": false, "localhost.evil.example": false,
	} {
		if got := h.allow(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
	for list, good := range map[string]bool{"*": true, "a.example": true, "a.example:80": false, "": false, "*.*.": false, "https://a.example": false, "a b": false} {
		if _, err := NewHosts([]string{list}); (err == nil) != good {
			t.Errorf("%q: %v", list, err)
		}
	}
	if all, err := NewHosts([]string{"*"}); err != nil || !all.allow("evil.example") {
		t.Error("* is not any", err)
	}
}
