package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
)

// sessions are the browsers that people signed in with. A browser shows a cookie, which no script can read, in place of the
// key or ID token that it signed in with. They end with the process: people sign in again.
//
//   - len(of) <= sessionsMost: beyond it, the session that ends first makes room.
//   - A session is found by the hash of its cookie (A2).
//   - It may do what its key or token may do at the moment of each request, and ends with it.
type sessions struct {
	mu sync.Mutex // guards the following
	of map[[sha256.Size]byte]*Session
}

const (
	sessionCookie   = "kindred_session"
	sessionLifetime = 12 * time.Hour
	sessionsMost    = 4096 // some 300 bytes each
)

// Session is somebody who signed in with a browser.
type Session struct {
	Name   string        // of the key; that of a person is not known
	Scopes keyring.Scope // what its requests may do
	Until  time.Time     // when it ends at the latest

	id  string       // of the caller, for limits
	key *keyring.Key // nil for a person
}

// SignIn makes a session of the key or the ID token that a person shows, and gives its cookie to the browser. It needs the
// right to read profiles: the console shows nothing without.
func (g *Gate) SignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, secret string) (*Session, *Refusal) {
	s, refusal := g.newSession(ctx, secret)
	if refusal != nil {
		quiet := *refusal    // others may hold it
		quiet.Challenge = "" // a browser's page asks, not the browser
		return nil, g.refuse(&quiet)
	}
	text := make([]byte, sha256.Size)
	_, _ = rand.Read(text) // never fails
	g.sessions.add(sha256.Sum256(text), s, time.Now())
	setCookie(w, r, base64.RawURLEncoding.EncodeToString(text), 0)
	return s, nil
}

func (g *Gate) newSession(ctx context.Context, secret string) (*Session, *Refusal) {
	s := &Session{Until: time.Now().Add(sessionLifetime)}
	if g.People.isToken(secret) {
		p, refusal := g.People.find(ctx, secret)
		if refusal != nil {
			return nil, refusal
		}
		s.id, s.Scopes = p.id, p.scopes
		if p.until.Before(s.Until) {
			s.Until = p.until
		}
	} else {
		if g.Keys == nil {
			return nil, &Refusal{Code: document.CodeUnknownKey}
		}
		key, refusal := g.find(&credentials{bearer: secret})
		if refusal != nil {
			return nil, refusal
		}
		s.id, s.Name, s.Scopes, s.key = key.ID, key.Name, key.Scopes, key
	}
	if !s.Scopes.Has(keyring.ReadProfiles) {
		return nil, &Refusal{Code: document.CodeWrongScope, Detail: "the console needs " + keyring.ReadProfiles.String() + "; this key has " + s.Scopes.String()}
	}
	return s, nil
}

// SignOut ends the session of a request, and takes its cookie back.
func (g *Gate) SignOut(w http.ResponseWriter, r *http.Request) {
	if hash, ok := cookieOf(r); ok {
		g.sessions.end(hash)
	}
	setCookie(w, r, "", -1)
}

// SessionOf returns the session of a request; nil if it has none, or one that has ended.
func (g *Gate) SessionOf(r *http.Request) *Session {
	hash, ok := cookieOf(r)
	if !ok {
		return nil
	}
	s := g.sessions.find(hash)
	if s == nil || time.Until(s.Until) <= 0 || s.key != nil && g.Keys.Left(s.key) <= 0 {
		return nil
	}
	return s
}

// perSecond is how many requests the session may make in a second, together with all others that show its key.
func (s *Session) perSecond(g *Gate) int {
	if s.key != nil && s.key.PerSecond != 0 {
		return s.key.PerSecond
	}
	return g.bounds.Load().PerSecond
}

func (s *sessions) add(hash [sha256.Size]byte, made *Session, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[[sha256.Size]byte]*Session{}
	}
	if len(s.of) >= sessionsMost {
		s.makeRoom(now)
	}
	s.of[hash] = made
}

// makeRoom takes out the sessions that have ended; if there are none, the one that ends first.
func (s *sessions) makeRoom(now time.Time) {
	first := [sha256.Size]byte{}
	var ends time.Time
	for hash, known := range s.of {
		if !now.Before(known.Until) {
			delete(s.of, hash)
		} else if ends.IsZero() || known.Until.Before(ends) {
			first, ends = hash, known.Until
		}
	}
	if len(s.of) >= sessionsMost {
		delete(s.of, first)
	}
}

func (s *sessions) find(hash [sha256.Size]byte) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of[hash]
}

func (s *sessions) end(hash [sha256.Size]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, hash)
}

// cookieOf returns the hash of the session's cookie. A browser may have one of another server on this host as well, because
// cookies know no ports: then it sends both under one name, and none of them counts but the first that has the form.
func cookieOf(r *http.Request) (hash [sha256.Size]byte, ok bool) {
	cookies := r.CookiesNamed(sessionCookie)
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return len(c.Value) == base64.RawURLEncoding.EncodedLen(sha256.Size) })
	if i < 0 {
		return hash, false
	}
	text, err := base64.RawURLEncoding.DecodeString(cookies[i].Value)
	return sha256.Sum256(text), err == nil
}

// setCookie sets the session's cookie; age -1 takes it back. No other site's page makes a browser send it (SameSite), no script
// reads it (HttpOnly), and it never goes over a connection without TLS if it came over one with it.
func setCookie(w http.ResponseWriter, r *http.Request, value string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where the browser came by TLS: a server on loopback has none
		Name: sessionCookie, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https",
	})
}
