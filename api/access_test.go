package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/access"
	"github.com/kindred-id/kindred/api/route"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// public and the scopes of routes, a line a route: a new route has to be added here by somebody who has thought about it.
const public keyring.Scope = 0

var scopesOfRoutes = map[string]keyring.Scope{
	"GET /livez":        public,
	"GET /healthz":      public,
	"GET /readyz":       public,
	"GET /openapi.json": public,
	"GET /docs":         public,
	"GET /metrics":      keyring.Operate,

	// They tell about nobody but the asker. The files of the console are no routes: everybody may load them, they are in the binary.
	"GET /v1/session":    public,
	"POST /v1/session":   public,
	"DELETE /v1/session": public,

	"POST /v1/m":                               public,
	"GET /v1/projects/{writeKey}/settings":     public,
	"GET /sourceConfig":                        public,
	"POST /v1/batch":                           keyring.WriteEvents,
	"POST /v1/map/{mapping}":                   keyring.WriteEvents,
	"POST /v1/identify":                        keyring.WriteEvents,
	"POST /v1/track":                           keyring.WriteEvents,
	"POST /v1/page":                            keyring.WriteEvents,
	"POST /v1/screen":                          keyring.WriteEvents,
	"POST /v1/group":                           keyring.WriteEvents,
	"POST /v1/alias":                           keyring.WriteEvents,
	"POST /com.snowplowanalytics.snowplow/tp2": keyring.WriteEvents,
	"GET /i":                                   keyring.WriteEvents,
	"GET /pixel/v1/track":                      keyring.WriteEvents,
	"GET /pixel/v1/page":                       keyring.WriteEvents,
	"GET /api/px/{type}":                       keyring.WriteEvents,

	"GET /v1/profiles/{id}":             keyring.ReadProfiles,
	"GET /v1/profiles/{id}/groups":      keyring.ReadProfiles,
	"GET /v1/groups":                    keyring.ReadProfiles,
	"GET /v1/groups/{id}":               keyring.ReadProfiles,
	"GET /v1/groups/{id}/members":       keyring.ReadProfiles,
	"GET /v1/debug/events":              keyring.ReadProfiles,
	"GET /v1/profiles/{id}/traits":      keyring.ReadProfiles,
	"GET /v1/profiles/{id}/identifiers": keyring.ReadProfiles,
	"GET /v1/profiles/{id}/events":      keyring.ReadProfiles,
	"GET /v1/profiles/{id}/orders":      keyring.ReadProfiles,
	"GET /v1/profiles":                  keyring.ReadProfiles,
	"GET /v1/profiles/{id}/why":         keyring.ReadProfiles,
	"GET /v1/profiles/{id}/how":         keyring.ReadProfiles,
	"GET /v1/profiles/{id}/assertions":  keyring.ReadProfiles,
	"POST /v1/profiles:batchGet":        keyring.ReadProfiles,
	"GET /v1/rules":                     keyring.ReadProfiles,
	"GET /v1/audiences":                 keyring.ReadProfiles,
	"GET /v1/traits":                    keyring.ReadProfiles,
	"POST /v1/audiences/{key}/draw":     keyring.ReadProfiles,
	"POST /v1/audiences:preview":        keyring.ReadProfiles,
	"GET /v1/audiences/{key}/members":   keyring.ReadProfiles,
	"GET /v1/profiles/{id}/audiences":   keyring.ReadProfiles,
	"GET /v1/scores/parameters":         keyring.ReadProfiles,
	"GET /v1/export":                    keyring.ReadProfiles,
	"GET /v1/changes":                   keyring.ReadProfiles,
	"GET /v1/scores/report":             keyring.ReadProfiles,

	"GET /v1/spaces/{space}/collections/users/profiles/{id}/traits":       keyring.ReadProfiles,
	"GET /v1/spaces/{space}/collections/users/profiles/{id}/external_ids": keyring.ReadProfiles,
	"GET /v1/spaces/{space}/collections/users/profiles/{id}/events":       keyring.ReadProfiles,
	"GET /v1/spaces/{space}/collections/users/profiles/{id}/metadata":     keyring.ReadProfiles,
	"GET /v1/spaces/{space}/collections/users/profiles/{id}/links":        keyring.ReadProfiles,

	"POST /v1/assertions":                   keyring.AdministerGraph,
	"GET /v1/admin/keys":                    keyring.AdministerGraph,
	"POST /v1/admin/keys":                   keyring.AdministerGraph,
	"POST /v1/admin/keys/{key}/rotate":      keyring.AdministerGraph,
	"DELETE /v1/admin/keys/{key}":           keyring.AdministerGraph,
	"GET /v1/stats":                         keyring.Operate,
	"GET /v1/cluster":                       keyring.Operate,
	"POST /v1/cluster/nodes/{node}/drain":   keyring.Operate,
	"DELETE /v1/cluster/nodes/{node}/drain": keyring.Operate,
	"DELETE /v1/cluster/nodes/{node}":       keyring.Operate,
	"POST /v1/cluster/backup":               keyring.Operate,
	"GET /v1/cluster/backup":                keyring.Operate,
	"POST /v1/audiences:apply":              keyring.DefineAudiences,
	"POST /v1/traits:apply":                 keyring.DefineAudiences,
	"GET /v1/changes/receivers":             keyring.Operate,
	"GET /v1/topics/positions":              keyring.Operate,
	"POST /v1/topics/positions:seek":        keyring.Operate,
	"DELETE /v1/changes/receivers/{name}":   keyring.Operate,
	"POST /v1/scores/fit":                   keyring.Operate,
	"POST /v1/admin/backup":                 keyring.Operate,
	"GET /v1/deadletters":                   keyring.Operate,
	"GET /v1/deadletters/{number}":          keyring.Operate,
	"DELETE /v1/deadletters/{number}":       keyring.Operate,
	"POST /v1/deadletters/{number}/resend":  keyring.Operate,
}

