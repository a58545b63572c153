package access

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
)

// Caller is who sends a request, as far as a Gate knows.
type Caller struct {
	ID     string        // of the key, or a name for a person; empty on an open server
	Scopes keyring.Scope // what the caller may do

	key     *keyring.Key // nil for a person, and on an open server
	until   time.Time    // of a person: when the token expires
	session *Session     // of a browser that shows nothing else; nil without one
	gate    *Gate
	need    Need
	shown   credentials
	pending bool     // the key may stand in the body
	refused *Refusal // its events may be kept aside, and not be taken
}

type callerKey struct{}

// CallerOf returns the caller of a request that a Gate has let in. Without a Gate nobody may do anything.
func CallerOf(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{gate: New(Config{}), pending: true}
}

// enter finds the key of the caller, and checks its scope and its rate.
func (c *Caller) enter(ctx context.Context, w http.ResponseWriter) *Refusal {
	perSecond, refusal := c.identify(ctx)
	if refusal == nil {
		refusal = c.mayEnter()
	}
	if refusal == nil {
		refusal = c.gate.limits.take(w.Header(), c.ID, perSecond)
	}
	if refusal != nil {
		return c.gate.refuse(refusal)
	}
	return nil
}

// identify finds out who the caller is, and how many requests it may make in a second. A key counts before a token, and a
// session where there is neither.
func (c *Caller) identify(ctx context.Context) (perSecond int, refusal *Refusal) {
	if s := c.session; s != nil {
		c.ID, c.Scopes, c.key, c.until = s.id, s.Scopes, s.key, s.Until
		return s.perSecond(c.gate), nil
	}
	if c.shown.key() == "" && c.gate.People.isToken(c.shown.bearer) {
		person, refusal := c.gate.People.find(ctx, c.shown.bearer)
		c.ID, c.Scopes, c.until = person.id, person.scopes, person.until
		return c.gate.bounds.Load().PerSecond, refusal
	}
	key, refusal := c.gate.find(&c.shown)
	if refusal != nil {
		c.mayBeKept(key, refusal)
		return 0, refusal
	}
	c.ID, c.Scopes, c.key = key.ID, key.Scopes, key
	return cmp.Or(key.PerSecond, c.gate.bounds.Load().PerSecond), nil
}

// mayBeKept marks a refusal as one whose events may be kept aside. Those of a request without any key may
// not: nothing says that its sender means this server.
func (c *Caller) mayBeKept(key *keyring.Key, refusal *Refusal) {
	if !c.need.Events || !c.gate.bounds.Load().SetAside || refusal.Code == document.CodeNoKey || key != nil && !key.Scopes.Has(c.need.Scope) {
		return
	}
	if refusal.Aside = true; key != nil {
		refusal.Source = key.Source
	}
}

func (c *Caller) mayEnter() *Refusal {
	if c.Scopes.Has(c.need.Scope) {
		return nil
	}
	return &Refusal{
		Code: document.CodeWrongScope, Detail: "the route needs " + c.need.Scope.String() + "; this key has " + c.Scopes.String(),
		Challenge: scopeChallenge + strconv.Quote(c.need.Scope.String()),
	}
}

// SourceOf names the system that sent events. It is the last step of Gate.Admit for a request whose key stands in the body
// (A1), so a handler of events calls it before it takes any.
//
// The source is that of the write key. A key of another kind may send events for any system, so the request names it. On an
// open server it is what stands where a write key would.
func (c *Caller) SourceOf(ctx context.Context, w http.ResponseWriter, bodyKey []byte) (string, *Refusal) {
	if c.refused != nil {
		return "", c.refused
	}
	c.shown.body = string(bodyKey)
	if c.pending {
		if refusal := c.enter(ctx, w); refusal != nil {
			return "", refusal
		}
		c.pending = false
	}
	switch {
	case c.key == nil:
		return sourceName(c.shown.named()), nil
	case c.key.Source != "":
		return c.key.Source, nil
	}
	for _, text := range [...]string{c.shown.basic, c.shown.writeKey, c.shown.body, c.shown.query} {
		if name := withoutSecret(text); name != "" && !keyring.Is(name) {
			return sourceName(name), nil
		}
	}
	return c.key.Name, nil
}
