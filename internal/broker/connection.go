package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Connection says which brokers to reach, and how. Brokers are required; the zero value of everything else is its default.
type Connection struct {
	Brokers  []string // host:port; the client learns of the others from these
	ClientID string   // the name that brokers log and meter by; default DefaultClientID
	TLS      TLS
	SASL     SASL
	// Dial replaces TCP, for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultClientID is the name by which brokers know this client.
const DefaultClientID = "kindred"

// Check reports contradictory settings, and files that cannot be read. It connects to nothing.
func (c *Connection) Check() error {
	_, err := c.Options(nil)
	return err
}

// Options are the client library's options for this connection. Errors of the library go to logger, which may be nil.
func (c *Connection) Options(logger *slog.Logger) ([]kgo.Opt, error) {
	if err := errors.Join(c.TLS.Check(), c.SASL.Check()); err != nil {
		return nil, err
	}
	id := c.ClientID
	if id == "" {
		id = DefaultClientID
	}
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	opts := []kgo.Opt{kgo.SeedBrokers(c.Brokers...), kgo.ClientID(id), kgo.WithLogger(clientLogger{logger})}
	if c.Dial != nil {
		opts = append(opts, kgo.Dialer(c.Dial))
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

// Client makes a client, with more options beside those of the connection. It connects when it is used.
func (c *Connection) Client(logger *slog.Logger, more ...kgo.Opt) (*kgo.Client, error) {
	opts, err := c.Options(logger)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(append(opts, more...)...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return client, nil
}

// clientLogger passes on the errors of the client library, and drops its warnings: brokers that do not answer, the most
// frequent of them, show in the status of the consumer or publisher, which says so once.
type clientLogger struct{ logger *slog.Logger }

// Level implements kgo.Logger.
func (l clientLogger) Level() kgo.LogLevel { return kgo.LogLevelError }

// Log implements kgo.Logger.
func (l clientLogger) Log(level kgo.LogLevel, msg string, args ...any) {
	if level == kgo.LogLevelError {
		l.logger.Error("kafka client: "+msg, args...)
	}
}
