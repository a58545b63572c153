package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
)

// browse sends a request as a browser does: with its cookie, and with the origin of its page where it is not a look-up.
func (k *keyed) browse(method, path, body string, cookie *http.Cookie, origin string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	w := httptest.NewRecorder()
	k.server.ServeHTTP(w, r)
	return w
}

func (k *keyed) signIn(t *testing.T, secret string) *http.Cookie {
	t.Helper()
	w := k.browse("POST", "/v1/session", `{"key":"`+secret+`"}`, nil, "http://example.com")
	cookies := w.Result().Cookies()
	if w.Code != 200 || len(cookies) != 1 {
		t.Fatalf("sign in: %d %s, %d cookies", w.Code, w.Body, len(cookies))
	}
	return cookies[0]
}

// A browser that signed in may do what its key may do, and no page of another origin can make use of it.
func TestSession(t *testing.T) {
	k := newKeyed(t)
	viewer := k.create(t, keyring.Spec{Role: "viewer", Name: "vic"})
	cookie := k.signIn(t, viewer)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || strings.Contains(cookie.Value, viewer) || cookie.Secure {
		t.Errorf("the cookie is %+v: want one that no script reads and no other site sends, without the key; Secure needs TLS", cookie)
	}
	for _, c := range []struct {
		method, path, body, origin string
		cookie                     *http.Cookie
		status                     int
		want                       string
	}{
		{"GET", "/v1/session", "", "", cookie, 200, `"signed_in":true`},
		{"GET", "/v1/session", "", "", nil, 200, `"signed_in":false`},
		{"GET", "/v1/profiles", "", "", cookie, 200, `"profiles"`},
		{"GET", "/v1/profiles", "", "", nil, 401, `"no_key"`},
		{"GET", "/v1/stats", "", "", cookie, 403, `"wrong_scope"`},
		{"POST", "/v1/assertions", `{"verb":"force","a":"email:a@b.c","b":"email:d@e.f"}`, "http://example.com", cookie, 403, `"wrong_scope"`},
		{"GET", "/v1/profiles", "", "https://evil.example", cookie, 403, `"cross_origin"`},
		{"POST", "/v1/session", `{"key":"` + viewer + `"}`, "https://evil.example", nil, 403, `"cross_origin"`},
		{"DELETE", "/v1/session", "", "https://evil.example", cookie, 403, `"cross_origin"`},
		{"POST", "/v1/batch", `{"batch":[]}`, "https://evil.example", cookie, 401, `"no_key"`}, // pages of any site may send events
		{"POST", "/v1/session", `{"key":"rk_` + strings.Repeat("a", 43) + `"}`, "", nil, 401, `"unknown_key"`},
		{"POST", "/v1/session", `{"key":""}`, "", nil, 401, `"no_key"`},
		{"POST", "/v1/session", `{"key":"` + k.create(t, keyring.Spec{Kind: keyring.Write, Name: "web"}) + `"}`, "", nil, 403, "the console needs profiles:read"},
	} {
		w := k.browse(c.method, c.path, c.body, c.cookie, c.origin)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) {
			t.Errorf("%s %s %s from %q: %d %s; want %d with %s", c.method, c.path, c.body, c.origin, w.Code, w.Body, c.status, c.want)
		}
		if strings.Contains(w.Body.String(), viewer) {
			t.Errorf("%s %s: the answer has the key", c.method, c.path)
		}
	}
	if w := k.browse("DELETE", "/v1/session", "", cookie, "http://example.com"); w.Code != 200 || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("sign out: %d %s", w.Code, w.Body)
	}
	if w := k.browse("GET", "/v1/profiles", "", cookie, ""); w.Code != 401 {
		t.Errorf("after signing out: %d", w.Code)
	}
}

// A session ends with its key, and after its time. A key that a request shows counts before the session.
func TestSessionsEnd(t *testing.T) {
	k := newKeyed(t)
	ends := k.create(t, keyring.Spec{Role: "viewer", Name: "vic", Expires: k.now + time.Minute.Milliseconds()})
	expiring, revoked := k.signIn(t, ends), k.signIn(t, k.create(t, keyring.Spec{Role: "engineer", Name: "eve"}))
	for _, cookie := range []*http.Cookie{expiring, revoked} {
		if w := k.browse("GET", "/v1/profiles", "", cookie, ""); w.Code != 200 {
			t.Errorf("signed in: %d %s", w.Code, w.Body)
		}
	}
	for _, key := range k.keys.List() {
		if key.Name == "eve" {
			if _, err := k.keys.Revoke(context.Background(), key.ID, keyring.All()); err != nil {
				t.Fatal(err)
			}
		}
	}
	k.now += time.Minute.Milliseconds()
	for _, cookie := range []*http.Cookie{expiring, revoked} {
		if w := k.browse("GET", "/v1/profiles", "", cookie, ""); w.Code != 401 {
			t.Errorf("its key has ended: %d %s", w.Code, w.Body)
		}
		if w := k.browse("GET", "/v1/session", "", cookie, ""); !strings.Contains(w.Body.String(), `"signed_in":false`) {
			t.Errorf("its key has ended: %s", w.Body)
		}
	}
	r := httptest.NewRequest("GET", "/v1/stats", nil)
	r.AddCookie(k.signIn(t, k.admin))
	r.Header.Set("Authorization", "Bearer "+k.create(t, keyring.Spec{Role: "viewer", Name: "vi"}))
	w := httptest.NewRecorder()
	if k.server.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("with a key beside the session: %d; want the key to count", w.Code)
	}
}

// A deployment without keys asks nobody to sign in.
func TestOpenSession(t *testing.T) {
	w := newWorld(t, nil)
	w.get("/v1/session").want(t, 200, `"open":true`, `"graph:admin"`)
}
