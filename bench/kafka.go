package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/broker"
)

// KafkaConfig configures a measurement with a broker.
type KafkaConfig struct {
	Config
	// Kafka is how to reach the brokers. Its topics are ignored, since the run creates topics of its own.
	Kafka      kafka.Config
	Partitions int
	// Live bounds how long one measurement of latency takes; 0 skips all.
	Live time.Duration
	// LiveRuns is how often latency is measured at each load, and Loads are parts of the rate that was reached.
	LiveRuns int
	Loads    []float64
	// Profile is a file for the CPU profile of the first end-to-end run; if it is empty, no profile is written.
	Profile string
}

// KafkaRound is one run of each kind, on the same events.
type KafkaRound struct {
	// Load is the machine's load average over the minute before the round; 0 if it is unknown.
	Load float64 `json:"load_average"`
	// File is ingest from memory, as bench measures it.
	File trial.Measure `json:"file"`
	// EndToEnd is ingest from the brokers: from a consumer that starts on a new directory, until every event is
	// durable and delivered between shards.
	EndToEnd trial.Measure `json:"end_to_end"`
	// Fetch is only reading the same records.
	Fetch trial.Measure `json:"fetch"`
	Ratio float64       `json:"ratio"` // end to end to file, events per second
	// CPURatio is the processor time per event, file to end to end. It covers this process, not the brokers.
	CPURatio float64 `json:"cpu_ratio"`
}

// KafkaReport is the result, with the medians over the rounds.
type KafkaReport struct {
	Events       int          `json:"events"`
	People       int          `json:"people"`
	BytesOfInput int          `json:"bytes_of_input"`
	Partitions   int          `json:"partitions"`
	Processors   int          `json:"processors"`
	Rounds       []KafkaRound `json:"rounds"`
	File         float64      `json:"file_events_per_second"`
	EndToEnd     float64      `json:"end_to_end_events_per_second"`
	Fetch        float64      `json:"fetch_events_per_second"`
	Ratio        float64      `json:"ratio"`
	CPURatio     float64      `json:"cpu_ratio"`
	Live         []Live       `json:"live,omitempty"`
}

// kafkaRun is the state of one RunKafka.
type kafkaRun struct {
	KafkaConfig
	registry *identifier.Registry
	lines    [][]byte
	data     []byte
	name     string // of the topic that holds all events, and prefix of the other topics
	topics   *broker.Topics
}

// RunKafka measures in turn, on the same events, ingest from memory, ingest from the brokers, and reading from the
// brokers alone. Then, at parts of the rate that was reached, it measures how long an event takes to a profile that shows
// it. It creates topics and deletes them.
func RunKafka(ctx context.Context, c KafkaConfig) (report KafkaReport, err error) {
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	r := &kafkaRun{KafkaConfig: c, name: fmt.Sprintf("kindred-bench-%d-%d", os.Getpid(), time.Now().UnixMilli())}
	c.Progress(fmt.Sprintf("generate %d events of %d people", c.Events, c.People))
	if r.data, err = events(c.Config); err != nil {
		return report, err
	}
	r.lines = bytes.Split(bytes.TrimSuffix(r.data, []byte("\n")), []byte("\n"))
	if r.registry, err = identifier.New([16]byte{1}, identifier.Config{}); err != nil {
		return report, err
	}
	if r.topics, err = broker.NewTopics(c.Kafka.Connection()); err != nil {
		return report, err
	}
	defer r.topics.Close()
	defer func() { err = errors.Join(err, r.deleteTopics(ctx, r.name, r.letterTopic())) }()
	if err := r.makeTopics(ctx); err != nil {
		return report, err
	}
	c.Progress(fmt.Sprintf("write them to %d partitions", c.Partitions))
	if err := r.load(ctx); err != nil {
		return report, err
	}
	report = KafkaReport{
		Events: c.Events, People: c.People, BytesOfInput: len(r.data), Partitions: c.Partitions, Processors: runtime.GOMAXPROCS(0),
	}
	for n := range c.Rounds {
		round, err := r.round(ctx, n)
		if err != nil {
			return report, err
		}
		report.Rounds = append(report.Rounds, round)
	}
	report.File = median(report.Rounds, func(r KafkaRound) float64 { return r.File.EventsPerSecond })
	report.EndToEnd = median(report.Rounds, func(r KafkaRound) float64 { return r.EndToEnd.EventsPerSecond })
	report.Fetch = median(report.Rounds, func(r KafkaRound) float64 { return r.Fetch.EventsPerSecond })
	report.Ratio = median(report.Rounds, func(r KafkaRound) float64 { return r.Ratio })
	report.CPURatio = median(report.Rounds, func(r KafkaRound) float64 { return r.CPURatio })
	if c.Live > 0 {
		report.Live, err = r.live(ctx, report.EndToEnd)
	}
	return report, err
}

