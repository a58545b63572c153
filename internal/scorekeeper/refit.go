package scorekeeper

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// When parameters are fitted again.
const (
	refitAfter = 24 * time.Hour
	refitGrows = 1.05 // times as many identities as at the last fit
	refitLooks = 10 * time.Minute
)

// Run fits again and again until the context ends: a day after the last fit, and when there are 5 % more identities than at
// the last. It looks every ten minutes, and at once where the snapshot is that of the cold start.
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

// due tells whether it is time for a fit. One that failed counts as tried: it is not tried again at every look.
func (k *Keeper) due(ctx context.Context) (bool, error) {
	stats, err := k.engine.Stats(ctx)
	if err != nil || stats.Identities <= 0 {
		return false, err
	}
	p := k.Scorer().Parameters()
	last := attempt{p.FittedAt, p.Identities}
	if tried := k.tried.Load(); tried != nil {
		last = *tried
	}
	old := k.engine.Now()-last.at >= refitAfter.Milliseconds()
	return old || float64(stats.Identities) >= refitGrows*float64(last.identities), nil
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
