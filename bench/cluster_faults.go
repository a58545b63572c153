package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

const (
	// inFlight is how long after its death an answer of a node may still arrive. No node takes its shards earlier than that.
	inFlight = 100 * time.Millisecond
	// before is how long probes run before a fault, so that there are answers.
	before = time.Second
	// watchEvery is how often a node is asked which nodes are alive.
	watchEvery = 20 * time.Millisecond
)

// failOvers kills one node after the other, and measures how long its shards give no answer.
func (n *clusterNodes) failOvers(ctx context.Context, people *clusterPeople) (*FailOver, error) {
	f := &FailOver{Kills: n.config.Kills}
	var detection, rest, total []time.Duration
	for kill := range f.Kills {
		victim := kill % len(n.nodes)
		asked := n.others(victim)[kill%2]
		if err := n.ready(ctx); err != nil {
			return nil, err
		}
		shards, err := n.ownedBy(ctx, asked, victim)
		if err != nil {
			return nil, err
		}
		probes := n.probe(ctx, people, shards, asked)
		at, detected, err := n.killUnder(ctx, victim, probes)
		probes.end()
		if err != nil {
			return nil, err
		}
		if err := n.startNode(ctx, victim); err != nil {
			return nil, err
		}
		detection = append(detection, detected.Sub(at))
		for _, p := range probes.probes {
			last, first, err := around(p.answers, at.Add(inFlight))
			if err != nil {
				return nil, fmt.Errorf("kill of %s, shard %d: %w", nodeName(victim), p.shard, err)
			}
			total, rest = append(total, first.Sub(last)), append(rest, max(0, first.Sub(detected)))
		}
		f.Total.Errors += probes.count
		if f.Total.First == "" {
			f.Total.First = probes.first
		}
		n.config.Progress(fmt.Sprintf("kill %d of %d: %s, %d shards, known after %.2f s, all answer after %.2f s", kill+1, f.Kills, nodeName(victim), len(shards),
			detected.Sub(at).Seconds(), slices.Max(total[len(total)-len(shards):]).Seconds()))
	}
	f.Detection, f.Rest, f.Total.Latencies = Summarise(detection), Summarise(rest), Summarise(total)
	return f, n.ready(ctx)
}

// killUnder kills a node while probes ask for its shards, and waits until all answer. It returns when the node died, and when the
// first of the others knew.
func (n *clusterNodes) killUnder(ctx context.Context, victim int, probes *probing) (at, detected time.Time, err error) {
	started := time.Now()
	if err := n.eventually(ctx, "all shards answer", func(context.Context) (bool, error) { return probes.askedAfter(started.Add(before)), nil }); err != nil {
		return at, detected, err
	}
	at = time.Now()
	if err := n.nodes[victim].kill(); err != nil {
		return at, detected, err
	}
	var mu sync.Mutex // guards detected
	err = everywhere(n.others(victim), func(i int) error {
		known, err := n.knows(ctx, i, victim)
		mu.Lock()
		defer mu.Unlock()
		if detected.IsZero() || known.Before(detected) {
			detected = known
		}
		return err
	})
	if err != nil {
		return at, detected, err
	}
	return at, detected, n.eventually(ctx, "all shards answer again", func(context.Context) (bool, error) { return probes.askedAfter(at.Add(inFlight)), nil })
}

// knows waits until a node does not count another one among those that are alive, and returns when that was.
func (n *clusterNodes) knows(ctx context.Context, i, victim int) (known time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, n.config.RecoverWait)
	defer cancel()
	for {
		s, err := n.status(ctx, i)
		if err == nil && !slices.ContainsFunc(s.Nodes, func(m document.ClusterNode) bool { return m.Node == nodeName(victim) }) {
			return time.Now(), nil
		}
		select {
		case <-ctx.Done():
			return known, errors.Join(fmt.Errorf("%s takes %s for alive", nodeName(i), nodeName(victim)), err)
		case <-time.After(watchEvery):
		}
	}
}

