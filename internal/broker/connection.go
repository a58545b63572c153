package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Connection describes which brokers to reach, and how. Brokers are required; the zero value of every other field is its default.
type Connection struct {
	Brokers  []string // host:port; the client learns the others from these
	ClientID string   // under which brokers log and meter; default DefaultClientID
	TLS      TLS
	SASL     SASL
	// Dial replaces TCP, for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultClientID is the name by which brokers know this client.
const DefaultClientID = "kindred"

// Check reports contradictory settings and unreadable files. It does not connect.
func (c *Connection) Check() error {
	_, err := c.Options(nil)
	return err
}

// Options returns the client library's options for this connection. Errors of the library go to logger, which may be nil.
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

// Client returns a client with further options. It connects on first use.
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

// clientLogger forwards the errors of the client library, and drops its warnings: the most frequent, unreachable
// brokers, show once in the status of the consumer or publisher.
type clientLogger struct{ logger *slog.Logger }

// Level implements kgo.Logger.
func (l clientLogger) Level() kgo.LogLevel { return kgo.LogLevelError }

// Log implements kgo.Logger.
func (l clientLogger) Log(level kgo.LogLevel, msg string, args ...any) {
	if level == kgo.LogLevelError {
		l.logger.Error("kafka client: "+msg, args...)
	}
}
