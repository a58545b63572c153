package node

import (
	"context"
	"log/slog"
	"sync"

	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// judging is the sweep in the background that judges everything by the rules in force. The zero value does not sweep.
type judging struct {
	sweep sync.WaitGroup
	stop  func()
	err   error // why the sweep stopped; valid once sweep is done
}

func (j *judging) begin(sweep func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	j.stop = cancel
	j.sweep.Go(func() { j.err = sweep(ctx) })
}

// end stops a sweep, and waits for it.
func (j *judging) end() {
	if j.stop != nil {
		j.stop()
		j.sweep.Wait()
	}
}

// Judged waits until everything is judged by the rules in force. A command that ends soon calls it: otherwise a change of
// rules would begin anew with every such command, and never be done.
func (k *Kindred) Judged(ctx context.Context) error {
	j := &k.directory.judging
	done := make(chan struct{})
	go func() {
		j.sweep.Wait()
		close(done)
	}()
	select {
	case <-done:
		return j.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judge judges everything by the rules in force, in the background. Limits and order hold at once, since identities are
// computed; the sweep is for decisions that are made when an event arrives. Only after it the store says that everything
// was judged.
func (d *directory) judge(deployment row.Deployment, logger *slog.Logger) {
	now := d.rules.Rules
	logger.Info("everything is judged by the new rules from now on, and what was judged before again", "rules", now.Name)
	d.judging.begin(func(ctx context.Context) error {
		err := d.engine.Recheck(ctx)
		if err == nil {
			var batch storage.Batch
			if err = deployment.SetRules(&batch, now.Name, now.Version); err == nil {
				err = d.store.Commit(&batch)
			}
		}
		switch {
		case err == nil:
			logger.Info("everything is judged by the new rules", "rules", now.Name)
		case ctx.Err() == nil:
			logger.Error("judging by the new rules stopped: it begins anew at the next start", "error", err)
		}
		return err
	})
}

// fillFeed lets the change feed report what was there before the feed was switched on.
func (d *directory) fillFeed(logger *slog.Logger) {
	logger.Info("the change feed tells of everything that is there")
	d.judging.begin(func(ctx context.Context) error {
		err := d.engine.Recheck(ctx)
		switch {
		case err == nil:
			logger.Info("the change feed is complete")
		case ctx.Err() == nil:
			logger.Error("telling the change feed stopped: it begins anew at the next start", "error", err)
		}
		return err
	})
}
