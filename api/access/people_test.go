package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"golang.org/x/time/rate"
)

// provider is an identity provider of our own.
type provider struct {
	*httptest.Server
	t    *testing.T
	key  *ecdsa.PrivateKey
	name string // of the key
	down atomic.Bool
	asks atomic.Int64
}

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	p.rotate("k1")
	mux := http.NewServeMux()
	answer := func(path string, body func() any) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			p.asks.Add(1)
			if p.down.Load() {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body())
		})
	}
	answer("/.well-known/openid-configuration", func() any {
		return map[string]any{
			"issuer": p.URL, "jwks_uri": p.URL + "/keys", "authorization_endpoint": p.URL, "token_endpoint": p.URL,
			"id_token_signing_alg_values_supported": []string{"none", "HS256", "ES256"},
		}
	})
	answer("/keys", func() any {
		point, err := p.key.PublicKey.Bytes()
		if err != nil {
			p.t.Error(err)
		}
		x, y := point[1:33], point[33:]
		return map[string]any{"keys": []any{map[string]any{
			"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": p.name, "x": text64(x), "y": text64(y),
		}}}
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func text64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// rotate makes the provider sign with another key.
func (p *provider) rotate(name string) {
	p.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	p.key, p.name = key, name
}

// token makes a token with these claims over the usual ones.
func (p *provider) token(header map[string]any, claims map[string]any) string {
	p.t.Helper()
	h := map[string]any{"alg": "ES256", "kid": p.name, "typ": "JWT"}
	c := map[string]any{"iss": p.URL, "aud": "kindred", "sub": "ann@example.com", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "roles": []string{"viewer"}}
	for name, value := range header {
		h[name] = value
	}
	for name, value := range claims {
		c[name] = value
	}
	head, _ := json.Marshal(h)
	body, _ := json.Marshal(c)
	text := text64(head) + "." + text64(body)
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	new(big.Int).Set(s).FillBytes(signature[32:])
	return text + "." + text64(signature)
}

// people is a gate that lets in the people of a provider. A test asks more often than a server would.
func (p *provider) people(roles map[string]string, claim string) *Gate {
	p.t.Helper()
	people, err := NewPeople(Provider{Issuer: p.URL, Audience: "kindred", Roles: roles, Claim: claim})
	if err != nil {
		p.t.Fatal(err)
	}
	people.client.Transport.(*limitedTransport).limit = rate.NewLimiter(rate.Inf, 1)
	return New(Config{Keys: newKeys(p.t), People: people})
}

func admit(g *Gate, bearer string, scope keyring.Scope) (*Caller, document.Code) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+bearer)
	r, refusal := g.Admit(httptest.NewRecorder(), r, Need{Scope: scope})
	if refusal != nil {
		return nil, refusal.Code
	}
	return CallerOf(r.Context()), ""
}

