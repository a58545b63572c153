package harness

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"golang.org/x/sync/errgroup"
)

// Reads is the workload read-heavy, in a closed loop: operations per second, of which 95 % are look-ups, beside look-ups alone.
type Reads struct {
	Rounds []ReadsRound `json:"rounds"`
	Ratio  Spread       `json:"mixed_to_lookups_alone"` // look-ups per second
}

// ReadsRound is one round.
type ReadsRound struct {
	Alone  float64 `json:"lookups_alone_per_second"`
	Mixed  float64 `json:"lookups_mixed_per_second"`
	Events float64 `json:"events_mixed_per_second"`
}

const (
	readWorkers = 8
	readBatch   = 20 // events of one delivery
	readShare   = 19 // look-ups for each event
)

func stepsOfReads(r *run) int { return r.Rounds }

func measureReads(ctx context.Context, r *run) error {
	w, _ := workload.Named("read-heavy")
	lines := w.Lines(r.Seed, r.Events)
	r.report.Reads = &Reads{}
	for n := range r.Rounds {
		r.step("read-heavy, round %d of %d", n+1, r.Rounds)
		round, err := r.readsRound(ctx, lines)
		if err != nil {
			return err
		}
		r.report.Reads.Rounds = append(r.report.Reads.Rounds, round)
	}
	r.report.Reads.Ratio = spreadOf(r.report.Reads.Rounds, func(x *ReadsRound) float64 { return x.Mixed / x.Alone })
	return nil
}

func (r *run) readsRound(ctx context.Context, lines []byte) (round ReadsRound, err error) {
	t, keys, left, err := r.openKnown(ctx, lines, 0.5)
	if err != nil {
		return round, err
	}
	defer func() { err = errors.Join(err, t.Close(context.WithoutCancel(ctx))) }()
	rest := bytes.SplitAfter(left, []byte("\n"))
	if round.Alone, _, err = r.closedLoop(ctx, t, keys, nil); err != nil {
		return round, err
	}
	round.Mixed, round.Events, err = r.closedLoop(ctx, t, keys, rest)
	return round, err
}

// closedLoop lets each worker deliver events, if any are given, wait until they are durable, and look people up.
func (r *run) closedLoop(ctx context.Context, t *trial.Trial, keys []graph.NodeKey, lines [][]byte) (lookups, events float64, err error) {
	var looked, taken atomic.Int64
	start := time.Now()
	until := start.Add(r.Live)
	group, ctx := errgroup.WithContext(ctx)
	for w := range readWorkers {
		group.Go(func() error {
			in := ingest.NewIntake(ingest.Into{Engine: t.Engine, Registry: r.env.Registry})
			answered := make(chan error, 1)
			for n := w; time.Now().Before(until); n++ {
				if lines != nil {
					from := int(taken.Add(readBatch)) - readBatch
					if from+readBatch > len(lines) {
						taken.Add(-readBatch)
						return nil
					}
					in.Reset()
					for _, line := range lines[from : from+readBatch] {
						in.Take(bytes.TrimSuffix(line, []byte("\n")), ingest.Arrival{Received: t.Engine.Now()})
					}
					if err := in.Submit(ctx, func(err error) { answered <- err }); err != nil {
						return err
					}
					if err := errors.Join(<-answered, in.Settle()); err != nil {
						return err
					}
				}
				for range readBatch * readShare {
					if _, err := t.Engine.Profile(ctx, keys[int(looked.Add(1))*7919%len(keys)]); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err = group.Wait()
	elapsed := time.Since(start).Seconds()
	return float64(looked.Load()) / elapsed, float64(taken.Load()) / elapsed, err
}
