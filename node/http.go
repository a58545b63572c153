package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/kindred-id/kindred/api"
)

// ErrAddressInUse is returned by Start when another process listens on the address.
var ErrAddressInUse = errors.New("address in use by another process; stop it, or name another address with --listen")

func (k *Kindred) listen(context.Context) (err error) {
	k.listener, err = net.Listen("tcp", k.config.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listen on %s: %w", k.config.Listen, ErrAddressInUse)
	}
	if err != nil {
		return fmt.Errorf("%w; give --listen HOST:PORT", err)
	}
	return nil
}

// unlisten closes a listener that was never served. A server closes its own.
func (k *Kindred) unlisten(context.Context) error {
	if err := k.listener.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// makeServer makes the HTTP server, with the readiness and the metrics of every other part.
func (k *Kindred) makeServer(context.Context) (err error) {
	d := k.directory
	c := api.Config{
		Engine: d.engine, Registry: d.registry, Decode: d.decoding(true), Version: k.config.Version,
		Backup: d.store.Backup, Scores: d.scores, Control: d.control, Rules: string(d.rules.YAML()), Logger: k.config.Logger,
	}
	if k.config.Kafka != nil {
		c.Collectors = append(c.Collectors, k.consumer.Metrics())
		c.Checks = append(c.Checks, k.consuming)
	}
	if k.config.Publish.on() {
		c.Collectors = append(c.Collectors, k.publisher.publisher.Metrics())
		c.Checks = append(c.Checks, k.publisher.check)
	}
	k.server, err = api.New(c)
	return err
}

func (k *Kindred) serve(context.Context) error {
	broken, server, listener := make(chan error, 1), k.server, k.listener
	k.broken = broken
	k.serving.Go(func() {
		if err := server.Serve(listener); err != nil {
			broken <- err
		}
	})
	return nil
}

// drain answers the requests in progress and refuses others. Once the engine has failed, requests in progress get an error
// at once, so drain waits for them only briefly.
func (k *Kindred) drain(ctx context.Context) error {
	if k.directory.engine.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, failedTimeout)
		defer cancel()
	}
	if err := k.server.Shutdown(ctx); err != nil {
		k.config.Logger.Warn("requests in progress were cut off; their clients will retry", "error", err)
	}
	k.serving.Wait()
	return nil
}
