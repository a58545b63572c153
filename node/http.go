package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api"
	"github.com/kindred-id/kindred/console"
	"github.com/prometheus/client_golang/prometheus"
)

// ErrAddressInUse is returned by Start when another process listens on the address.
var ErrAddressInUse = errors.New("address in use by another process; stop it, or name another address with --listen")

// An endpoint answers the HTTP interface at an address: bound first and served last (N1).
type endpoint struct {
	address string // none: only Handler answers
	logger  *slog.Logger

	listener    net.Listener
	certificate *certificate // nil: no TLS
	server      *api.Server
	engine      *actors.Engine
	serving     sync.WaitGroup
	broken      chan error // why the server ended on its own
}

// listen reads the certificate and binds the address.
func (k *Kindred) listen(context.Context) (err error) {
	if k.http.certificate, err = k.config.Access.certificate(k.config.Logger); err != nil {
		return &ConfigError{err}
	}
	return k.http.listen()
}

func (e *endpoint) listen() (err error) {
	e.listener, err = net.Listen("tcp", e.address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w", e.address, ErrAddressInUse)
	}
	if err != nil {
		return fmt.Errorf("%w; give --listen HOST:PORT", err)
	}
	return nil
}

// unlisten closes a listener that was never served. A server closes its own.
func (e *endpoint) unlisten(context.Context) error {
	if err := e.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// makeServer makes the HTTP server, with the readiness and the metrics of every other part.
func (k *Kindred) makeServer(context.Context) (err error) {
	d := k.directory
	keys, err := keyring.Open(d.engine.Catalog(), d.engine.Now)
	if err != nil {
		return err
	}
	if d.cluster != nil {
		d.cluster.Watch(func() {
			if err := keys.Reload(); err != nil {
				k.config.Logger.Error("the access keys that another node has changed are not in force here", "error", err)
			}
		})
	}
	gate, err := k.gate(keys)
	if err != nil {
		return err
	}
	mappings, err := readMappings(k.config.Mappings)
	if err != nil {
		return err
	}
	k.warnOfMappings(mappings)
	c := api.Config{
		Access: gate, Keys: keys, Mappings: mappings, Console: console.Handler(),
		Engine: d.engine, Registry: d.registry, Decode: d.decoding(true), Origins: k.config.Origins, Version: k.config.Version,
		Backup: d.store.Backup, BackupDir: k.config.Access.BackupDir, Scores: d.scores, Control: d.control, Rules: string(d.rules.YAML()), Logger: k.config.Logger, Tap: &d.tap,
		Settled: d.latency.of("http"), Collectors: []prometheus.Collector{d.latency.seconds},
	}
	watch := storeWatch{d.store.Stats}
	c.Collectors = append(c.Collectors, watch)
	c.Checks = append(c.Checks, watch.disk, watch.writes)
	if c.Assumed = d.rules.Assumptions(); len(c.Assumed) > 0 {
		c.Checks = append(c.Checks, d.checkLocale)
	}
	if err := k.openLetters(); err != nil {
		return err
	}
	if c.Letters = k.letters; c.Letters != nil {
		c.Collectors = append(c.Collectors, c.Letters)
		c.Checks = append(c.Checks, k.checkLetters)
	}
	c.MaxConnections, c.MaxStreams = k.config.Access.MaxConnections, k.config.Access.MaxStreams
	if k.config.Listen != "" && c.BackupDir == "" {
		c.Backup = nil // a client would choose any path of this machine
	}
	if d.cluster != nil {
		c.Cluster, c.Nodes, c.Topics = d.cluster.Status, d.cluster, &topics{d.engine, k.config.Kafka}
		c.Collectors, c.Checks = append(c.Collectors, d.cluster), append(c.Checks, clusterChecks(d.cluster.Status)...)
	}
	if k.config.Kafka != nil {
		c.Collectors = append(c.Collectors, k.consumer.Metrics())
		c.Checks = append(c.Checks, k.consumer.check)
	}
	if k.config.Publish.on() {
		c.Collectors = append(c.Collectors, k.publisher.publisher.Metrics())
		c.Checks = append(c.Checks, k.publisher.check)
	}
	k.http.engine = d.engine
	if k.http.server, err = api.New(c); err != nil {
		return errors.Join(err, k.closeLetters(context.Background()))
	}
	return nil
}

func (e *endpoint) serve(context.Context) error {
	broken, server, listener := make(chan error, 1), e.server, e.listener
	if e.certificate != nil {
		listener = e.certificate.over(listener)
	}
	e.broken = broken
	e.serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			broken <- err
		}
	})
	return nil
}

// drain answers the requests in progress and refuses others. Once the engine has failed, requests in progress get an error
// at once, so drain waits for them only briefly.
func (e *endpoint) drain(ctx context.Context) error {
	if e.engine.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, failedTimeout)
		defer cancel()
	}
	if err := e.server.Shutdown(ctx); err != nil {
		e.logger.Warn("requests in progress were cut off; their clients will retry", "error", err)
	}
	e.serving.Wait()
	return nil
}
