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

// contest is all peers on one workload.
type contest struct {
	*run
	name    string
	kinds   []peer.Kind // the engine is first
	results []PeerResult
	missing map[int]bool
	lines   []byte
	part    []byte // for peers that are too slow for all lines
	// The outcomes of the engine on the lines and on the part, in this round; nil before it ran.
	whole, ofPart *outcome.Outcome
}

func (r *run) comparePeers(ctx context.Context, name string, lines []byte) ([]PeerResult, error) {
	c := &contest{run: r, name: name, kinds: r.kinds(), missing: map[int]bool{}, lines: lines, part: prefix(lines, peer.SlowShare)}
	c.results = make([]PeerResult, len(c.kinds))
	for n := range r.Rounds {
		c.whole, c.ofPart = nil, nil
		for i, kind := range c.kinds {
			r.step("%s, round %d of %d: %s", name, n+1, r.Rounds, kind.Name)
			if c.missing[i] {
				continue
			}
			if err := c.turn(ctx, n, i); err != nil {
				return nil, fmt.Errorf("%s on %s: %w", kind.Name, name, err)
			}
		}
	}
	kept := c.results[:0]
	for i := range c.results {
		if !c.missing[i] {
			c.results[i].Workload = name
			c.results[i].sum()
			kept = append(kept, c.results[i])
		}
	}
	return kept, nil
}

// turn runs one peer in a round. A peer whose server is not installed is left out from then on.
func (c *contest) turn(ctx context.Context, n, i int) (err error) {
	kind, input, want := c.kinds[i], c.lines, c.whole
	if kind.Slow {
		if c.ofPart == nil {
			if c.ofPart, err = c.outcomeOf(ctx, c.kinds[0], c.part); err != nil {
				return err
			}
		}
		input, want = c.part, c.ofPart
	}
	round, got, err := c.peerRound(ctx, kind, input, want, &c.results[i])
	if errors.Is(err, server.ErrMissing) {
		c.missing[i] = true
		c.report.Missing = append(c.report.Missing, kind.Name)
		return nil
	}
	if err != nil {
		return err
	}
	round.Faster, round.LessCPU = 1, 1
	if i == 0 {
		c.whole = got
	} else {
		engine := &c.results[0].Rounds[n]
		round.Faster, round.LessCPU = engine.EventsPerSecond/round.EventsPerSecond, round.CPU/engine.CPU
	}
	c.results[i].Rounds = append(c.results[i].Rounds, round)
	return nil
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
