package access

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"golang.org/x/time/rate"
)

// Provider is an identity provider (OpenID Connect) whose people a server lets in, by the ID tokens that it signs for them.
type Provider struct {
	Issuer   string // its address, as it stands in tokens
	Audience string // the client id for which tokens have to be made
	// Claim names the claim with the roles of a person: a text or a list of texts. A dot leads into an object, as in
	// realm_access.roles. Default: roles.
	Claim string
	// Roles are roles by value of the claim. Nil, the default: the values are the names of roles. Other values grant nothing.
	Roles map[string]string
}

// On reports whether there is a provider.
func (p *Provider) On() bool { return p.Issuer != "" }

const defaultClaim = "roles"

// Bounds of what a provider is asked.
const (
	providerTimeout = 10 * time.Second
	tokenBytesMax   = 16 << 10
	fetchEvery      = 2 * time.Second // requests to the provider: a token of an unknown key asks for its keys again
	fetchBurst      = 4
)

// People lets people in by their ID tokens.
//
// The provider is asked for its keys when the first token comes and when a token has a key that is not known, never when the
// server starts: events are taken while the provider is away. Tokens are then refused with 503, because nobody knows whether
// they are good. A bounded rate of requests to the provider keeps strangers with made-up tokens from flooding it.
type People struct {
	Provider
	client *http.Client

	mu       sync.Mutex // guards the following; held while the provider is discovered
	verifier *oidc.IDTokenVerifier
	keys     *providerKeys
}

// NewPeople checks a provider's settings. It asks nobody.
func NewPeople(p Provider) (*People, error) {
	u, err := url.Parse(p.Issuer)
	var errs []error
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "127.0.0.1" && u.Hostname() != "localhost") {
		errs = append(errs, fmt.Errorf("issuer %q: want https://HOST/PATH, as the provider writes it in tokens", p.Issuer))
	}
	if p.Audience == "" {
		errs = append(errs, errors.New("issuer without an audience: want the client id that tokens are made for"))
	}
	for value, role := range p.Roles {
		if _, err := keyring.Role(role).Scopes(); err != nil {
			errs = append(errs, fmt.Errorf("role of %q: %w", value, err))
		}
	}
	if p.Claim == "" {
		p.Claim = defaultClaim
	}
	limited := &limitedTransport{next: http.DefaultTransport, limit: rate.NewLimiter(rate.Every(fetchEvery), fetchBurst)}
	return &People{Provider: p, client: &http.Client{Transport: limited, Timeout: providerTimeout}}, errors.Join(errs...)
}

// isToken reports whether a Bearer has the form of a token.
func (p *People) isToken(bearer string) bool {
	return p != nil && len(bearer) <= tokenBytesMax && strings.Count(bearer, ".") == 2
}

// person is somebody whom a provider vouches for.
type person struct {
	id     string // a hash: the name of a person is no text for a log
	scopes keyring.Scope
	until  time.Time
}

// find returns the person that a token was made for.
func (p *People) find(ctx context.Context, token string) (person, *Refusal) {
	verifier, keys, err := p.discovered(ctx)
	if err != nil {
		return person{}, unreachable
	}
	verdict := new(error)
	verified, err := verifier.Verify(context.WithValue(ctx, fetchFailure{}, verdict), token)
	var expired *oidc.TokenExpiredError
	switch {
	case errors.As(err, &expired):
		return person{}, &Refusal{Code: document.CodeBadToken, Detail: "the ID token has expired", Challenge: badToken}
	case err != nil && keys.unreachable(*verdict):
		return person{}, unreachable
	case err != nil:
		return person{}, &Refusal{Code: document.CodeBadToken, Challenge: badToken}
	}
	var claims map[string]any
	if err := verified.Claims(&claims); err != nil {
		return person{}, &Refusal{Code: document.CodeBadToken, Challenge: badToken}
	}
	sum := sha256.Sum256([]byte(verified.Issuer + "\x00" + verified.Subject))
	found := person{"person:" + hex.EncodeToString(sum[:8]), p.scopes(claims), verified.Expiry}
	if found.scopes == 0 {
		return found, &Refusal{Code: document.CodeNoRole, Detail: "the claim " + p.Claim + " of the ID token has no role of this server"}
	}
	return found, nil
}

var unreachable = &Refusal{Code: document.CodeProviderDown, RetryAfter: int(fetchEvery / time.Second)}

// discovered returns a verifier of tokens, and asks the provider for its settings the first time.
func (p *People) discovered(ctx context.Context) (*oidc.IDTokenVerifier, *providerKeys, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verifier != nil {
		return p.verifier, p.keys, nil
	}
	// Without the request's cancellation: a client that goes away must not make the next one wait for the same again.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), p.client)
	provider, err := oidc.NewProvider(ctx, p.Issuer)
	if err != nil {
		return nil, nil, err
	}
	var found struct {
		KeysURL    string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&found); err != nil {
		return nil, nil, err
	}
	signed := slices.DeleteFunc(found.Algorithms, func(name string) bool { return !slices.Contains(publicAlgorithms, name) })
	p.keys = &providerKeys{oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), p.client), found.KeysURL)}
	p.verifier = oidc.NewVerifier(p.Issuer, p.keys, &oidc.Config{ClientID: p.Audience, SupportedSigningAlgs: signed})
	return p.verifier, p.keys, nil
}

// publicAlgorithms sign with a private key. One that signs with a shared secret, or with nothing, does not suit a server that
// anybody can send tokens to.
var publicAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// scopes returns the permissions of the roles in a token.
func (p *People) scopes(claims map[string]any) (scopes keyring.Scope) {
	for _, value := range textsOf(claimOf(claims, p.Claim)) {
		role := value
		if p.Roles != nil {
			role = p.Roles[value]
		}
		if s, err := keyring.Role(role).Scopes(); err == nil {
			scopes |= s
		}
	}
	return scopes
}

// claimOf finds a claim by its name, which may have dots, or else by the path that its dots make.
func claimOf(claims map[string]any, name string) any {
	if value, ok := claims[name]; ok {
		return value
	}
	head, rest, more := strings.Cut(name, ".")
	inner, ok := claims[head].(map[string]any)
	if !more || !ok {
		return nil
	}
	return claimOf(inner, rest)
}

func textsOf(value any) (texts []string) {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, element := range v {
			if text, ok := element.(string); ok {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

// providerKeys are the keys of a provider. They note whether it could be asked: the verifier says why a token is refused in
// words alone.
type providerKeys struct{ oidc.KeySet }

type fetchFailure struct{}

// VerifySignature implements oidc.KeySet.
func (k *providerKeys) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(ctx, token)
	if verdict, ok := ctx.Value(fetchFailure{}).(*error); ok {
		*verdict = err
	}
	return payload, err
}

// unreachable reports whether a signature could not be verified because the provider did not give its keys.
func (k *providerKeys) unreachable(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "fetching keys")
}

// limitedTransport bounds the requests to a provider.
type limitedTransport struct {
	next  http.RoundTripper
	limit *rate.Limiter
}

var errTooOften = errors.New("the identity provider was asked too often")

// RoundTrip implements http.RoundTripper.
func (t *limitedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.limit.Allow() {
		return nil, errTooOften
	}
	return t.next.RoundTrip(r)
}