// keyed is a server whose deployment has keys.
type keyed struct {
	*world
	keys  *keyring.Keyring
	now   int64
	admin string
}

func newKeyed(t *testing.T) *keyed {
	t.Helper()
	k := &keyed{now: 1_000_000}
	var err error
	if k.keys, err = keyring.Open(catalog.New(storage.NewMemStore(), nil), func() int64 { return k.now }); err != nil {
		t.Fatal(err)
	}
	k.admin = k.create(t, keyring.Spec{Kind: keyring.Admin, Name: "ann"})
	k.world = newWorld(t, func(c *Config) { c.Keys, c.Access = k.keys, gateOf(k.keys) })
	return k
}

func gateOf(keys *keyring.Keyring) *access.Gate { return access.New(access.Config{Keys: keys}) }

func (k *keyed) create(t *testing.T, s keyring.Spec) string {
	t.Helper()
	_, secret, err := k.keys.Create(context.Background(), s, keyring.All())
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// ask sends a request with a key, empty for none.
func (k *keyed) ask(method, path, body, key string) answer {
	k.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	ctx, cancel := context.WithCancel(r.Context())
	cancel() // streams would go on for ever
	if !strings.HasPrefix(path, "/v1/changes") && !strings.HasPrefix(path, "/v1/debug") {
		ctx = r.Context()
	}
	return k.do(r.WithContext(ctx))
}

// Every route, at every path, lets in the keys that have its scope, and no other request.
func TestScopesOfRoutes(t *testing.T) {
	k := newKeyed(t)
	create := func(s keyring.Scope) string {
		return k.create(t, keyring.Spec{Kind: keyring.Read, Name: "x", Scopes: s})
	}
	expired := k.create(t, keyring.Spec{Kind: keyring.Admin, Name: "x", Expires: k.now + 1})
	revoked := k.create(t, keyring.Spec{Kind: keyring.Admin, Name: "x"})
	k.now++
	for _, key := range k.keys.List() {
		if key.Expires == 0 && key.Name == "x" {
			if _, err := k.keys.Revoke(context.Background(), key.ID, keyring.All()); err != nil {
				t.Fatal(err)
			}
		}
	}
	scopes := map[string]keyring.Scope{create(keyring.All()): keyring.All()}
	for bit := range 5 {
		only := keyring.Scope(1 << bit)
		scopes[create(only)] = only
		scopes[create(keyring.All()&^only)] = keyring.All() &^ only
	}
	write := k.create(t, keyring.Spec{Kind: keyring.Write, Name: "shop"})
	scopes[write] = keyring.WriteEvents

	seen := map[string]bool{}
	for _, rt := range k.server.Routes() {
		name := rt.Method + " " + rt.Path
		want, known := scopesOfRoutes[name]
		if !known {
			t.Errorf("%s is not in the table of scopes", name)
		}
		seen[name] = true
		if rt.Scope != want || rt.Public != (want == public) {
			t.Errorf("%s has the scope %q, want %q", name, rt.Scope, want)
		}
		for _, path := range append([]string{rt.Path}, rt.Aliases...) {
			k.tryRoute(t, rt, path, scopes, map[string]string{
				"": `"no_key"`, expired: `"key_expired"`, revoked: `"key_revoked"`, k.admin[:54] + "!": `"unknown_key"`, "shop": `"unknown_key"`,
				"rk_" + k.admin[3:]: `"unknown_key"`,
			})
		}
	}
	for name := range scopesOfRoutes {
		if !seen[name] {
			t.Errorf("the table has %s, and the server does not", name)
		}
	}
}

// tryRoute asks a path with each of some keys. A request that is let in may fail for other reasons.
func (k *keyed) tryRoute(t *testing.T, rt route.Route, path string, scopes map[string]keyring.Scope, refused map[string]string) {
	t.Helper()
	path = strings.NewReplacer("{type}", "track", "{writeKey}", "k", "{id}", "user_id:u", "{name}", "x", "{key}", "0000000000000000").Replace(path)
	body := `{"type":"page","userId":"u","previousId":"p","event":"x","messageId":"m"}`
	if strings.Contains(path, "snowplow") {
		body = `{"data":[{"e":"pv","uid":"u","eid":"m"}]}`
	}
	letIn := func(a answer) bool {
		return a.status != 401 && (a.status != 403 || !strings.Contains(a.body, `"wrong_scope"`))
	}
	for key, scope := range scopes {
		a := k.ask(rt.Method, path, body, key)
		if want := rt.Public || scope.Has(rt.Scope); letIn(a) != want {
			t.Errorf("%s %s with %q: %d %s", rt.Method, path, scope, a.status, a.body)
		} else if !want && (a.status != 403 || !strings.Contains(a.header.Get("WWW-Authenticate"), `scope="`+rt.Scope.String()+`"`)) {
			t.Errorf("%s %s with %q: %v", rt.Method, path, scope, a.header)
		}
	}
	for key, code := range refused {
		a := k.ask(rt.Method, path, body, key)
		switch {
		case rt.Public && letIn(a):
		case rt.Public, a.status != 401, !strings.Contains(a.body, code), !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer "):
			t.Errorf("%s %s with %q: %d %s", rt.Method, path, key, a.status, a.body)
		}
	}
}

// A refused request has done nothing, the source of a write key is that of its events, and no key is logged, counted, stored
// or shown.
func TestWriteKeys(t *testing.T) {
	k := newKeyed(t)
	key := k.create(t, keyring.Spec{Kind: keyring.Write, Name: "web shop", Source: "shop-web"})
	event := func(id, key string) string {
		return `{"writeKey":"` + key + `","batch":[{"type":"page","userId":"u","messageId":"` + id + `"}]}`
	}
	k.ask("POST", "/v1/batch", event("m1", "old"), "").want(t, 401, `"unknown_key"`)
	k.ask("POST", "/v1/batch", event("m2", ""), "").want(t, 401, `"no_key"`)
	k.ask("POST", "/v1/batch", event("m3", key), "").want(t, 200, `"accepted":1`)
	k.ask("GET", "/pixel/v1/page?userId=u&messageId=m4&writeKey="+key, "", "").want(t, 200)
	k.ask("GET", "/pixel/v1/page?userId=u&messageId=m5", "", "").want(t, 401)
	k.ask("POST", "/v1/page", `{"userId":"u","messageId":"m6"}`, k.admin).want(t, 200)
	a := k.ask("GET", "/v1/profiles/user_id:u/events", "", k.admin)
	a.want(t, 200)
	if strings.Count(a.body, `"source":"shop-web"`) != 2 || strings.Count(a.body, `"source":"ann"`) != 1 || strings.Count(a.body, `"source"`) != 3 {
		t.Error(a.body)
	}
	k.ask("GET", "/v1/projects/"+key+"/settings", "", "").want(t, 200, key) // to the client that sent it
	all := k.log.String() + a.body + k.ask("GET", "/metrics", "", k.admin).body
	for _, secret := range []string{key, k.admin} {
		if strings.Contains(all, secret[3:20]) {
			t.Errorf("a key shows in %s", all)
		}
	}
	if !strings.Contains(all, `kindred_http_refusals_total{code="no_key"} 2`) {
		t.Error("refusals are not counted")
	}
}

// A page that makes its own name point to the server gets nothing (DNS rebinding), nor does a page of another origin.
func TestHostsAndOrigins(t *testing.T) {
	hosts, err := access.NewHosts([]string{"kindred.example"})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *Config) { c.Access = access.New(access.Config{Bounds: access.Bounds{Hosts: hosts}}) })
	ask := func(method, path, host, origin string) answer {
		r := httptest.NewRequest(method, path, strings.NewReader(`{"type":"page","userId":"u"}`))
		if r.Host = host; origin != "" {
			r.Header.Set("Origin", origin)
		}
		return w.do(r)
	}
	for _, path := range []string{"/v1/export", "/v1/profiles/user_id:u", "/livez", "/metrics", "/nowhere"} {
		ask("GET", path, "evil.example:8080", "http://evil.example:8080").want(t, 421, `"wrong_host"`, "--allowed-hosts")
	}
	ask("POST", "/v1/batch", "evil.example", "").want(t, 421)
	ask("OPTIONS", "/v1/batch", "evil.example", "http://evil.example").want(t, 421)
	for _, host := range []string{"127.0.0.1:8080", "[::1]:8080", "localhost", "kindred.example:443"} {
		ask("GET", "/v1/export", host, "").want(t, 200)
		ask("GET", "/v1/export", host, "http://"+host).want(t, 200)
		ask("GET", "/v1/export", host, "http://evil.example").want(t, 403, `"cross_origin"`)
		ask("GET", "/v1/export", host, "null").want(t, 403, `"cross_origin"`)
		ask("POST", "/v1/assertions", host, "http://evil.example").want(t, 403, `"cross_origin"`)
		ask("POST", "/v1/batch", host, "http://shop.example").want(t, 200)
	}
}