// A token of the provider, for this server, not expired and signed, lets in with the scopes of its roles.
func TestPeople(t *testing.T) {
	p, other := newProvider(t), newProvider(t)
	g := p.people(nil, "")
	valid := p.token(nil, nil)
	parts := strings.Split(valid, ".")
	claims := func(c map[string]any) string { return p.token(nil, c) }
	for name, c := range map[string]struct {
		token string
		scope keyring.Scope
		want  document.Code
	}{
		"viewer reads":        {valid, keyring.ReadProfiles, ""},
		"viewer asserts":      {valid, keyring.AdministerGraph, document.CodeWrongScope},
		"admin":               {claims(map[string]any{"roles": "admin"}), keyring.All(), ""},
		"two roles":           {claims(map[string]any{"roles": []string{"privacy", "engineer"}}), keyring.ErasePeople | keyring.Operate, ""},
		"audience in a list":  {claims(map[string]any{"aud": []string{"x", "kindred"}}), keyring.ReadProfiles, ""},
		"no role":             {claims(map[string]any{"roles": []any{"staff", 1}}), keyring.ReadProfiles, document.CodeNoRole},
		"no claim":            {claims(map[string]any{"roles": nil}), keyring.ReadProfiles, document.CodeNoRole},
		"expired":             {claims(map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}), keyring.ReadProfiles, document.CodeBadToken},
		"not yet valid":       {claims(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}), keyring.ReadProfiles, document.CodeBadToken},
		"another audience":    {claims(map[string]any{"aud": "shop"}), keyring.ReadProfiles, document.CodeBadToken},
		"another issuer":      {other.token(nil, nil), keyring.ReadProfiles, document.CodeBadToken},
		"signed by another":   {other.token(map[string]any{"kid": "k1"}, map[string]any{"iss": p.URL}), keyring.ReadProfiles, document.CodeBadToken},
		"no signature":        {parts[0] + "." + parts[1] + ".", keyring.ReadProfiles, document.CodeBadToken},
		"algorithm none":      {text64([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", keyring.ReadProfiles, document.CodeBadToken},
		"algorithm of a text": {p.token(map[string]any{"alg": "HS256"}, nil), keyring.ReadProfiles, document.CodeBadToken},
		"changed":             {parts[0] + "." + text64([]byte(`{"roles":"admin"}`)) + "." + parts[2], keyring.ReadProfiles, document.CodeBadToken},
		"unknown key":         {p.token(map[string]any{"kid": "k9"}, nil), keyring.ReadProfiles, ""}, // the signature counts, not the name of a key
		"no token":            {"x.y", keyring.ReadProfiles, document.CodeUnknownKey},
	} {
		caller, code := admit(g, c.token, c.scope)
		if name == "unknown key" && code == document.CodeBadToken {
			continue // a name that the provider does not know is enough to refuse
		}
		if code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
		if caller != nil && (!strings.HasPrefix(caller.ID, "person:") || strings.Contains(caller.ID, "ann")) {
			t.Errorf("%s: caller %q", name, caller.ID)
		}
	}
	if g.Open() {
		t.Error("a server with a provider is open, because it has no keys")
	}
}

func TestClaims(t *testing.T) {
	p := newProvider(t)
	for _, c := range []struct {
		claim  string
		claims map[string]any
		want   document.Code
	}{
		{"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []string{"crm-admins"}}}, ""},
		{"https://kindred.example/roles", map[string]any{"https://kindred.example/roles": "crm-admins"}, ""},
		{"groups", map[string]any{"groups": []string{"crm-admins"}}, ""},
		{"groups", map[string]any{"groups": []string{"admin"}}, document.CodeNoRole}, // only what the table names
		{"a.b.c", map[string]any{"a": map[string]any{"b": "crm-admins"}}, document.CodeNoRole},
	} {
		g := p.people(map[string]string{"crm-admins": "admin"}, c.claim)
		if _, code := admit(g, p.token(nil, c.claims), keyring.AdministerGraph); code != c.want {
			t.Errorf("%+v: %q", c, code)
		}
	}
}

// While the provider is away, tokens are refused for now and keys are valid. Its new key is asked for when a token has it.
func TestProviderAway(t *testing.T) {
	p := newProvider(t)
	g := p.people(nil, "")
	key := create(t, g.Keys, keyring.Spec{Kind: keyring.Admin, Name: "ann"})
	p.down.Store(true)
	token := p.token(nil, nil)
	if _, code := admit(g, token, keyring.ReadProfiles); code != document.CodeProviderDown {
		t.Errorf("before it was ever there: %q", code)
	}
	if _, code := admit(g, key, keyring.ReadProfiles); code != "" {
		t.Errorf("a key: %q", code)
	}
	p.down.Store(false)
	if _, code := admit(g, token, keyring.ReadProfiles); code != "" {
		t.Errorf("once it is there: %q", code)
	}
	p.down.Store(true)
	if _, code := admit(g, token, keyring.ReadProfiles); code != "" {
		t.Errorf("its keys are known: %q", code)
	}
	p.rotate("k2")
	token = p.token(nil, nil)
	if code := admitSoon(g, token, document.CodeProviderDown); code != document.CodeProviderDown {
		t.Errorf("a new key while it is away: %q", code)
	}
	p.down.Store(false)
	if code := admitSoon(g, token, ""); code != "" {
		t.Errorf("a new key: %q", code)
	}
}

// admitSoon asks until it gets the wanted answer, and returns the last one. For a moment after it has fetched keys, the library
// answers the next request with the same ones instead of fetching again.
func admitSoon(g *Gate, token string, want document.Code) (code document.Code) {
	for range 1000 {
		if _, code = admit(g, token, keyring.ReadProfiles); code == want {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return code
}

// Made-up tokens don't flood the provider.
func TestProviderIsAskedRarely(t *testing.T) {
	p := newProvider(t)
	g := p.people(nil, "")
	g.People.client.Transport.(*limitedTransport).limit = rate.NewLimiter(rate.Every(time.Hour), fetchBurst)
	valid := p.token(nil, nil)
	if _, code := admit(g, valid, keyring.ReadProfiles); code != "" {
		t.Fatal(code)
	}
	for range 20 {
		admit(g, p.token(map[string]any{"kid": rand.Text()}, nil), keyring.ReadProfiles)
	}
	if n := p.asks.Load(); n > fetchBurst {
		t.Errorf("%d requests", n)
	}
	if _, code := admit(g, valid, keyring.ReadProfiles); code != "" {
		t.Errorf("a known key: %q", code)
	}
}

// A person with the scope sends events; the request names their source.
func TestPeopleSendEvents(t *testing.T) {
	p := newProvider(t)
	g := p.people(nil, "")
	r := httptest.NewRequest("POST", "/v1/batch", nil)
	r.Header.Set("Authorization", "Bearer "+p.token(nil, map[string]any{"roles": "engineer"}))
	w := httptest.NewRecorder()
	r, refusal := g.Admit(w, r, Need{Scope: keyring.WriteEvents, Events: true})
	if refusal != nil {
		t.Fatal(refusal)
	}
	if source, refusal := CallerOf(r.Context()).SourceOf(r.Context(), w, []byte("shop")); source != "shop" || refusal != nil {
		t.Error(source, refusal)
	}
}

func TestProviderSettings(t *testing.T) {
	for _, c := range []struct {
		p    Provider
		good bool
	}{
		{Provider{Issuer: "https://id.example/realm", Audience: "kindred"}, true},
		{Provider{Issuer: "http://localhost:1", Audience: "kindred", Roles: map[string]string{"a": "admin"}}, true},
		{Provider{Issuer: "http://id.example", Audience: "kindred"}, false},
		{Provider{Issuer: "id.example", Audience: "kindred"}, false},
		{Provider{Issuer: "https://id.example"}, false},
		{Provider{Issuer: "https://id.example", Audience: "kindred", Roles: map[string]string{"a": "root"}}, false},
	} {
		if _, err := NewPeople(c.p); (err == nil) != c.good {
			t.Errorf("%+v: %v", c.p, err)
		}
	}
}
