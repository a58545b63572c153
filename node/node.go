package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
)

// Kindred is one running Kindred. It owns the order in which parts start and stop, and nothing else: each part is a few
// lines in a file of its own, and the engine, the server, the consumer and the publisher know nothing of each other.
//
//	listener ──► admin ──► directory ──► latency ──► cluster ──► publisher ──► consumer ──► api ──► refits ──► http
//
// Parts start from left to right and stop from right to left.
//
//   - A part starts after the parts that it uses, and stops before them. So inputs stop before the engine closes, and the
//     events that they handed over are durable by then (N6).
//   - The address is bound first and served last: an address in use is found before a directory is created (N1), and a
//     request that arrives early waits instead of being refused.
//   - Start and Stop are safe to call twice, in any order, from any goroutine. Methods that hand out a part are valid
//     between them.
//
// A tree of contexts that cancels everything at once would be shorter, but it would cut off requests and records in
// progress, and clients would send them again after every restart.
type Kindred struct {
	config    Config
	directory *directory
	publisher *publishing
	consumer  consuming
	http      *endpoint
	admin     adminListener
	letters   *letters.Letters // of events that HTTP refused; nil: they are not kept
	refits    func()           // stops the refits

	stopMeasuring func() // stops the measurement of latency

	mu      sync.Mutex // held while parts start and stop; guards the following
	running []part     // in the order in which they started
	level   slog.Level // of the log, as the settings last had it
}

// part is one part of a Kindred. stop may take as long as patience, and reports work that was cut off. start either
// succeeds, or leaves nothing running: Start stops only the parts before it.
type part struct {
	name     string
	start    func(context.Context) error
	stop     func(context.Context) error
	patience time.Duration
}

// Bounds of stopping.
const (
	drainTimeout  = 30 * time.Second // for requests and records in progress
	failedTimeout = 2 * time.Second  // for the same, once the engine has failed
	closeTimeout  = 2 * time.Minute  // for the last writes of the engine
)

// New returns a Kindred that is not running yet, or a *ConfigError.
func New(c Config) (*Kindred, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	k := &Kindred{config: c, http: &endpoint{address: c.Listen, logger: c.Logger}}
	if c.LogLevel != nil {
		k.level = c.LogLevel.Level()
	}
	return k, nil
}

// Open is New and Start.
func Open(ctx context.Context, c Config) (*Kindred, error) {
	k, err := New(c)
	if err != nil {
		return nil, err
	}
	return k, k.Start(ctx)
}

// parts returns the parts of this Kindred in the order in which they start.
func (k *Kindred) parts() []part {
	all := []part{
		{"directory", k.openDirectory, k.closeDirectory, closeTimeout},
		{"latency", k.startLatency, k.stopLatency, drainTimeout},
	}
	if k.config.Cluster != nil {
		all = append(all, part{"cluster", k.startCluster, k.stopCluster, drainTimeout})
	}
	if k.config.Publish.on() {
		all = append(all, part{"publisher", k.startPublishing, k.stopPublishing, drainTimeout})
	}
	if k.config.Kafka != nil {
		all = append(all, part{"consumer", k.startConsuming, k.consumer.stop, drainTimeout})
	}
	all = append(all, part{"api", k.makeServer, k.closeLetters, drainTimeout})
	if k.config.Refit {
		all = append(all, part{"refits", k.startRefits, k.stopRefits, drainTimeout})
	}
	if k.config.AdminListen != "" { // before the directory: a long recovery can be looked at
		all = append([]part{{"admin listener", k.startAdmin, k.admin.stop, failedTimeout}}, all...)
	}
	if k.config.Listen != "" {
		listen := part{"listener", k.listen, k.http.unlisten, 0}
		serve := part{"http", k.http.serve, k.http.drain, drainTimeout}
		all = append(append([]part{listen}, all...), serve)
	}
	return all
}

// Start starts every part and returns when all are running. If a part fails, it stops the others again (N3). ctx bounds
// only the start.
func (k *Kindred) Start(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.running) > 0 {
		return nil
	}
	for _, p := range k.parts() {
		if err := p.start(ctx); err != nil {
			return errors.Join(err, k.stopLocked(context.WithoutCancel(ctx)))
		}
		k.running = append(k.running, p)
	}
	return nil
}

// Stop refuses new events, completes those in progress, and closes the directory. It stops every part, even after a
// part failed to stop, and returns the first error.
func (k *Kindred) Stop(ctx context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.running) == 0 {
		return nil
	}
	err := k.stopLocked(ctx)
	if err == nil {
		k.config.Logger.Info("stopped")
	}
	return err
}

// stopLocked stops the running parts, the last part first.
//
// REQUIRES: k.mu held
func (k *Kindred) stopLocked(ctx context.Context) (first error) {
	for n := len(k.running) - 1; n >= 0; n-- {
		p := k.running[n]
		k.running = k.running[:n]
		// Without patience the context has ended already: such a part has nothing to wait for.
		bounded, cancel := context.WithTimeout(ctx, p.patience)
		if err := p.stop(bounded); err != nil && first == nil {
			first = fmt.Errorf("stop the %s: %w", p.name, err)
		}
		cancel()
	}
	return first
}

// Wait returns nil once ctx ends, and an error as soon as this Kindred can no longer do its work: the engine failed, or
// the HTTP server ended.
//
// REQUIRES: started
func (k *Kindred) Wait(ctx context.Context) error {
	engine := k.directory.engine
	select {
	case err := <-k.http.broken:
		return fmt.Errorf("serve: %w", err)
	case <-engine.Failed():
		return engine.Err()
	case <-ctx.Done():
		k.config.Logger.Info("stopping", "wait_at_most", drainTimeout.String())
		return nil
	}
}

// URL returns the address of the HTTP server.
//
// REQUIRES: Config.Listen was given
func (k *Kindred) URL() string {
	scheme := "http://"
	if k.http.certificate != nil {
		scheme = "https://"
	}
	return scheme + k.http.listener.Addr().String()
}

// Handler answers requests of the HTTP interface in this process. Without a listener it asks for no key: the caller has opened
// the directory, and may do everything.
func (k *Kindred) Handler() http.Handler { return k.http.server }

// Engine returns the engine of the open directory.
func (k *Kindred) Engine() *actors.Engine { return k.directory.engine }

// Registry returns the reader of identifiers under the rules in force.
func (k *Kindred) Registry() *identifier.Registry { return k.directory.registry }

// Rules returns the rules in force.
func (k *Kindred) Rules() *graph.Rules { return k.directory.rules.Rules }

// Into returns the destination of ingest: the engine, and the options of decoders. live means that events arrive as
// they happen.
func (k *Kindred) Into(live bool) ingest.Into { return k.directory.into(live) }
