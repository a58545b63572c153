package scoring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"github.com/kindred-id/kindred/graph/score/fit"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Sizes of a sample.
const (
	sampleAims     = 20_000 // identities that a sample begins with
	customersWants = 5_000  // customers with an order that it has in the end, where there are so many
	sampleGrows    = 4      // by how much a sample that has too few grows
)

// Result is how a fit ended.
type Result string

// The results.
const (
	Fitted Result = "ok"
	Partly Result = "partial" // some parts kept their values
	Failed Result = "failed"  // the snapshot before stays in use
)

// Keeper holds the snapshot in use. Any number of goroutines may read it.
type Keeper struct {
	catalog *catalog.Catalog
	engine  *actors.Engine
	terms   score.Terms
	current atomic.Pointer[score.Scorer]
	fitting sync.Mutex
	reading sync.Mutex    // held while the catalog is read: the newest wins
	fitted  atomic.Uint64 // the last version that this process has fitted, or tried to
	counts  map[Result]*atomic.Uint64
	tried   atomic.Pointer[attempt] // nil until the first fit of this process
}

// attempt is when a fit was tried, and how many customers with an order there were in a share of all. The same share shows the
// same identities again, so growth is that of customers, and never that of the draw.
type attempt struct {
	at        int64
	share     float64
	customers uint64
}

// Open reads the snapshot that the catalog of the engine holds; where it holds none it is that of the cold start.
func Open(engine *actors.Engine, terms score.Terms) (*Keeper, error) {
	k := &Keeper{catalog: engine.Catalog(), engine: engine, terms: terms, counts: map[Result]*atomic.Uint64{Fitted: {}, Partly: {}, Failed: {}}}
	return k, k.Reload()
}

// Reload puts the snapshot in use that the catalog has: another process may have fitted it. Then growth is counted from there on.
func (k *Keeper) Reload() error {
	k.reading.Lock()
	defer k.reading.Unlock()
	parameters, err := row.ReadParameters(k.catalog.Reader())
	if errors.Is(err, storage.ErrNotFound) {
		parameters, err = score.ColdStart(), nil
	}
	if err != nil {
		return err
	}
	now := k.Scorer()
	if now != nil && now.Parameters().Version == parameters.Version {
		return nil
	}
	scorer, err := score.NewScorer(parameters, k.terms)
	if err != nil {
		return err
	}
	if k.current.Store(scorer); now != nil && k.fitted.Load() != parameters.Version {
		k.tried.Store(nil)
	}
	return nil
}

// Scorer computes with the snapshot in use.
func (k *Keeper) Scorer() *score.Scorer { return k.current.Load() }

// Fits is how many fits of this process ended in a result.
func (k *Keeper) Fits(r Result) uint64 { return k.counts[r].Load() }

// Fit fits the next snapshot to a sample of the live profiles as of the engine's now, writes it down and uses it. The
// error says what could not be fitted; with result Partly the rest is in use.
func (k *Keeper) Fit(ctx context.Context) (score.Parameters, Result, error) {
	k.fitting.Lock()
	defer k.fitting.Unlock()
	before := *k.Scorer().Parameters()
	next, err := k.fit(ctx, before)
	result := Fitted
	switch {
	case next.Version == before.Version:
		result = Failed
	case err != nil:
		result = Partly
	}
	if result != Failed {
		if failed := k.keep(ctx, &before, &next); failed != nil {
			next, result, err = before, Failed, errors.Join(err, failed)
		}
	}
	k.counts[result].Add(1)
	return next, result, err
}

// keep writes a snapshot down in the place of the one that it was fitted from, and then uses it (K1).
func (k *Keeper) keep(ctx context.Context, before, next *score.Parameters) error {
	k.fitted.Store(next.Version) // first: Reload may see it before Change returns
	err := k.catalog.Change(ctx, func(change *catalog.Change) error {
		stored, err := row.ReadParameters(change)
		switch {
		case errors.Is(err, storage.ErrNotFound):
		case err != nil:
			return err
		case stored.Version != before.Version:
			return fmt.Errorf("version %d is in use by now, and this was fitted from version %d: fit again", stored.Version, before.Version)
		}
		return row.PutParameters(change.Batch(), next)
	})
	if err != nil {
		return fmt.Errorf("keep parameters of version %d: %w", next.Version, err)
	}
	return k.Reload()
}

func (k *Keeper) fit(ctx context.Context, before score.Parameters) (score.Parameters, error) {
	stats, err := k.engine.Stats(ctx)
	if err != nil {
		return before, err
	}
	now, identities := k.engine.Now(), uint64(max(stats.Identities, 0)) //nolint:gosec // not negative
	share := shareOf(stats.Identities)
	tried := attempt{at: now, share: share}
	k.tried.Store(&tried)
	var sample *fit.Sample
	for {
		sample = fit.NewSample(before.Affinity.HalfLife)
		if err := k.each(ctx, share, func(c *score.Customer) { sample.Add(c, now) }); err != nil {
			return before, err
		}
		if share == tried.share {
			k.tried.Store(&attempt{now, share, sample.Customers()})
		}
		if share >= 1 || sample.Customers() >= customersWants {
			break
		}
		share = min(share*sampleGrows, 1)
	}
	next, err := parametersOf(ctx, sample, before, now)
	if next.Version == before.Version {
		return before, err
	}
	next.Identities = identities
	population, wrong := score.NewPopulation(next.Affinity)
	if wrong != nil {
		return before, errors.Join(err, wrong)
	}
	var calibration score.Calibration
	if failed := k.each(ctx, share, func(c *score.Customer) { calibration.Add(population, &c.Prices, now) }); failed != nil {
		return before, errors.Join(err, failed)
	}
	return fit.Calibrated(next, &calibration), err
}

// shareOf is the share of so many identities that a sample begins with.
func shareOf(identities int64) float64 {
	return min(1, sampleAims/float64(max(identities, 1)))
}

// parametersOf is sample.Parameters, or the context's error once it ends: a search may take a minute, reads nothing but
// the sample, and is left alone then.
func parametersOf(ctx context.Context, sample *fit.Sample, before score.Parameters, now int64) (score.Parameters, error) {
	type result struct {
		parameters score.Parameters
		err        error
	}
	done := make(chan result, 1)
	go func() {
		p, err := sample.Parameters(before, now)
		done <- result{p, err}
	}()
	select {
	case r := <-done:
		return r.parameters, r.err
	case <-ctx.Done():
		return before, ctx.Err()
	}
}

// each shows the customers of a share of all components.
func (k *Keeper) each(ctx context.Context, share float64, show func(*score.Customer)) error {
	return k.engine.Sample(ctx, share, func(c *graph.Component) error {
		profiles := c.Profiles(k.engine.Rules(), false)
		for i := range profiles {
			scoring := profiles[i].Scoring()
			customer := scoring.Customer()
			show(&customer)
		}
		return nil
	})
}
