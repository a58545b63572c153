package node

import (
	"context"
	"log/slog"
	"sync"

	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/storage/row"
)

// judging is the sweep in the background that judges everything by the rules in force. The zero value has no sweep.
// begin is called at most once, while the directory opens; end and Judged may be called from any goroutine after that.
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

// end stops a sweep and waits until it has ended.
func (j *judging) end() {
	if j.stop != nil {
		j.stop()
		j.sweep.Wait()
	}
}

// Judged waits until everything is judged by the rules in force. A short-lived command must call it: otherwise the
// sweep after a change of rules would begin anew with every such command and never complete.
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

// judge judges everything by the rules in force, in the background. Limits and order take effect at once, since
// identities are computed when they are read; the sweep repeats the decisions that are made when an event arrives. The
// store records that everything is judged only after the sweep.
func (d *directory) judge(logger *slog.Logger) {
	now := d.rules.Rules
	logger.Info("the new rules are in force; judging existing data again", "rules", now.Name)
	d.judging.begin(func(ctx context.Context) error {
		err := d.engine.Recheck(ctx)
		if err == nil {
			err = d.engine.Catalog().Change(ctx, d.noteJudged)
		}
		switch {
		case err == nil:
			logger.Info("existing data is judged by the new rules", "rules", now.Name)
		case ctx.Err() == nil:
			logger.Error("judging by the new rules stopped; it begins anew at the next start", "error", err)
		}
		return err
	})
}

// noteJudged records that everything is judged by the rules in force.
func (d *directory) noteJudged(change *catalog.Change) error {
	if err := rulesAre(change, d.rules); err != nil {
		return err
	}
	deployment, err := row.ReadDeployment(change)
	if err != nil {
		return err
	}
	return deployment.SetRules(change.Batch(), d.rules.Rules.Name, d.rules.Rules.Version)
}

// fillFeed adds the identities from before the change feed was switched on to the feed.
func (d *directory) fillFeed(logger *slog.Logger) {
	logger.Info("adding existing identities to the change feed")
	d.judging.begin(func(ctx context.Context) error {
		err := d.engine.Recheck(ctx)
		switch {
		case err == nil:
			logger.Info("the change feed is complete")
		case ctx.Err() == nil:
			logger.Error("adding existing identities to the change feed stopped; it begins anew at the next start", "error", err)
		}
		return err
	})
}
