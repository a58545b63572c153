package admin

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// keyRoutes manage access keys. A change is durable before it is answered, and each is logged with the id of the key that asked
// for it. No log has a key or a name of one.
func (a *Admin) keyRoutes() []route.Route {
	change := []document.Code{document.CodeBadParameter, document.CodeInvalidBody, document.CodeBodyTooLarge, document.CodeCrossOrigin, document.CodeBusy, document.CodeEngineFailed}
	routes := []route.Route{
		{
			Method: "GET", Path: "/v1/admin/keys", Handler: a.getKeys,
			Summary: "List the access keys, the newest first", Answers: answer(document.AccessKeys{}), Problems: []document.Code{document.CodeBadParameter},
			Parameters: []route.Parameter{route.Limit(keyring.MaxKeys, keyring.MaxKeys, "keys in a page"), route.Cursor},
		},
		{
			Method: "POST", Path: "/v1/admin/keys", Handler: a.postKey, SameOrigin: true,
			Summary: "Make an access key", Notes: "The answer is the only place that shows the key. The first key has to be an admin key: from then on every request needs one. A caller can't make a key with more scopes than its own.",
			Bodies: []any{document.AccessKeyRequest{}}, Answers: answer(document.NewAccessKey{}),
			Problems: append([]document.Code{document.CodeBadKey, document.CodeFirstKey, document.CodeTooManyKeys}, change...),
		},
		{
			Method: "POST", Path: "/v1/admin/keys/{key}/rotate", Handler: a.postRotation, SameOrigin: true,
			Summary: "Make the successor of an access key", Notes: "The answer is the only place that shows the new key. The old one stays valid for the overlap.",
			Bodies: []any{document.RotationRequest{}}, Answers: answer(document.NewAccessKey{}),
			Problems: append([]document.Code{document.CodeBadKey, document.CodeNoSuchKey, document.CodeKeyEnded, document.CodeTooManyKeys}, change...),
		},
		{
			Method: "DELETE", Path: "/v1/admin/keys/{key}", Handler: a.deleteKey, SameOrigin: true,
			Summary: "Revoke an access key", Notes: "The key is refused from the moment of the answer. It stays in the list.",
			Answers:  answer(document.AccessKey{}),
			Problems: []document.Code{document.CodeBadParameter, document.CodeNoSuchKey, document.CodeCrossOrigin, document.CodeEngineFailed},
		},
	}
	for i := range routes {
		routes[i].Scope = keyring.AdministerGraph
		routes[i].Problems = append(routes[i].Problems, document.CodeUnknownRoute)
	}
	return routes
}

// getKeys answers GET /v1/admin/keys?limit=&cursor=. The cursor is the id of the last key, which the deployment never forgets.
func (a *Admin) getKeys(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Keys == nil {
		return noKeys()
	}
	limit, p := route.LimitParameter(r, keyring.MaxKeys, keyring.MaxKeys)
	if p != nil {
		return p
	}
	after, p := route.CursorParameter(r)
	if p != nil {
		return p
	}
	list := a.Keys.List()
	if after != "" {
		at := slices.IndexFunc(list, func(key keyring.Key) bool { return key.ID == after })
		if at < 0 {
			return route.BadCursor()
		}
		list = list[at+1:]
	}
	keys := document.AccessKeys{Keys: []document.AccessKey{}}
	if len(list) > limit {
		list = list[:limit]
		keys.Next = document.TextOrNull(route.NewCursor(list[limit-1].ID))
	}
	for i := range list {
		keys.Keys = append(keys.Keys, a.keyDocument(&list[i]))
	}
	return route.Send(w, keys)
}

// noKeys says that the server has no keyring, as in a test.
func noKeys() *route.Problem { return &route.Problem{Code: document.CodeUnknownRoute} }

