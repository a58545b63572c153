package bench

import (
	"testing"
	"time"

	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/storage"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// A run fills every field of its report, and deletes its topics.
func TestRunKafka(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	c := KafkaConfig{
		Config: Config{Events: 3000, People: 300, Rounds: 1, Dir: t.TempDir(), Memory: storage.MinMemory},
		Kafka:  kafka.Config{Brokers: fake.ListenAddrs()}, Partitions: 3, Live: 300 * time.Millisecond, LiveRuns: 2, Loads: []float64{0.2, 0.5},
	}
	r, err := RunKafka(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rounds) != 1 || r.Rounds[0].File.People == 0 || r.Rounds[0].File.People != r.Rounds[0].EndToEnd.People {
		t.Errorf("rounds: %+v", r.Rounds)
	}
	if r.Ratio <= 0 || r.CPURatio <= 0 || r.Fetch <= 0 {
		t.Errorf("medians: %+v", r)
	}
	if len(r.Live) != len(c.Loads) {
		t.Fatalf("live: %+v", r.Live)
	}
	for i, l := range r.Live {
		if l.Part != c.Loads[i] || l.Wanted != l.Part*r.EndToEnd || len(l.Runs) != c.LiveRuns || l.Reached.Low <= 0 {
			t.Errorf("live at %v: %+v", c.Loads[i], l)
		}
		for _, run := range l.Runs {
			if log, sent := run.FromLog, run.FromSending; log.Count == 0 || sent.Count != log.Count || log.P999 < log.Median || sent.Median <= 0 {
				t.Errorf("live at %v: %+v", c.Loads[i], run)
			}
		}
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(client)
	defer admin.Close()
	topics, err := admin.ListTopics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(topics) > 0 {
		t.Errorf("topics are left: %v", topics.Names())
	}
}
