package harness

import (
	"context"
	"errors"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
)

// kafkaLoads are the loads at which latency from Kafka is measured, as parts of the rate that was reached.
var kafkaLoads = []float64{0.2, 0.5, 0.8}

const (
	kafkaPartitions = 12
	kafkaPeople     = 10     // events for each person
	kafkaLeast      = 20_000 // events: fewer are sent before a probe can be
)

// stepsOfKafka counts what bench.RunKafka tells: two before the rounds, three in each, and each run under load.
func stepsOfKafka(r *run) int { return 2 + 3*r.Rounds + r.KafkaRuns*len(kafkaLoads) }

// measureKafka measures ingest from Apache Kafka's own broker, and how long an event takes from its log to a profile.
func measureKafka(ctx context.Context, r *run) error {
	return r.inDirectory(func(dir string) (err error) {
		cluster, err := kafkatest.NewCluster(ctx, dir, 1, false)
		if errors.Is(err, kafkatest.ErrNoKafka) {
			r.report.Missing = append(r.report.Missing, "kafka ("+err.Error()+")")
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, cluster.Stop()) }()
		events := max(kafkaLeast, r.Events/2)
		report, err := bench.RunKafka(ctx, bench.KafkaConfig{
			Config: bench.Config{
				Events: events, People: events / kafkaPeople, Rounds: r.Rounds, Dir: r.Dir, Memory: r.Memory,
				Progress: func(what string) { r.step("Kafka: %s", what) },
			},
			Kafka: kafka.Config{Brokers: cluster.Brokers()}, Partitions: kafkaPartitions,
			Live: r.Live, LiveRuns: r.KafkaRuns, Loads: kafkaLoads,
		})
		r.report.Kafka = &report
		return err
	})
}
