package broker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kindred-id/kindred/internal/redact"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/oauth2/clientcredentials"
)

// SASL describes how this client authenticates. The zero value does not authenticate.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty means no authentication.
	Mechanism    string `yaml:"mechanism"`
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"` // read at each connection, so that it may change
	// TokenFile holds the token of OAUTHBEARER, and is read at each connection.
	TokenFile string `yaml:"token_file"`
	// TokenURL issues tokens to User, the client's id, whose secret is the password.
	TokenURL string   `yaml:"token_url"`
	Scopes   []string `yaml:"scopes"`
	// Password counts without a PasswordFile. Settings files can't contain it: it comes from the environment.
	Password redact.Secret `yaml:"-"`
}

// The mechanisms of SASL.
const (
	Plain    = "PLAIN"
	Scram256 = "SCRAM-SHA-256"
	Scram512 = "SCRAM-SHA-512"
	OAuth    = "OAUTHBEARER"
)

// Check reports contradictory settings.
func (s *SASL) Check() error {
	switch s.Mechanism {
	case "":
		if s.User != "" || s.PasswordFile != "" || s.TokenFile != "" || s.TokenURL != "" {
			return errors.New("kafka: sasl: a user, a password or a token, and no mechanism: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER")
		}
	case Plain, Scram256, Scram512:
		if s.User == "" || s.PasswordFile == "" && s.Password.Empty() {
			return fmt.Errorf("kafka: sasl: %s needs user and password_file (or KINDRED_KAFKA_PASSWORD)", s.Mechanism)
		}
	case OAuth:
		if (s.TokenFile == "") == (s.TokenURL == "") {
			return errors.New("kafka: sasl: OAUTHBEARER needs token_file or token_url, and not both")
		}
		if s.TokenURL != "" && (s.User == "" || s.PasswordFile == "" && s.Password.Empty()) {
			return errors.New("kafka: sasl: token_url needs user and password_file: the client's id and its secret")
		}
	default:
		return fmt.Errorf("kafka: sasl: mechanism %q: want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER", s.Mechanism)
	}
	return nil
}

// mechanism returns how this client authenticates; nil if it does not.
func (s *SASL) mechanism() sasl.Mechanism {
	login := func() (user, password string, err error) {
		password, err = Secret(s.PasswordFile, s.Password.Reveal())
		return s.User, password, err
	}
	switch s.Mechanism {
	case Plain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			user, password, err := login()
			return plain.Auth{User: user, Pass: password}, err
		})
	case Scram256, Scram512:
		auth := func(context.Context) (scram.Auth, error) {
			user, password, err := login()
			return scram.Auth{User: user, Pass: password}, err
		}
		if s.Mechanism == Scram256 {
			return scram.Sha256(auth)
		}
		return scram.Sha512(auth)
	case OAuth:
		return oauth.Oauth(s.token())
	}
	return nil
}

// token returns the source of tokens for new connections. Of a token service, one is kept and used until shortly before
// it expires. mu is held while the service is asked: connections that open at once wait for one token, instead of
// asking for one each.
func (s *SASL) token() func(context.Context) (oauth.Auth, error) {
	if s.TokenFile != "" {
		return func(context.Context) (oauth.Auth, error) {
			token, err := Secret(s.TokenFile, "")
			if err == nil && token == "" {
				err = fmt.Errorf("kafka: %s holds no token", s.TokenFile)
			}
			return oauth.Auth{Token: token}, err
		}
	}
	var mu sync.Mutex
	var current *cachedToken
	return func(ctx context.Context) (oauth.Auth, error) {
		mu.Lock()
		defer mu.Unlock()
		if current != nil && time.Now().Before(current.until) {
			return oauth.Auth{Token: current.text}, nil
		}
		password, err := Secret(s.PasswordFile, s.Password.Reveal())
		if err != nil {
			return oauth.Auth{}, err
		}
		source := clientcredentials.Config{ClientID: s.User, ClientSecret: password, TokenURL: s.TokenURL, Scopes: s.Scopes}
		token, err := source.Token(ctx)
		if err != nil {
			return oauth.Auth{}, fmt.Errorf("kafka: ask %s for a token: %w", s.TokenURL, err)
		}
		current = &cachedToken{token.AccessToken, token.Expiry.Add(-tokenMargin)}
		return oauth.Auth{Token: token.AccessToken}, nil
	}
}

// tokenMargin is how long before its expiry a token is no longer used.
const tokenMargin = 30 * time.Second

// cachedToken is a token, and until when it is used: tokenMargin before it expires, as a broker checks it after the
// network.
type cachedToken struct {
	text  string
	until time.Time
}
