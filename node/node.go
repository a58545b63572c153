package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/kafka"
)

// Kindred is one running Kindred. It owns the order in which parts start and stop, and nothing else: each part is a few
// lines in a file of its own, and the engine, the server, the consumer and the publisher know nothing of each other.
//
//   - A part starts after those that it uses, and stops before them. So inputs stop before the engine closes, and what
//     they handed over is durable by then (N6).
//   - The address is bound first and answered last: an address in use is found before a directory is made (N1), and a
//     request that arrives early waits instead of being refused.
//   - Start and Stop are safe to call twice, in any order, from any goroutine. Methods that hand out a part are valid
//     between them.
//
// A tree of contexts that cancels everything at once would be shorter, but would cut off requests and records under
// way, which then come again after every restart.
type Kindred struct {
	config    Config
	directory *directory
	listener  net.Listener
	publisher *publishing
	consumer  *kafka.Consumer
	server    *api.Server
	refits    func() // stops them
	serving   sync.WaitGroup
	broken    chan error // why the HTTP server ended by itself

	mu      sync.Mutex // held while parts start and stop; guards the following
	running []part     // in the order in which they started
}

// part is one part of a Kindred. stop may take as long as patience, and reports what was broken off.
type part struct {
	name     string
	start    func(context.Context) error
	stop     func(context.Context) error
	patience time.Duration
}

// Bounds of stopping.
const (
	drainTimeout  = 30 * time.Second // of requests and records under way
	failedTimeout = 2 * time.Second  // of these, once the engine has failed
	closeTimeout  = 2 * time.Minute  // of the engine's last writes
)

// New makes a Kindred that is not running yet. It fails with a *ConfigError.
func New(c Config) (*Kindred, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Kindred{config: c}, nil
}

// Open is New and Start.
func Open(ctx context.Context, c Config) (*Kindred, error) {
	k, err := New(c)
	if err != nil {
		return nil, err
	}
	return k, k.Start(ctx)
}

// parts are the parts of this Kindred, in the order in which they start.
func (k *Kindred) parts() []part {
	all := []part{{"directory", k.openDirectory, k.closeDirectory, closeTimeout}}
	if k.config.Publish.on() {
		all = append(all, part{"publisher", k.startPublishing, k.stopPublishing, drainTimeout})
	}
	if k.config.Kafka != nil {
		all = append(all, part{"consumer", k.startConsuming, k.stopConsuming, drainTimeout})
	}
	all = append(all, part{"api", k.makeServer, none, 0})
	if k.config.Refit {
		all = append(all, part{"refits", k.startRefits, k.stopRefits, drainTimeout})
	}
	if k.config.Listen != "" {
		listen := part{"listener", k.listen, k.unlisten, 0}
		serve := part{"http", k.serve, k.drain, drainTimeout}
		all = append(append([]part{listen}, all...), serve)
	}
	return all
}

func none(context.Context) error { return nil }

// Start starts every part, and returns when all are running: nothing before that is visible outside. If a part fails, the
// others are stopped again (N3). ctx bounds the start alone.
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

// Stop takes nothing more in, lets what is under way end, and closes the directory. It returns when all is stopped, with
// the first error: a part that fails keeps no other from stopping.
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

// stopLocked stops what is running, the last part first.
//
// REQUIRES: k.mu held
func (k *Kindred) stopLocked(ctx context.Context) (first error) {
	for n := len(k.running) - 1; n >= 0; n-- {
		p := k.running[n]
		k.running = k.running[:n]
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
	case err := <-k.broken:
		return fmt.Errorf("serve: %w", err)
	case <-engine.Failed():
		return engine.Err()
	case <-ctx.Done():
		k.config.Logger.Info("stopping", "wait_at_most", drainTimeout.String())
		return nil
	}
}

// URL is where the HTTP server answers.
//
// REQUIRES: Config.Listen was given
func (k *Kindred) URL() string { return "http://" + k.listener.Addr().String() }

// Handler answers requests of the HTTP interface in this process, whether or not there is a listener.
func (k *Kindred) Handler() http.Handler { return k.server }

// Engine is the engine of the open directory.
func (k *Kindred) Engine() *actors.Engine { return k.directory.engine }

// Registry reads identifiers as the rules say.
func (k *Kindred) Registry() *identifier.Registry { return k.directory.registry }

// Rules are the rules in force.
func (k *Kindred) Rules() *graph.Rules { return k.directory.rules.Rules }

// Into is the engine that events flow into, and how they are read. live says that events come as they happen.
func (k *Kindred) Into(live bool) ingest.Into { return k.directory.into(live) }
