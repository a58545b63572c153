package harness

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/storage"
)

// pressure is a comparison of two streams, or of two engines.
type pressure struct {
	Pressure
	this, beside             []byte
	thisConfig, besideConfig trial.Config
	same                     bool // both have the same people, but for the address of poison
	tenth                    bool // this engine has memory for a tenth of the identities
}

func stepsOfPressure(r *run) int { return 4 * r.Rounds }

// measurePressure measures the engine on each difficulty in turn with a stream that lacks it.
func measurePressure(ctx context.Context, r *run) error {
	lines := func(name string) []byte {
		w, _ := workload.Named(name)
		return w.Lines(r.Seed, r.Events)
	}
	for _, p := range []func() pressure{
		func() pressure {
			return pressure{
				Pressure: Pressure{Name: "merge-storm", Beside: "retail", Goal: 0.5},
				this:     lines("merge-storm"), beside: lines("retail"), thisConfig: r.open(), besideConfig: r.open(),
			}
		},
		func() pressure {
			return pressure{
				Pressure: Pressure{Name: "hot-key", Beside: "the same people, equally often", Goal: 0.8},
				this:     lines("hot-key"), beside: workload.Even(r.Seed, r.Events, 0.1), thisConfig: r.open(), besideConfig: r.open(),
			}
		},
		func() pressure {
			cold := lines("cold")
			return pressure{
				Pressure: Pressure{Name: "cold", Beside: "the same events, all identities in memory", Goal: 0.5},
				this:     cold, beside: cold, thisConfig: r.open(), besideConfig: r.open(), same: true, tenth: true,
			}
		},
		func() pressure {
			poison := lines("poison")
			return pressure{
				Pressure: Pressure{Name: "poison", Beside: "the same events without the address", Goal: 0.8},
				this:     poison, beside: workload.WithoutPoison(poison), thisConfig: r.divided(), besideConfig: r.divided(), same: true,
			}
		},
	} {
		if err := r.press(ctx, p()); err != nil {
			return err
		}
	}
	return nil
}

// press measures one pair of streams. Where both have the same people, it checks that.
func (r *run) press(ctx context.Context, p pressure) error {
	var this, beside *outcome.Outcome
	describe := func(t *trial.Trial) error {
		stats, err := t.Engine.Stats(ctx)
		if err != nil {
			return err
		}
		if this, err = r.outcomeWithoutPoison(ctx, t); err != nil {
			return err
		}
		p.Details = fmt.Sprintf("%d identities with %d identifiers; %d nodes in memory at the end", this.People(), this.Identifiers(), stats.Residents)
		if p.thisConfig.Memory > 0 {
			p.Details += fmt.Sprintf("; memory %d MiB", p.thisConfig.Memory>>20)
		}
		return nil
	}
	for n := range r.Rounds {
		r.step("%s, round %d of %d", p.Name, n+1, r.Rounds)
		var round PressureRound
		var err error
		if round.Beside, err = r.engine(ctx, p.besideConfig, stream{lines: p.beside}, func(t *trial.Trial) (err error) {
			if beside, err = r.outcomeWithoutPoison(ctx, t); err == nil && p.tenth {
				p.thisConfig.Memory, err = memoryForTenth(ctx, t)
			}
			return err
		}); err != nil {
			return err
		}
		if round.This, err = r.engine(ctx, p.thisConfig, stream{lines: p.this}, describe); err != nil {
			return err
		}
		if p.same {
			if err := this.Differ(beside); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
		p.Rounds = append(p.Rounds, round)
	}
	p.Ratio = spreadOf(p.Rounds, func(x *PressureRound) float64 { return x.This.EventsPerSecond / x.Beside.EventsPerSecond })
	p.CPU = spreadOf(p.Rounds, func(x *PressureRound) float64 { return x.Beside.CPUPerEvent / x.This.CPUPerEvent })
	r.report.Pressure = append(r.report.Pressure, p.Pressure)
	return nil
}

// memoryForTenth returns the memory setting with which actors may take a tenth of what those of a trial take, or the least.
func memoryForTenth(ctx context.Context, t *trial.Trial) (int64, error) {
	stats, err := t.Engine.Stats(ctx)
	if err != nil {
		return 0, err
	}
	for memory := int64(storage.MinMemory); ; memory += 16 << 20 {
		parts, err := storage.SplitMemory(memory)
		if err != nil || parts.Actors >= stats.ActorBytes/10 {
			return memory, err
		}
	}
}

// outcomeWithoutPoison returns the people, each without the address that poison puts on all.
func (r *run) outcomeWithoutPoison(ctx context.Context, t *trial.Trial) (*outcome.Outcome, error) {
	address, err := r.env.Registry.Parse("email:" + workload.PoisonAddress)
	if err != nil {
		return nil, err
	}
	return t.OutcomeWithout(ctx, address.Key)
}