// A server does not start with a route that does not say who may call it.
func TestRoutesSayWhoMayCall(t *testing.T) {
	for _, rt := range []route.Route{{Method: http.MethodGet, Path: "/x"}, {Method: http.MethodGet, Path: "/x", Public: true, Scope: keyring.Operate}} {
		if rt.Check() == nil {
			t.Errorf("%+v", rt)
		}
	}
}

// A stream ends when the key of its reader is revoked or expires, and when a server that was open gets its first key.
func TestStreamsEndWithTheirKeys(t *testing.T) {
	w := newWorldWith(t, 4, graph.DefaultRules(), feed.Settings{On: true}, nil)
	keys, err := keyring.Open(w.engine.Catalog(), w.engine.Now)
	if err != nil {
		t.Fatal(err)
	}
	k := &keyed{world: w, keys: keys}
	w.reconfigure(func(c *Config) { c.Keys, c.Access = keys, gateOf(keys) })
	follow := func(key string) (ended chan struct{}) {
		t.Helper()
		began, ended := make(chan struct{}), make(chan struct{})
		r := httptest.NewRequest("GET", "/v1/changes", nil)
		r.Header.Set("Authorization", "Bearer "+key)
		go func() {
			defer close(ended)
			w.server.ServeHTTP(&beginWriter{ResponseRecorder: httptest.NewRecorder(), began: began}, r)
		}()
		<-began
		return ended
	}
	open := follow("")
	admin := k.create(t, keyring.Spec{Kind: keyring.Admin, Name: "ann"})
	<-open
	other := follow(admin)
	reader, key, err := keys.Create(t.Context(), keyring.Spec{Kind: keyring.Read, Name: "bi"}, keyring.All())
	if err != nil {
		t.Fatal(err)
	}
	ended := follow(key)
	if _, err := keys.Revoke(t.Context(), reader.ID, keyring.All()); err != nil {
		t.Fatal(err)
	}
	<-ended
	select {
	case <-other:
		t.Error("the stream of another key has ended, too")
	default:
	}
	for _, key := range keys.List() {
		if _, err := keys.Revoke(t.Context(), key.ID, keyring.All()); err != nil {
			t.Fatal(err)
		}
	}
	<-other
}

// beginWriter tells when the first byte was flushed.
type beginWriter struct {
	*httptest.ResponseRecorder
	once  sync.Once
	began chan struct{}
}

func (w *beginWriter) Flush() { w.once.Do(func() { close(w.began) }) }
