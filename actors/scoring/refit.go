package scoring

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/kindred-id/kindred/graph/score"
)

// When parameters are fitted again.
const (
	refitAfter = 24 * time.Hour
	refitGrows = 1.05 // times as many customers with an order as at the last fit
	refitLooks = 10 * time.Minute
)

// Run fits again and again until the context ends: a day after the last fit, and when there are 5 % more customers with an order
// than at the last, for it is they whom a fit is made of. It looks every ten minutes, and at once where the snapshot is that
// of the cold start.
func (k *Keeper) Run(ctx context.Context, logger *slog.Logger) {
	ticker := time.NewTicker(refitLooks)
	defer ticker.Stop()
	for {
		if due, err := k.due(ctx); err == nil && due {
			k.refit(ctx, logger)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// due reports whether it is time for a fit. A fit that failed counts as tried: it is not tried again at every look. A process that
// has not tried yet counts growth from its first look on, and the day from the fit of the snapshot. Of several processes the one that has
// the first shard fits.
func (k *Keeper) due(ctx context.Context) (bool, error) {
	if !k.engine.Has(0) {
		return false, nil
	}
	stats, err := k.engine.Stats(ctx)
	if err != nil || stats.Identities <= 0 {
		return false, err
	}
	now, last := k.engine.Now(), k.tried.Load()
	if last == nil {
		last = &attempt{at: k.Scorer().Parameters().FittedAt, share: shareOf(stats.Identities)}
		if now-last.at < refitAfter.Milliseconds() {
			if last.customers, err = k.customers(ctx, last.share, now); err == nil {
				k.tried.CompareAndSwap(nil, last)
			}
			return false, err
		}
	}
	if now-last.at >= refitAfter.Milliseconds() {
		return true, nil
	}
	customers, err := k.customers(ctx, last.share, now)
	return customers > last.customers && float64(customers) >= refitGrows*float64(last.customers), err
}

// customers counts those with an order in a share of all.
func (k *Keeper) customers(ctx context.Context, share float64, now int64) (n uint64, err error) {
	err = k.each(ctx, share, func(c *score.Customer) {
		if score.NewHistory(c.Purchases, now).N > 0 {
			n++
		}
	})
	return n, err
}

func (k *Keeper) refit(ctx context.Context, logger *slog.Logger) {
	p, result, err := k.Fit(ctx)
	switch {
	case errors.Is(err, context.Canceled):
	case result == Failed:
		logger.Warn("the parameters of the scores could not be fitted: those before stay in use", "version", p.Version, "error", err)
	case err != nil:
		logger.Warn("some parameters of the scores could not be fitted, and keep their values", "version", p.Version, "customers", p.Customers, "error", err)
	default:
		logger.Info("the parameters of the scores are fitted", "version", p.Version, "customers", p.Customers)
	}
}