// handOvers lets nodes give their shards away under load, by drain, its undoing, and SIGTERM and the start after it.
func (n *clusterNodes) handOvers(ctx context.Context, people *clusterPeople, f *inflow) (*HandOver, error) {
	h := &HandOver{}
	var drain, back, sigterm, again []time.Duration
	load := f.run(ctx, n)
	defer load.end()
	for i := range n.config.HandOvers {
		victim := i % len(n.nodes)
		asked := n.others(victim)[i%2]
		if err := n.ready(ctx); err != nil {
			return nil, err
		}
		shards, err := n.ownedBy(ctx, asked, victim)
		if err != nil {
			return nil, err
		}
		at, err := client.New("http://"+n.nodes[asked].address, nil)
		if err != nil {
			return nil, err
		}
		probes := n.probe(ctx, people, shards, asked)
		step := func(all *[]time.Duration, of *Silences, owns int, act func() error) error {
			seen, _ := probes.since(0)
			fed, _ := load.since(0)
			took, err := n.handOver(ctx, probes, asked, victim, owns, act)
			*all = append(*all, took...)
			for _, r := range []struct {
				*refusals
				before int
			}{{&probes.refusals, seen}, {&load.refusals, fed}} {
				more, first := r.since(r.before)
				if of.Errors += more; of.First == "" {
					of.First = first
				}
			}
			return err
		}
		changed := func(undo bool) func() error {
			return func() error {
				_, err := at.Admin.DrainNode(ctx, nodeName(victim), undo)
				return err
			}
		}
		err = step(&drain, &h.Drain, 0, changed(false))
		if err == nil {
			err = step(&back, &h.Back, len(shards), changed(true))
		}
		if err == nil {
			load.avoid.Store(int32(victim)) // its clients go elsewhere, as they do once it is not ready
			time.Sleep(before)
			err = step(&sigterm, &h.Sigterm, 0, func() error { return n.nodes[victim].stop() })
		}
		if err == nil {
			err = step(&again, &h.Return, len(shards), func() error { return n.startNode(ctx, victim) })
		}
		load.avoid.Store(-1)
		probes.end()
		if err != nil {
			return nil, fmt.Errorf("hand-over of %s: %w", nodeName(victim), err)
		}
		last := func(took []time.Duration) float64 { return slices.Max(took[len(took)-len(shards):]).Seconds() }
		n.config.Progress(fmt.Sprintf("hand-over %d of %d: %s, %d shards, longest without answer: drain %.2f s, undone %.2f s, SIGTERM %.2f s, started again %.2f s", i+1,
			n.config.HandOvers, nodeName(victim), len(shards), last(drain), last(back), last(sigterm), last(again)))
	}
	h.Rate = math.Round(float64(load.taken.Load()) / time.Since(load.begun).Seconds())
	h.Drain.Latencies, h.Back.Latencies, h.Sigterm.Latencies, h.Return.Latencies = Summarise(drain), Summarise(back), Summarise(sigterm), Summarise(again)
	return h, nil
}

// handOver does what hands shards over, waits until a node owns so many, and returns how long each gave no answer.
func (n *clusterNodes) handOver(ctx context.Context, probes *probing, asked, victim, owns int, act func() error) (took []time.Duration, err error) {
	started := time.Now()
	if err := n.eventually(ctx, "all shards answer", func(context.Context) (bool, error) { return probes.askedAfter(started.Add(before)), nil }); err != nil {
		return nil, err
	}
	from := time.Now()
	if err := act(); err != nil {
		return nil, err
	}
	err = n.eventually(ctx, fmt.Sprintf("%s owns %d shards", nodeName(victim), owns), func(ctx context.Context) (bool, error) {
		shards, err := n.ownedBy(ctx, asked, victim)
		return len(shards) == owns, err
	})
	if err != nil {
		return nil, err
	}
	until := time.Now()
	if err := n.eventually(ctx, "all shards answer again", func(context.Context) (bool, error) { return probes.askedAfter(until), nil }); err != nil {
		return nil, err
	}
	for _, p := range probes.probes {
		p.mu.Lock()
		silence, err := longest(p.answers, from, until)
		p.mu.Unlock()
		if err != nil {
			return nil, fmt.Errorf("shard %d: %w", p.shard, err)
		}
		took = append(took, silence)
	}
	return took, nil
}
