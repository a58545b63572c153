package bench

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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

// Live is the latency of events on their way to a profile while others flow at a rate, in several runs. Probes are identify
// calls that set a trait of a customer in the stream. They carry no time of their own, so the stamp of the trait is the time
// at which the broker appended the record, to the millisecond.
//
// It is an open loop: each record is to be sent at a time that follows from the rate, whatever became of those before it.
// FromSending counts from that time, so that what holds up the sender counts as well, for each probe that it held up
// (coordinated omission). FromLog counts from the broker's clock, which has to be this machine's, or in step.
//
// A latency ends when a look-up shows the trait, up to a millisecond or a twentieth of the time later than it could be seen
// (lookSoonest, lookShare): figures err upwards.
type Live struct {
	Part    float64   `json:"part_of_reached"` // of the rate that was reached end to end
	Wanted  float64   `json:"wanted_events_per_second"`
	Runs    []LiveRun `json:"runs"`
	Reached Spread    `json:"reached_events_per_second"`
	// Medians of the runs, with the lowest and the highest.
	FromLog     LiveSpread `json:"from_log"`
	FromSending LiveSpread `json:"from_sending"`
}

// LiveRun is one run, on a new directory.
type LiveRun struct {
	Reached     float64   `json:"reached_events_per_second"`
	Seconds     float64   `json:"seconds"`
	FromLog     Latencies `json:"from_log"`
	FromSending Latencies `json:"from_sending"`
}

// LiveSpread are percentiles over several runs, in milliseconds.
type LiveSpread struct {
	Median Spread `json:"p50_ms"`
	P99    Spread `json:"p99_ms"`
	P999   Spread `json:"p999_ms"`
	Worst  Spread `json:"max_ms"`
}

func liveSpread(runs []LiveRun, of func(*LiveRun) *Latencies) LiveSpread {
	ms := func(figure func(*Latencies) float64) Spread {
		return SpreadOf(runs, func(r *LiveRun) float64 { return figure(of(r)) / 1e3 })
	}
	return LiveSpread{
		Median: ms(func(l *Latencies) float64 { return l.Median }),
		P99:    ms(func(l *Latencies) float64 { return l.P99 }),
		P999:   ms(func(l *Latencies) float64 { return l.P999 }),
		Worst:  ms(func(l *Latencies) float64 { return l.Worst }),
	}
}

const (
	probeEvery    = 10 * time.Millisecond
	probeTrait    = "bench_probe"
	probeWatchers = 256 // probes watched at the same time; with more, a probe is noticed late
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
	due    time.Time // when it was to be sent
}

// seen is how long probes took to their profiles.
type seen struct {
	mu                   sync.Mutex // guards the following
	fromLog, fromSending []time.Duration
}

func (s *seen) add(fromLog, fromSending time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fromLog, s.fromSending = append(s.fromLog, fromLog), append(s.fromSending, fromSending)
}

// live measures each load in turn, run after run, since the speed of a machine drifts.
func (r *kafkaRun) live(ctx context.Context, reached float64) ([]Live, error) {
	lives := make([]Live, len(r.Loads))
	for n := range r.LiveRuns {
		for i, part := range r.Loads {
			l := &lives[i]
			l.Part, l.Wanted = part, part*reached
			r.Progress(fmt.Sprintf("at %.0f events/s, to the profile, run %d of %d", l.Wanted, n+1, r.LiveRuns))
			run, err := r.liveRun(ctx, l.Wanted, fmt.Sprintf("%s-live-%d-%d", r.name, n, i))
			if err != nil {
				return nil, err
			}
			l.Runs = append(l.Runs, run)
		}
	}
	for i := range lives {
		l := &lives[i]
		l.Reached = SpreadOf(l.Runs, func(x *LiveRun) float64 { return x.Reached })
		l.FromLog = liveSpread(l.Runs, func(x *LiveRun) *Latencies { return &x.FromLog })
		l.FromSending = liveSpread(l.Runs, func(x *LiveRun) *Latencies { return &x.FromSending })
	}
	return lives, nil
}

