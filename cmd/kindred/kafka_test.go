package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	kafkaPartitions = 12
	kafkaDeadline   = 9 * time.Minute
)

// Generated events, consumed from a topic with twelve partitions, give exactly the people of the truth. There are
// 200,000 events, a tenth of that with -short, or KINDRED_KAFKA_EVENTS.
func TestKafka(t *testing.T) {
	k := newKafkaTest(t, kafkatest.Options{}, eventsOf(200_000))
	k.produce(t, k.events)
	start := time.Now()
	server := k.serve(t)
	k.caughtUp(t)
	took := time.Since(start)
	k.stop(t, server)
	t.Logf("%d events in %.1f s, the start of the server included: %.0f events/s", len(k.events), took.Seconds(), float64(len(k.events))/took.Seconds())
	k.exports(t)

	// From the start again: every event is a duplicate.
	kindred(t, k.bin, "kafka", "seek", "--data", k.dir, "--topic", k.topic, "--to", "earliest", "--kafka-brokers", k.brokers)
	server = k.serve(t)
	k.caughtUp(t)
	if again := k.metric(t, `kindred_kafka_events_total{`, `result="accepted"`); again != 0 {
		t.Errorf("%.0f events were taken twice", again)
	}
	k.stop(t, server)
	k.exports(t)
}

// The same, while the server and the broker are killed repeatedly and partitions are added.
func TestKafkaKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers and brokers")
	}
	const kills, brokerKills = 20, 5
	k := newKafkaTest(t, kafkatest.Options{Nodes: 1}, eventsOf(200_000))
	random := rand.New(rand.NewPCG(freshSeed(t), 7))
	server, landed := k.serve(t), 0
	for n := range kills {
		part := k.events[n*len(k.events)/kills : (n+1)*len(k.events)/kills]
		if n%2 == 0 { // else the kill may come while the server opens its directory
			k.answers(t)
		}
		produced := make(chan error, 1)
		go func() { produced <- k.trickle(t.Context(), part) }()
		time.Sleep(time.Duration(random.IntN(400)) * time.Millisecond)
		if n%2 == 0 && len(produced) == 0 {
			landed++
		}
		_ = server.Process.Kill()
		_ = server.Wait()
		if n%(kills/brokerKills) == 1 {
			k.broker.Kill(1)
			server = k.serve(t) // without a broker
			k.broker.Restart(1)
		} else {
			server = k.serve(t)
		}
		if err := <-produced; err != nil {
			t.Fatal(err)
		}
		if n == kills/2 {
			k.addPartitions(t, kafkaPartitions+4)
		}
	}
	k.caughtUp(t)
	k.stop(t, server)
	if t.Logf("%d of %d kills hit a server that answered while events were being written", landed, kills); landed < kills/4 {
		t.Error("that is too few to prove anything")
	}
	kindred(t, k.bin, "verify", "--data", k.dir)
	k.exports(t)

	kindred(t, k.bin, "kafka", "seek", "--data", k.dir, "--topic", k.topic, "--to", "0")
	server = k.serve(t)
	k.caughtUp(t)
	k.stop(t, server)
	k.exports(t)
}

// kafkaTest is a topic, the events to produce to it, and the directory that consumes it.
type kafkaTest struct {
	bin, dir, truth string
	address         string
	broker          *kafkatest.Broker
	brokers, topic  string
	client          *kgo.Client
	events          [][]byte
}

func eventsOf(n int) int {
	if text := os.Getenv("KINDRED_KAFKA_EVENTS"); text != "" {
		if given, err := strconv.Atoi(text); err == nil {
			return given
		}
	}
	if testing.Short() {
		return n / 10
	}
	return n
}

