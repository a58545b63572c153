package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/twmb/franz-go/pkg/sr"
	"golang.org/x/oauth2/clientcredentials"
)

// Bounds of what the client holds.
const (
	fetchShare          = 8         // of the queues' bytes: what one fetch has, compressed. Each broker may have one
	fetchLeast          = 128 << 10 // of one fetch
	fetchPartitionBytes = 1 << 20   // of one partition in it
	decompressBytes     = 256 << 20 // of one batch of records, inflated
	letterRecords       = 10_000    // dead letters under way
)

// clientOptions are those of all clients.
func (c *Config) clientOptions(logger *slog.Logger) ([]kgo.Opt, error) {
	opts := []kgo.Opt{
		kgo.SeedBrokers(c.Brokers...),
		kgo.ClientID(c.ClientID),
		kgo.WithLogger(clientLogger{logger}),
	}
	if c.dialer != nil {
		opts = append(opts, kgo.Dialer(c.dialer))
	}
	if c.TLS.enabled() {
		config, err := c.TLS.config()
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.DialTLSConfig(config))
	}
	if mechanism := c.SASL.mechanism(); mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, nil
}

// consumeOptions are those of the client that reads. Control records are kept, as they take offsets
// too: else a partition that ends with one would never be handled to its end.
func (c *Config) consumeOptions() []kgo.Opt {
	fetch := int32(max(fetchLeast, queueOr(c.QueueBytes)/fetchShare))
	opts := []kgo.Opt{
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()), // C3: nothing is skipped
		kgo.FetchMaxBytes(fetch),
		kgo.FetchMaxPartitionBytes(min(fetch, fetchPartitionBytes)),
		kgo.MaxDecompressBatchBytes(decompressBytes),
	}
	if c.Rack != "" {
		opts = append(opts, kgo.Rack(c.Rack))
	}
	return opts
}

// produceOptions are those of the client that writes dead letters. It may write one twice, and says when it
// can't write: an idempotent producer would neither, but wait for ever.
func produceOptions() []kgo.Opt {
	return []kgo.Opt{
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.MaxBufferedRecords(letterRecords),
		kgo.ProducerBatchMaxBytes(16 << 20), // what a topic takes is up to its max.message.bytes
		kgo.DisableIdempotentWrite(),
		kgo.RecordRetries(8), // then it is said, and tried again
	}
}

func (t TLS) config() (*tls.Config, error) {
	config := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pool, err := certificates(t.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = pool
	}
	if t.CertFile != "" {
		if _, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile); err != nil {
			return nil, fmt.Errorf("kafka: tls: %w", err)
		}
		// Read at each connection, so that it may be renewed.
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
			return &pair, err
		}
	}
	return config, nil
}

func certificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("kafka: tls: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("kafka: tls: %s holds no certificates in PEM", path)
	}
	return pool, nil
}

// secret is what a file holds, or what was given in its place.
func secret(path, given string) (string, error) {
	if path == "" {
		return given, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("kafka: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// mechanism is how this client says who it is; nil when it does not.
func (s *SASL) mechanism() sasl.Mechanism {
	login := func() (user, password string, err error) {
		password, err = secret(s.PasswordFile, s.password)
		return s.User, password, err
	}
	switch s.Mechanism {
	case saslPlain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			user, password, err := login()
			return plain.Auth{User: user, Pass: password}, err
		})
	case saslScram256, saslScram512:
		auth := func(context.Context) (scram.Auth, error) {
			user, password, err := login()
			return scram.Auth{User: user, Pass: password}, err
		}
		if s.Mechanism == saslScram256 {
			return scram.Sha256(auth)
		}
		return scram.Sha512(auth)
	case saslOAuth:
		return oauth.Oauth(s.token())
	}
	return nil
}

// token gives the token for the next connection.
func (s *SASL) token() func(context.Context) (oauth.Auth, error) {
	if s.TokenFile != "" {
		return func(context.Context) (oauth.Auth, error) {
			token, err := secret(s.TokenFile, "")
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
		password, err := secret(s.PasswordFile, s.password)
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

// tokenMargin is how long before it expires a token is not used any more.
const tokenMargin = 30 * time.Second

type cachedToken struct {
	text  string
	until time.Time
}

// schemas asks the schema registry; nil when there is none.
func (c *Config) schemas() (*record.Schemas, error) {
	if len(c.SchemaRegistry.URLs) == 0 {
		return nil, nil
	}
	r := &c.SchemaRegistry
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if r.CAFile != "" {
		pool, err := certificates(r.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	opts := []sr.ClientOpt{sr.URLs(r.URLs...), sr.HTTPClient(&http.Client{Timeout: askTimeout, Transport: transport}), sr.UserAgent(DefaultClientID)}
	if r.User != "" {
		password, err := secret(r.PasswordFile, "")
		if err != nil {
			return nil, err
		}
		opts = append(opts, sr.BasicAuth(r.User, password))
	}
	client, err := sr.NewClient(opts...)
	if err != nil {
		return nil, errors.Join(errors.New("kafka: schema registry"), err)
	}
	return record.NewSchemas(client), nil
}

// discard is for clients of commands, which say themselves what is wrong.
var discard = slog.New(slog.DiscardHandler)

// clientLogger passes on the errors of the client library. What it warns of, brokers that do not answer above
// all, is in the consumer's status, and said once.
type clientLogger struct{ logger *slog.Logger }

// Level implements kgo.Logger.
func (l clientLogger) Level() kgo.LogLevel { return kgo.LogLevelError }

// Log implements kgo.Logger.
func (l clientLogger) Log(level kgo.LogLevel, msg string, args ...any) {
	if level == kgo.LogLevelError {
		l.logger.Error("kafka client: "+msg, args...)
	}
}