// liveRun produces the events at a rate to a topic of its own, and watches probes among them. Records of that topic carry
// the time at which the broker appended them.
func (r *kafkaRun) liveRun(ctx context.Context, rate float64, topic string) (run LiveRun, err error) {
	if err := r.topics.Create(ctx, topic, int32(r.Partitions), true); err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, r.deleteTopics(ctx, topic)) }()
	t, err := trial.Open(ctx, r.Config.trial())
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	consumer, err := r.consumer(t, topic)
	if err != nil {
		return run, err
	}
	defer func() { err = errors.Join(err, consumer.Stop(ctx)) }()
	if err := consumer.Start(); err != nil {
		return run, err
	}
	if err := r.consuming(ctx, t, consumer); err != nil {
		return run, err
	}
	runtime.GC() // the garbage of the run before is not this one's
	group, running := errgroup.WithContext(ctx)
	probes := make(chan probe, int(r.Live/probeEvery)+1) // room for all probes, so that the stream never waits for a watcher
	var s seen
	for range probeWatchers {
		group.Go(func() error {
			for p := range probes {
				if err := watch(running, t.Engine, p, &s); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() (err error) {
		defer close(probes)
		run.Reached, run.Seconds, err = r.stream(running, rate, topic, probes)
		return err
	})
	if err := group.Wait(); err != nil {
		return run, err
	}
	if run.FromLog, run.FromSending = Summarise(s.fromLog), Summarise(s.fromSending); run.FromLog.Count == 0 {
		return run, fmt.Errorf("no probe was sent in %.3f s: want more events", run.Seconds)
	}
	return run, nil
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

// stream produces events at a rate, and regularly a probe, directly after an event of the same customer in the same
// partition. The number of events that are due follows from the time since the start, so a late tick is made up for, and
// its probes as well; the rate that it returns says how far that succeeded.
func (r *kafkaRun) stream(ctx context.Context, rate float64, topic string, probes chan<- probe) (reached, seconds float64, err error) {
	writer, err := broker.NewWriter(r.Kafka.Connection(), produceLinger)
	if err != nil {
		return 0, 0, err
	}
	defer writer.Close()
	prober := &prober{decoder: segment.NewDecoder(r.registry, segment.Options{}), seen: make(map[graph.NodeKey]bool)}
	writer.Write(ctx, topic, 0, r.lines[0]) // so that the client knows the topic
	if err := writer.Flush(ctx); err != nil {
		return 0, 0, err
	}
	tick := time.NewTicker(produceEvery)
	defer tick.Stop()
	start, n, next := time.Now(), 1, probeEvery
	for elapsed := time.Duration(0); elapsed < r.Live && n < len(r.lines); elapsed = time.Since(start) {
		for ; n < len(r.lines); n++ {
			due := time.Duration(float64(n) / rate * float64(time.Second))
			if due > elapsed {
				break
			}
			partition := int32(n % r.Partitions)
			writer.Write(ctx, topic, partition, r.lines[n])
			if due < next {
				continue
			}
			p, ok, err := prober.probe(r.lines[n])
			if err != nil {
				return 0, 0, err
			}
			if ok {
				writer.Write(ctx, topic, partition, p.line)
				p.due = start.Add(due)
				probes <- p
				next += probeEvery
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	if err := writer.Flush(ctx); err != nil {
		return 0, 0, err
	}
	seconds = time.Since(start).Seconds()
	return float64(n) / seconds, seconds, nil
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

// watch looks a profile up until it shows a probe, and adds how long that took. It adds nothing if the customer has merged
// with another one whose probe is later.
func watch(ctx context.Context, engine *actors.Engine, p probe, s *seen) error {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	start := time.Now()
	for {
		profile, err := engine.Profile(ctx, p.key)
		if err != nil && !errors.Is(err, actors.ErrUnknown) { // it comes with the probe
			return err
		}
		shown, appended, err := shownProbe(&profile)
		if err != nil {
			return err
		}
		if shown == p.number {
			s.add(time.Since(appended), time.Since(p.due))
		}
		if shown >= p.number {
			return nil
		}
		select {
		case <-time.After(max(lookSoonest, time.Since(start)/lookShare)):
		case <-ctx.Done():
			return fmt.Errorf("probe %d did not show in its profile: %w", p.number, ctx.Err())
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