// postKey answers POST /v1/admin/keys.
func (a *Admin) postKey(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Keys == nil {
		return noKeys()
	}
	var ask document.AccessKeyRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	scopes, err := keyring.ParseScopes(ask.Scopes)
	if err != nil {
		return keyProblem(err)
	}
	spec := keyring.Spec{
		Name: ask.Name, Kind: keyring.Kind(ask.Kind), Role: keyring.Role(ask.Role), Scopes: scopes, Source: ask.Source, PerSecond: ask.RatePerSecond,
	}
	if ask.ExpiresInSeconds != 0 {
		spec.Expires = a.Engine.Now() + seconds(ask.ExpiresInSeconds).Milliseconds()
	}
	by := access.CallerOf(r.Context())
	key, secret, err := a.Keys.Create(durable(r), spec, by.Scopes)
	if err != nil {
		return keyProblem(err)
	}
	a.Logger.Info("access key made", "key_id", key.ID, "kind", string(key.Kind), "scopes", key.Scopes.String(), "by", by.ID)
	return route.Send(w, document.NewAccessKey{Key: secret, AccessKey: a.keyDocument(&key)})
}

// postRotation answers POST /v1/admin/keys/{key}/rotate.
func (a *Admin) postRotation(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Keys == nil {
		return noKeys()
	}
	var ask document.RotationRequest
	if p := route.ReadJSON(w, r, &ask); p != nil {
		return p
	}
	old, by := r.PathValue("key"), access.CallerOf(r.Context())
	key, secret, err := a.Keys.Rotate(durable(r), old, seconds(ask.OverlapSeconds), by.Scopes)
	if err != nil {
		return keyProblem(err)
	}
	a.Logger.Info("access key rotated", "key_id", key.ID, "before", old, "overlap_seconds", ask.OverlapSeconds, "by", by.ID)
	return route.Send(w, document.NewAccessKey{Key: secret, AccessKey: a.keyDocument(&key)})
}

// deleteKey answers DELETE /v1/admin/keys/{key}.
func (a *Admin) deleteKey(w http.ResponseWriter, r *http.Request) *route.Problem {
	if a.Keys == nil {
		return noKeys()
	}
	by := access.CallerOf(r.Context())
	key, err := a.Keys.Revoke(durable(r), r.PathValue("key"), by.Scopes)
	if err != nil {
		return keyProblem(err)
	}
	a.Logger.Info("access key revoked", "key_id", key.ID, "by", by.ID)
	return route.Send(w, a.keyDocument(&key))
}

// durable is the context of a change: a client that goes away does not leave its change undecided.
func durable(r *http.Request) context.Context { return context.WithoutCancel(r.Context()) }

// seconds is a time, bounded so that it does not overflow.
func seconds(n int64) time.Duration {
	return time.Duration(min(max(n, -1), math.MaxInt64/int64(time.Second))) * time.Second
}

// keyProblem says why a keyring refuses a change.
func keyProblem(err error) *route.Problem {
	switch {
	case errors.Is(err, keyring.ErrSpec):
		return route.NewProblem(document.CodeBadKey, "%v", err)
	case errors.Is(err, keyring.ErrExceeds):
		return route.NewProblem(document.CodeWrongScope, "%v", err).WithHint("ask with a key that has these scopes itself")
	case errors.Is(err, keyring.ErrNoKey):
		return &route.Problem{Code: document.CodeNoSuchKey}
	case errors.Is(err, keyring.ErrEnded):
		return route.NewProblem(document.CodeKeyEnded, "%v", err)
	case errors.Is(err, keyring.ErrFirst):
		return route.NewProblem(document.CodeFirstKey, "%v", err)
	case errors.Is(err, keyring.ErrFull):
		return route.NewProblem(document.CodeTooManyKeys, "%v", err)
	}
	return route.EngineProblem(err)
}

func (a *Admin) keyDocument(k *keyring.Key) document.AccessKey {
	moment := func(ms int64) string {
		if ms == 0 {
			return ""
		}
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return document.AccessKey{
		ID: k.ID, Name: k.Name, Kind: string(k.Kind), Role: string(k.Role), Scopes: k.Scopes.Names(), Source: k.Source,
		State: k.State(a.Engine.Now()), Created: document.Time(moment(k.Created)), Expires: document.TimeOrNull(moment(k.Expires)),
		Revoked: document.TimeOrNull(moment(k.Revoked)), RatePerSecond: k.PerSecond, Successor: k.Successor,
	}
}