func newKafkaTest(t *testing.T, o kafkatest.Options, events int) *kafkaTest {
	t.Helper()
	k := &kafkaTest{bin: binary(t), dir: filepath.Join(t.TempDir(), "data")}
	file, truth := generateFiles(t, events, events/10, 1)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	k.truth, k.events = truth, bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	k.broker = kafkatest.Start(t, o)
	k.brokers, k.topic = strings.Join(k.broker.Brokers(), ","), k.broker.Topic(kafkaPartitions)
	k.client = k.broker.Client(kgo.DefaultProduceTopic(k.topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.MetadataMinAge(100*time.Millisecond), kgo.MetadataMaxAge(2*time.Second))
	k.address = freeAddresses(t, 1)
	return k
}

// produce writes events and waits until they are acknowledged.
func (k *kafkaTest) produce(t *testing.T, events [][]byte) {
	t.Helper()
	if err := k.write(t.Context(), events); err != nil {
		t.Fatal(err)
	}
}

func (k *kafkaTest) write(ctx context.Context, events [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, kafkaDeadline)
	defer cancel()
	failed := make(chan error, 1)
	for _, e := range events {
		k.client.Produce(ctx, &kgo.Record{Value: e}, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := k.client.Flush(ctx); err != nil {
		return err
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// trickle writes events in twenty parts over at least half a second, so that a kill within that time meets a topic that
// still grows, however fast the server is.
func (k *kafkaTest) trickle(ctx context.Context, events [][]byte) error {
	for part := range slices.Chunk(events, len(events)/20+1) {
		if err := k.write(ctx, part); err != nil {
			return err
		}
		time.Sleep(25 * time.Millisecond)
	}
	return nil
}

// answers waits until the server answers.
func (k *kafkaTest) answers(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(kafkaDeadline); k.metric(t, "kindred_kafka_lag_records{", "") < 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server does not answer")
		}
	}
}

func (k *kafkaTest) serve(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(k.bin, "serve", "--data", k.dir, "--rules", "open", "--listen", k.address, "--memory", "512MiB", "--kafka-brokers", k.brokers, "--kafka-topic", k.topic,
		"--kafka-group", k.topic, "--kafka-dead-letters", k.topic+"-letters")
	cmd.Stderr = os.Stderr
	if !testing.Verbose() {
		cmd.Stderr = nil
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd
}

func (k *kafkaTest) stop(t *testing.T, server *exec.Cmd) {
	t.Helper()
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Fatalf("stop the server: %v", err)
	}
}

// exports requires that the directory holds exactly the people of the truth.
func (k *kafkaTest) exports(t *testing.T) {
	t.Helper()
	export := filepath.Join(t.TempDir(), "export.ndjson")
	kindred(t, k.bin, "export", "--data", k.dir, export)
	t.Log(strings.TrimSpace(string(kindred(t, k.bin, "compare", export, k.truth))))
}

func (k *kafkaTest) addPartitions(t *testing.T, n int) {
	t.Helper()
	if _, err := kadm.NewClient(k.client).UpdatePartitions(t.Context(), n, k.topic); err != nil {
		t.Fatal(err)
	}
}

// caughtUp waits until every record of the topic is handled.
func (k *kafkaTest) caughtUp(t *testing.T) {
	t.Helper()
	ends, err := kadm.NewClient(k.client).ListEndOffsets(t.Context(), k.topic)
	if err != nil {
		t.Fatal(err)
	}
	want := 0.0
	ends.Each(func(o kadm.ListedOffset) { want += float64(o.Offset) })
	for deadline := time.Now().Add(kafkaDeadline); ; time.Sleep(100 * time.Millisecond) {
		if k.metric(t, "kindred_kafka_handled_offset{", "") == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%.0f of %.0f records are handled", k.metric(t, "kindred_kafka_handled_offset{", ""), want)
		}
	}
}

func (k *kafkaTest) metric(t *testing.T, name, label string) float64 {
	t.Helper()
	return metricSum(t, k.address, name, label)
}

// metricSum sums a metric over all labels. It is -1 while the server does not answer.
func metricSum(t *testing.T, address, name, label string) float64 {
	t.Helper()
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	sum := 0.0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		line := lines.Text()
		if !strings.HasPrefix(line, name) || !strings.Contains(line, label) {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		sum += value
	}
	return sum
}

// A rejected event is listed, and accepted on a retry once its cause is gone.
func TestKafkaDeadLetters(t *testing.T) {
	k := newKafkaTest(t, kafkatest.Options{}, 100)
	k.produce(t, [][]byte{[]byte(`{"type":"track","event":"Seen","user":{"id":"u1"}}`), []byte(`{"type":"dance","userId":"u1"}`), []byte(`{`)})
	server := k.serve(t)
	k.caughtUp(t)
	letters := k.topic + "-letters"
	list := func() (all []struct{ Code, Origin string }) {
		out := kindred(t, k.bin, "deadletters", "list", "--kafka-brokers", k.brokers, "--kafka-dead-letters", letters)
		if err := json.Unmarshal(out, &all); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return all
	}
	if all := list(); len(all) != 2 { // the first has no identifier, which is not an error
		t.Fatalf("%+v", all)
	}
	out := kindred(t, k.bin, "deadletters", "retry", "--kafka-brokers", k.brokers, "--kafka-dead-letters", letters, "--kafka-config", k.groupFile(t), "--code", "unknown_type")
	if want := "{\n  \"written\": 1,\n  \"skipped\": 1,\n  \"missing\": 0\n}\n"; string(out) != want {
		t.Errorf("%s", out)
	}
	k.caughtUp(t)
	if all := list(); len(all) != 3 || all[2].Code != "unknown_type" {
		t.Errorf("%+v", all)
	}
	k.stop(t, server)
	out = kindred(t, k.bin, "kafka", "positions", "--data", k.dir)
	var positions []struct {
		Topic  string
		Offset int64
	}
	if err := json.Unmarshal(out, &positions); err != nil || len(positions) != kafkaPartitions || positions[0].Topic != k.topic {
		t.Errorf("%v\n%s", err, out)
	}
}

func (k *kafkaTest) groupFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "kafka.yaml")
	if err := os.WriteFile(name, fmt.Appendf(nil, "group: %s\n", k.topic), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
