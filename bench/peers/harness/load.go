package harness

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/peers/peer"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"golang.org/x/sync/errgroup"
)

// Load is the latency of look-ups while events come in at a part of the rate that ingest reached in the same round. Both
// come in an open loop: at times that were fixed before, whatever is still under way. A look-up's latency counts from the
// time at which it was to begin, so one that waits for another counts its wait (coordinated omission).
type Load struct {
	Part    float64     `json:"part_of_peak"`
	Rounds  []LoadRound `json:"rounds"`
	Median  Spread      `json:"p50_us"`
	P99     Spread      `json:"p99_us"`
	P999    Spread      `json:"p999_us"`
	Worst   Spread      `json:"max_us"`
	Reached Spread      `json:"reached_to_wanted"` // events per second
	Late    Spread      `json:"began_late_p99_us"`
}

// LoadRound is one round.
type LoadRound struct {
	Peak    float64         `json:"peak_events_per_second"`
	Reached float64         `json:"events_per_second"`
	Wanted  float64         `json:"wanted_events_per_second"`
	Lookups bench.Latencies `json:"lookups"`
	// Late is how late look-ups began because this process was not run in time; Lookups include it.
	Late bench.Latencies `json:"began_late"`
}

// loadParts are the parts of the peak.
var loadParts = []float64{0, 0.2, 0.5, 0.8}

const (
	lookupsPerSecond = 1000
	lookupWorkers    = 64
	loadEvery        = 5 * time.Millisecond // between two deliveries of events
	loadIntakes      = 64                   // deliveries under way at most
)

func stepsOfLoad(r *run) int { return r.Rounds * (1 + len(loadParts)) }

func measureLoad(ctx context.Context, r *run) error {
	web, _ := workload.Named("web")
	lines := web.Lines(r.Seed, r.Events)
	r.report.Load = make([]Load, len(loadParts))
	for n := range r.Rounds {
		r.step("peak, round %d of %d", n+1, r.Rounds)
		peak, err := r.engine(ctx, r.open(), stream{lines: lines}, nil)
		if err != nil {
			return err
		}
		for i, part := range loadParts {
			r.step("look-ups at %.0f %% of the peak, round %d of %d", part*100, n+1, r.Rounds)
			round, err := r.loadRound(ctx, lines, peak.EventsPerSecond, part)
			if err != nil {
				return err
			}
			r.report.Load[i].Part = part
			r.report.Load[i].Rounds = append(r.report.Load[i].Rounds, round)
		}
	}
	for i := range r.report.Load {
		l := &r.report.Load[i]
		l.Median = spreadOf(l.Rounds, func(x *LoadRound) float64 { return x.Lookups.Median })
		l.P99 = spreadOf(l.Rounds, func(x *LoadRound) float64 { return x.Lookups.P99 })
		l.P999 = spreadOf(l.Rounds, func(x *LoadRound) float64 { return x.Lookups.P999 })
		l.Worst = spreadOf(l.Rounds, func(x *LoadRound) float64 { return x.Lookups.Worst })
		l.Late = spreadOf(l.Rounds, func(x *LoadRound) float64 { return x.Late.P99 })
		l.Reached = spreadOf(l.Rounds, func(x *LoadRound) float64 {
			if x.Wanted == 0 {
				return 1
			}
			return x.Reached / x.Wanted
		})
	}
	return nil
}

// loadRound ingests a fifth of the events, and then paces the others while it looks up the people of that fifth.
func (r *run) loadRound(ctx context.Context, lines []byte, peak, part float64) (round LoadRound, err error) {
	t, keys, rest, err := r.openKnown(ctx, lines, 0.2)
	if err != nil {
		return round, err
	}
	defer func() { err = errors.Join(err, t.Close(context.WithoutCancel(ctx))) }()
	round.Peak, round.Wanted = peak, peak*part
	running, stop := context.WithTimeout(ctx, r.Live)
	defer stop()
	group, running := errgroup.WithContext(running)
	group.Go(func() (err error) {
		round.Reached, err = r.pace(running, t, rest, round.Wanted)
		return err
	})
	group.Go(func() (err error) {
		round.Lookups, round.Late, err = lookUp(running, t.Engine, keys)
		return err
	})
	return round, group.Wait()
}

// openKnown opens an engine that has ingested a share of the events. It returns the routes of those, to look up, and the
// events that are left.
func (r *run) openKnown(ctx context.Context, lines []byte, share float64) (_ *trial.Trial, keys []graph.NodeKey, rest []byte, err error) {
	t, err := trial.Open(ctx, trial.Config{Dir: r.Dir, Memory: r.Memory, Rules: r.env.Rules})
	if err != nil {
		return nil, nil, nil, err
	}
	known := prefix(lines, share)
	if _, err = t.Ingest(ctx, r.env.Registry, known); err == nil {
		keys, err = peer.Routes(r.env, known)
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, t.Close(context.WithoutCancel(ctx)))
	}
	return t, keys, lines[len(known):], nil
}

// pace delivers events at a rate until the time is over or the events are, and returns the rate that it reached.
func (r *run) pace(ctx context.Context, t *trial.Trial, lines []byte, rate float64) (float64, error) {
	if rate == 0 {
		<-ctx.Done()
		return 0, nil
	}
	each := max(1, int(rate*loadEvery.Seconds()))
	free := make(chan *ingest.Intake, loadIntakes)
	for range loadIntakes {
		free <- ingest.NewIntake(ingest.Into{Engine: t.Engine, Registry: r.env.Registry})
	}
	var mu sync.Mutex
	var failed error
	taken, start := 0, time.Now()
	for len(lines) > 0 {
		due := start.Add(time.Duration(float64(taken) / rate * float64(time.Second)))
		time.Sleep(time.Until(due))
		if ctx.Err() != nil {
			break
		}
		in := <-free
		in.Reset()
		for n := 0; n < each && len(lines) > 0; n++ {
			end := bytes.IndexByte(lines, '\n')
			in.Take(lines[:end], ingest.Arrival{Received: t.Engine.Now()})
			lines = lines[end+1:]
			taken++
		}
		if err := in.Submit(context.WithoutCancel(ctx), func(err error) {
			if err == nil {
				err = in.Settle()
			}
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
			free <- in
		}); err != nil {
			return 0, err
		}
	}
	reached := float64(taken) / time.Since(start).Seconds()
	for range loadIntakes {
		<-free
	}
	return reached, failed
}

// lookUp reads profiles at fixed times until the time is over. late is how much later than that each was begun.
func lookUp(ctx context.Context, engine *actors.Engine, keys []graph.NodeKey) (looked, late bench.Latencies, err error) {
	type look struct {
		key graph.NodeKey
		due time.Time
	}
	looks := make(chan look, 1<<16)
	var mu sync.Mutex
	var took, lateness []time.Duration
	group := errgroup.Group{}
	for range lookupWorkers {
		group.Go(func() error {
			var own []time.Duration
			for l := range looks {
				if _, err := engine.Profile(context.WithoutCancel(ctx), l.key); err != nil {
					return err
				}
				own = append(own, time.Since(l.due))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
			return nil
		})
	}
	start := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		due := start.Add(time.Duration(n) * time.Second / lookupsPerSecond)
		time.Sleep(time.Until(due))
		lateness = append(lateness, time.Since(due))
		looks <- look{keys[n*7919%len(keys)], due}
	}
	close(looks)
	err = group.Wait()
	return bench.Summarise(took), bench.Summarise(lateness), err
}
