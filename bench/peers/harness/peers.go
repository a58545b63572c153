package harness

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kindred-id/kindred/bench/ceiling"
	"github.com/kindred-id/kindred/bench/outcome"
	"github.com/kindred-id/kindred/bench/peers/peer"
	"github.com/kindred-id/kindred/bench/peers/server"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/bench/workload"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/node/rulesfile"
)

func environment(c Config) (*peer.Env, error) {
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		return nil, err
	}
	rules, err := rulesfile.Load("open")
	if err != nil {
		return nil, err
	}
	return &peer.Env{Dir: c.Dir, Memory: c.Memory, Registry: registry, Rules: rules.Rules}, nil
}

// kinds are the peers that take part.
func (r *run) kinds() (list []peer.Kind) {
	for i, kind := range peer.Kinds() {
		wanted := len(r.Peers) == 0 || i < 2
		for _, name := range r.Config.Peers {
			wanted = wanted || strings.HasPrefix(kind.Name, name)
		}
		if wanted {
			list = append(list, kind)
		}
	}
	return list
}

func stepsOfPeers(r *run) int { return len(r.Workloads) * (1 + r.Rounds*len(r.kinds())) }

// measurePeers runs all peers on each workload in turn.
func measurePeers(ctx context.Context, r *run) error {
	for _, name := range r.Workloads {
		w, ok := workload.Named(name)
		if !ok || w.Divided {
			return fmt.Errorf("workload %q: want one that plain connected components resolve", name)
		}
		r.step("%s: %d events", name, r.Events)
		lines := w.Lines(r.Seed, r.Events)
		shape, err := ceiling.ShapeOf(r.env.Registry, segment.Options{}, lines, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		r.report.Shapes = append(r.report.Shapes, WorkloadShape{name, shape})
		results, err := r.comparePeers(ctx, name, lines)
		if err != nil {
			return err
		}
		r.report.Peers = append(r.report.Peers, results...)
	}
	return nil
}

func (r *run) comparePeers(ctx context.Context, name string, lines []byte) ([]PeerResult, error) {
	kinds := r.kinds()
	results := make([]PeerResult, len(kinds))
	missing := map[int]bool{}
	part := prefix(lines, peer.SlowShare) // for peers that are too slow for all
	for n := range r.Rounds {
		var wholeOutcome, partOutcome *outcome.Outcome
		for i, kind := range kinds {
			r.step("%s, round %d of %d: %s", name, n+1, r.Rounds, kind.Name)
			if missing[i] {
				continue
			}
			input, want := lines, wholeOutcome
			if kind.Slow {
				input = part
				if partOutcome == nil {
					var err error
					if partOutcome, err = r.outcomeOf(ctx, kinds[0], part); err != nil {
						return nil, err
					}
				}
				want = partOutcome
			}
			round, got, err := r.peerRound(ctx, kind, input, want, &results[i])
			if errors.Is(err, server.ErrMissing) {
				missing[i] = true
				r.report.Missing = append(r.report.Missing, kind.Name)
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", kind.Name, name, err)
			}
			if i == 0 {
				wholeOutcome = got
			}
			if len(results[0].Rounds) > n {
				engine := &results[0].Rounds[n]
				round.Faster, round.LessCPU = engine.EventsPerSecond/round.EventsPerSecond, round.CPU/engine.CPU
			} else {
				round.Faster, round.LessCPU = 1, 1
			}
			results[i].Rounds = append(results[i].Rounds, round)
		}
	}
	kept := results[:0]
	for i := range results {
		if !missing[i] {
			results[i].Workload = name
			results[i].sum()
			kept = append(kept, results[i])
		}
	}
	return kept, nil
}

// outcomeOf is what the engine makes of lines that no other run of this round takes.
func (r *run) outcomeOf(ctx context.Context, kind peer.Kind, lines []byte) (o *outcome.Outcome, err error) {
	_, o, err = r.peerRound(ctx, kind, lines, nil, &PeerResult{})
	return o, err
}

// peerRound runs one peer once. Its time counts only if its outcome equals want.
func (r *run) peerRound(ctx context.Context, kind peer.Kind, lines []byte, want *outcome.Outcome, result *PeerResult) (round PeerRound, got *outcome.Outcome, err error) {
	p, err := kind.Open(ctx, r.env)
	if err != nil {
		return round, nil, err
	}
	defer func() { err = errors.Join(err, p.Close(context.WithoutCancel(ctx))) }()
	outside := p.Outside()
	round.Measure, err = trial.Time(func() (int, int, error) {
		n, err := p.Run(ctx, lines)
		return n, 0, err
	})
	if err != nil {
		return round, nil, err
	}
	events := round.Seconds * round.EventsPerSecond
	round.CPU = round.CPUPerEvent + float64((p.Outside()-outside).Nanoseconds())/1e3/events
	round.Disk = float64(p.DiskBytes()) / events
	if got, err = p.Outcome(ctx); err != nil {
		return round, nil, err
	}
	result.Peer, result.Durability, result.Settings, result.Version = kind.Name, kind.Durability, kind.Settings, p.Version()
	result.Share = 1
	if kind.Slow {
		result.Share = peer.SlowShare
	}
	switch {
	case got == nil:
		result.Checked = "all lines read back"
		return round, nil, nil
	case want == nil:
		result.Checked = "others are compared with it"
	default:
		if err := got.Differ(want); err != nil {
			return round, nil, fmt.Errorf("other people than the engine's: %w", err)
		}
		result.Checked = fmt.Sprintf("%d people, %d identifiers, %d events equal", got.People(), got.Identifiers(), got.Events())
	}
	round.People = got.People()
	return round, got, nil
}

func (p *PeerResult) sum() {
	p.Rate = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.EventsPerSecond })
	p.Faster = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.Faster })
	p.LessCPU = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.LessCPU })
	p.CPU = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.CPU })
	p.Disk = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.Disk })
	p.Allocs = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.AllocsPerEvent })
	p.AllocBytes = spreadOf(p.Rounds, func(r *PeerRound) float64 { return r.BytesPerEvent })
}

// prefix returns the first lines, a share of all bytes.
func prefix(lines []byte, share float64) []byte {
	end := int(float64(len(lines)) * share)
	for end < len(lines) && (end == 0 || lines[end-1] != '\n') {
		end++
	}
	return lines[:end]
}