func (r *kafkaRun) round(ctx context.Context, n int) (round KafkaRound, err error) {
	progress := func(step string) { r.Progress(fmt.Sprintf("round %d of %d: %s", n+1, r.Rounds, step)) }
	round.Load = loadAverage()
	progress("from memory")
	if round.File, _, err = measureEngine(ctx, r.Config, r.registry, r.data, nil); err != nil {
		return round, err
	}
	progress("from the brokers, end to end")
	profile := ""
	if n == 0 {
		profile = r.Profile
	}
	if round.EndToEnd, err = r.endToEnd(ctx, profile); err != nil {
		return round, err
	}
	if file, kafka := round.File.People, round.EndToEnd.People; file != kafka {
		return round, fmt.Errorf("the same events gave %d people from memory, but %d from the brokers; please report this defect", file, kafka)
	}
	progress("from the brokers, read only")
	if round.Fetch, err = r.fetch(ctx); err != nil {
		return round, err
	}
	round.Ratio = round.EndToEnd.EventsPerSecond / round.File.EventsPerSecond
	round.CPURatio = round.File.CPUPerEvent / round.EndToEnd.CPUPerEvent
	return round, nil
}

// loadLinger is how long records wait for a fuller batch while events are written before the rounds.
const loadLinger = 10 * time.Millisecond

// Names of the run's topics.
func (r *kafkaRun) letterTopic() string { return r.name + "-letters" }

// makeTopics creates the topics of the rounds before them, so that no round waits for one.
func (r *kafkaRun) makeTopics(ctx context.Context) error {
	return errors.Join(
		r.topics.Create(ctx, r.name, int32(r.Partitions), false),
		r.topics.Create(ctx, r.letterTopic(), 1, false),
	)
}

// deleteTopics deletes topics, however the run ended.
func (r *kafkaRun) deleteTopics(ctx context.Context, names ...string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return r.topics.Delete(ctx, names...)
}

// load writes all events to the partitions in turn, with the default compression of the client library.
func (r *kafkaRun) load(ctx context.Context) error {
	writer, err := broker.NewWriter(r.Kafka.Connection(), loadLinger)
	if err != nil {
		return err
	}
	defer writer.Close()
	for i, line := range r.lines {
		writer.Write(ctx, r.name, int32(i%r.Partitions), line)
	}
	return writer.Flush(ctx)
}

// endToEnd ingests all events from the brokers into a new directory.
func (r *kafkaRun) endToEnd(ctx context.Context, profile string) (m trial.Measure, err error) {
	t, err := trial.Open(ctx, r.Config.trial())
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.Close(ctx)) }()
	consumer, err := r.consumer(t, r.name)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, consumer.Stop(ctx)) }()
	if profile != "" {
		stop, err := startProfile(profile)
		if err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	return trial.Time(func() (int, int, error) {
		if err := consumer.Start(); err != nil {
			return 0, 0, err
		}
		counts, err := r.caughtUp(ctx, t, consumer)
		if err != nil {
			return 0, 0, err
		}
		if err := t.Engine.Settle(ctx); err != nil {
			return 0, 0, err
		}
		people, err := t.People(ctx)
		return int(counts.Records - counts.WithoutIdentifier), people, err
	})
}

// consumer returns the product's own consumer, for one topic.
func (r *kafkaRun) consumer(t *trial.Trial, topic string) (*kafka.Consumer, error) {
	config := r.Kafka
	config.Topics = []kafka.Topic{{Topic: topic}}
	config.Group, config.DeadLetters = "-", kafka.DeadLetters{Topic: r.letterTopic()}
	return kafka.New(config, kafka.Into{Into: ingest.Into{Engine: t.Engine, Registry: r.registry}, Routing: "bench"})
}

// caughtUp waits until every record has been handled, which implies that its event is durable. A halted partition or a
// rejected event ends the run with an error: a count that is never reached would be waited for without end.
func (r *kafkaRun) caughtUp(ctx context.Context, t *trial.Trial, consumer *kafka.Consumer) (counts kafka.Counts, err error) {
	err = poll(ctx, t, func() (bool, error) {
		counts = kafka.Counts{}
		for _, p := range consumer.Status().Partitions {
			if p.State == kafka.Halted {
				return false, fmt.Errorf("partition %d: %s", p.Partition, p.Error)
			}
			counts.Records += p.Counts.Records
			counts.WithoutIdentifier += p.Counts.WithoutIdentifier
			counts.Rejected += p.Counts.Rejected
		}
		if counts.Rejected > 0 {
			return false, fmt.Errorf("%d generated events were rejected; please report this defect", counts.Rejected)
		}
		return counts.Records >= uint64(len(r.lines)), nil
	})
	return counts, err
}

// pollEvery is the time between two looks at the progress of a consumer.
const pollEvery = 10 * time.Millisecond

// poll asks repeatedly until done reports true, or the engine fails.
func poll(ctx context.Context, t *trial.Trial, done func() (bool, error)) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-t.Engine.Failed():
			return t.Engine.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fetch reads all records as the consumer does, and discards them. It bounds what any consumer of these brokers
// reaches.
func (r *kafkaRun) fetch(ctx context.Context) (trial.Measure, error) {
	return trial.Time(func() (int, int, error) {
		return len(r.lines), 0, r.Kafka.Drain(ctx, r.name, r.Partitions, len(r.lines))
	})
}

// startProfile writes a CPU profile to a file until stop is called.
func startProfile(name string) (stop func() error, err error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// loadAverage returns the load average of the last minute, or 0 if the system does not report it.
func loadAverage() (load float64) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(strings.TrimSpace(string(text)), &load)
	return load
}
