package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/broker"
	"golang.org/x/sync/errgroup"
)

// Live is the latency from the broker's log to the profile while other events flow at a rate. Probes are identify calls
// that set a trait of a customer in the stream. They carry no time of their own, so the stamp of the trait is the time
// at which the broker appended the record, to the millisecond.
//
// A latency is the difference of the broker's clock and this process's: they have to be on one machine, or in step. It
// ends when a look-up shows the trait, up to a millisecond or a twentieth of the time later than it could be seen
// (lookSoonest, lookShare): figures err upwards.
type Live struct {
	Wanted  float64 `json:"wanted_events_per_second"` // half of the rate that was reached end to end
	Reached float64 `json:"reached_events_per_second"`
	Seconds float64 `json:"seconds"`
	Probes  int     `json:"probes"`
	Median  float64 `json:"p50_ms"` // from appended to visible
	P99     float64 `json:"p99_ms"`
	Worst   float64 `json:"max_ms"`
}

const (
	probeEvery    = 20 * time.Millisecond
	probeTrait    = "bench_probe"
	probeWatchers = 64 // probes watched at the same time; with more, a probe is noticed late
	produceEvery  = 2 * time.Millisecond
	produceLinger = 5 * time.Millisecond // a usual setting; it passes before the record is appended
	probePatience = time.Minute
	lookSoonest   = time.Millisecond // least time between two looks for a probe
	lookShare     = 20               // a look waits at least a twentieth of the time so far, so that looking adds no load
)

// probe is an event whose arrival is watched.
type probe struct {
	key    graph.NodeKey
	number int // counted from 1
	line   []byte
}

// live produces the events at a rate, and watches probes among them.
func (r *kafkaRun) live(ctx context.Context, rate float64) (_ *Live, err error) {
	r.Progress(fmt.Sprintf("at %.0f events/s, from the broker's log to the profile", rate))
	t, err := trial.Open(ctx, r.Config.trial())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	consumer, err := r.consumer(t, r.liveTopic())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, consumer.Stop(ctx)) }()
	if err := consumer.Start(); err != nil {
		return nil, err
	}
	if err := r.consuming(ctx, t, consumer); err != nil {
		return nil, err
	}
	group, running := errgroup.WithContext(ctx)
	probes := make(chan probe, int(r.Live/probeEvery)+1) // room for all probes, so that the stream never waits for a watcher
	var mu sync.Mutex
	var took []time.Duration
	for range probeWatchers {
		group.Go(func() error {
			for p := range probes {
				d, ok, err := watch(running, t.Engine, p)
				if err != nil {
					return err
				}
				if !ok {
					continue
				}
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
			return nil
		})
	}
	l := &Live{Wanted: rate}
	group.Go(func() error {
		defer close(probes)
		return r.stream(running, l, probes)
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	s := summarise(took)
	l.Probes, l.Median, l.P99, l.Worst = s.Count, s.Median/1e3, s.P99/1e3, s.Worst/1e3
	return l, nil
}

// consuming waits until every partition of a consumer is read.
func (r *kafkaRun) consuming(ctx context.Context, t *trial.Trial, consumer *kafka.Consumer) error {
	return poll(ctx, t, func() (bool, error) {
		n := 0
		for _, p := range consumer.Status().Partitions {
			if p.State == kafka.Consuming {
				n++
			}
		}
		return n == r.Partitions, nil
	})
}

// stream produces events at the wanted rate, and regularly a probe, directly after an event of the same customer in the
// same partition. The number of events that are due follows from the time since the start, so a late tick is made up
// for; Reached says how far that succeeded.
func (r *kafkaRun) stream(ctx context.Context, l *Live, probes chan<- probe) error {
	writer, err := broker.NewWriter(r.Kafka.Connection(), produceLinger)
	if err != nil {
		return err
	}
	defer writer.Close()
	prober := &prober{decoder: segment.NewDecoder(r.registry, segment.Options{}), seen: make(map[graph.NodeKey]bool)}
	tick := time.NewTicker(produceEvery)
	defer tick.Stop()
	start, n, next := time.Now(), 0, probeEvery
	for elapsed := time.Duration(0); elapsed < r.Live && n < len(r.lines); elapsed = time.Since(start) {
		for ; n < len(r.lines) && float64(n) < l.Wanted*elapsed.Seconds(); n++ {
			partition := int32(n % r.Partitions)
			writer.Write(ctx, r.liveTopic(), partition, r.lines[n])
			if elapsed < next {
				continue
			}
			p, ok, err := prober.probe(r.lines[n])
			if err != nil {
				return err
			}
			if ok {
				writer.Write(ctx, r.liveTopic(), partition, p.line)
				probes <- p
				next += probeEvery
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := writer.Flush(ctx); err != nil {
		return err
	}
	l.Seconds = time.Since(start).Seconds()
	l.Reached = float64(n) / l.Seconds
	return nil
}

// prober makes probes, at most one per customer.
type prober struct {
	decoder *segment.Decoder
	event   graph.Event
	seen    map[graph.NodeKey]bool
}

// probe makes a probe for the customer that an event names. It is not ok if the event names no customer, or one that
// has had a probe.
func (r *prober) probe(line []byte) (p probe, ok bool, err error) {
	r.decoder.Reset()
	if err := r.decoder.Event(line, 1, nil, &r.event); err != nil {
		var rejection *segment.Rejection
		if errors.As(err, &rejection) {
			return p, false, nil
		}
		return p, false, err
	}
	for i := range r.event.Identifiers {
		id := &r.event.Identifiers[i]
		if id.Namespace != "user_id" || r.seen[id.Key] {
			continue
		}
		r.seen[id.Key] = true
		n := len(r.seen)
		return probe{key: id.Key, number: n, line: fmt.Appendf(nil,
			`{"type":"identify","messageId":"bench-probe-%d","userId":%q,"traits":{%q:%d}}`, n, id.Value, probeTrait, n)}, true, nil
	}
	return p, false, nil
}

// watch looks a profile up until it shows a probe, and returns the time since the probe was appended. It is not ok if
// the customer has merged with another one whose probe is later.
func watch(ctx context.Context, engine *actors.Engine, p probe) (took time.Duration, ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	start := time.Now()
	for {
		profile, err := engine.Profile(ctx, p.key)
		if err != nil && !errors.Is(err, actors.ErrUnknown) { // it comes with the probe
			return 0, false, err
		}
		shown, appended, err := shownProbe(&profile)
		if err != nil {
			return 0, false, err
		}
		if shown >= p.number {
			return time.Since(appended), shown == p.number, nil
		}
		select {
		case <-time.After(max(lookSoonest, time.Since(start)/lookShare)):
		case <-ctx.Done():
			return 0, false, fmt.Errorf("probe %d did not show in its profile: %w", p.number, ctx.Err())
		}
	}
}

// shownProbe returns the number of the probe that a profile shows, or 0, and the time at which it was appended.
func shownProbe(p *graph.Profile) (number int, appended time.Time, err error) {
	for i := range p.Traits {
		if t := &p.Traits[i]; t.Name == probeTrait {
			number, err = strconv.Atoi(string(t.Value))
			return number, time.UnixMilli(t.Stamp.Time), err
		}
	}
	return 0, time.Time{}, nil
}
