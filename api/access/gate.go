package access

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/prometheus/client_golang/prometheus"
)

// Need is what a route asks of its callers.
type Need struct {
	Scope  keyring.Scope
	Events bool // the route takes events: its key may stand in X-Write-Key, in the body or in the query
}

// Refusal says why a request is not served. Package route makes a problem of it.
type Refusal struct {
	Code       document.Code
	Detail     string
	Hint       string // empty: that of the code
	RetryAfter int    // seconds; 0 is no header
	Challenge  string // header WWW-Authenticate; empty is no header

	// Aside says that the handler may keep the events of the request for an operator, though it takes none
	// (Bounds.SetAside). Source is then that of the key, if the key was one once.
	Aside  bool
	Source string
}

// Config says whom a gate lets in. The zero value lets everybody in, for a handler that only its own process reaches.
type Config struct {
	// Keys are the access keys of the deployment. Nil: no key is asked for. While there are none, everybody may do everything
	// (A3).
	Keys *keyring.Keyring
	// People are let in by an identity provider, beside keys. Nil: nobody is.
	People *People
	Bounds
}

// Bounds are what may change of a gate while requests pass it.
type Bounds struct {
	// Hosts are the names that the server answers for. Nil: every name.
	Hosts *Hosts
	// PerSecond is how many requests a key may make in a second, unless the key itself has a number. 0, the default: as many
	// as come.
	PerSecond int
	// SetAside lets the events of a write key that is not known, has expired or was revoked be kept for an operator.
	SetAside bool
}

// Gate lets requests in. Any number of goroutines use it.
type Gate struct {
	Keys     *keyring.Keyring
	People   *People
	bounds   atomic.Pointer[Bounds]
	limits   limits
	sessions sessions
	refusals *prometheus.CounterVec
}

// New makes a gate.
func New(c Config) *Gate {
	g := &Gate{
		Keys: c.Keys, People: c.People, limits: limits{of: map[string]*limiter{}},
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kindred_http_refusals_total", Help: "Requests that were not let in, by reason.",
		}, []string{"code"}),
	}
	g.Bound(c.Bounds)
	return g
}

// Bound replaces the bounds, for requests from now on.
func (g *Gate) Bound(b Bounds) { g.bounds.Store(&b) }

// Collector has the metrics of the gate: labels are codes (A2).
func (g *Gate) Collector() prometheus.Collector { return g.refusals }

// Open reports whether everybody may do everything.
func (g *Gate) Open() bool { return g.Keys == nil || g.Keys.Empty() && g.People == nil }

// Admit lets a request of a route in, and returns it with its Caller in the context. For events without a key in the headers it
// leaves the decision to Caller.SourceOf.
func (g *Gate) Admit(w http.ResponseWriter, r *http.Request, need Need) (*http.Request, *Refusal) {
	shown := headersOf(r, need.Events)
	caller := &Caller{gate: g, need: need, shown: shown}
	if shown.none() && !need.Events {
		caller.session = g.SessionOf(r)
	}
	switch {
	case g.Open():
		caller.Scopes = keyring.All()
	case need.Events && shown.headerKey() == "" && !g.People.isToken(shown.bearer):
		caller.pending = true
	default:
		refusal := caller.enter(r.Context(), w)
		if refusal != nil && !refusal.Aside {
			return nil, refusal
		}
		caller.refused = refusal // for SourceOf to say
	}
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)), nil
}

// headerKey is the key in the headers, which count before the body. REQUIRES: the body was not read yet
func (c credentials) headerKey() string {
	c.query = ""
	return c.key()
}

// Refuse counts a refusal.
func (g *Gate) refuse(refusal *Refusal) *Refusal {
	g.refusals.WithLabelValues(string(refusal.Code)).Inc()
	return refusal
}

// challenges of RFC 6750. Basic is not among them: a browser would ask its user for a password.
const (
	challenge      = `Bearer realm="kindred"`
	badToken       = challenge + `, error="invalid_token"`
	scopeChallenge = challenge + `, error="insufficient_scope", scope=`
)

// find returns the key that a request shows, or says why it does not count, with the key that it once was.
func (g *Gate) find(shown *credentials) (*keyring.Key, *Refusal) {
	if shown.none() {
		return nil, &Refusal{Code: document.CodeNoKey, Challenge: challenge}
	}
	key, err := g.Keys.Find(shown.key())
	switch {
	case err == nil:
		return key, nil
	case errors.Is(err, keyring.ErrExpired):
		return key, &Refusal{Code: document.CodeKeyExpired, Detail: "the key " + key.ID + " has expired", Challenge: badToken}
	case errors.Is(err, keyring.ErrRevoked):
		return key, &Refusal{Code: document.CodeKeyRevoked, Detail: "the key " + key.ID + " was revoked", Challenge: badToken}
	}
	return nil, &Refusal{Code: document.CodeUnknownKey, Challenge: badToken}
}

// CheckHost refuses a request for a name that is not the server's: a page can make a browser send requests to this server
// under a name of its own (DNS rebinding), and they are of the page's own origin then.
func (g *Gate) CheckHost(r *http.Request) *Refusal {
	if hosts := g.bounds.Load().Hosts; hosts == nil || hosts.allow(r.Host) {
		return nil
	}
	return g.refuse(&Refusal{Code: document.CodeWrongHost})
}
