package node

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/storage"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Files are made of the metrics of a node by make generate.
//
//go:generate go test -run ^TestMetrics$ -update .
var update = flag.Bool("update", false, "rewrite the list of metrics and the dashboard")

// The files that are made of the metrics, seen from here, and those that must name only metrics that there are.
const (
	metricsPage   = "../docs/metrics.md"
	dashboardFile = "../deploy/grafana/kindred.json"
	alertsFile    = "../deploy/prometheus/alerts.yaml"
)

// labels are all labels of Kindred's own metrics: none of them can name a person, and all are bounded.
var labels = []string{
	"source", "type", "result", "field", "code", "route", "status", "version", "rules", "topic", "partition", "state", "receiver", "le",
}

// The metrics of a node with every part follow the conventions, have no label beside the known ones, and the list of metrics,
// the dashboard and the alerts say what there is.
func TestMetrics(t *testing.T) {
	text := scrapeOf(t)
	problems, err := promlint.New(bytes.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "kindred_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	families := familiesOf(t, text)
	if len(families) < 40 {
		t.Fatalf("%d metrics: a part of the node is missing", len(families))
	}
	for _, f := range families {
		for _, m := range f.Metric {
			for _, l := range m.Label {
				if !slices.Contains(labels, l.GetName()) {
					t.Errorf("%s has the label %s, which is not known to be bounded and to name nobody", f.GetName(), l.GetName())
				}
			}
		}
	}
	for path, made := range map[string][]byte{metricsPage: metricsText(families), dashboardFile: dashboard(families)} {
		if *update {
			if err := os.WriteFile(path, made, 0o644); err != nil { //nolint:gosec // it is source
				t.Fatal(err)
			}
			continue
		}
		if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, made) {
			t.Errorf("%s is not what the metrics make (%v): make generate", path, err)
		}
	}
	checkNames(t, families, alertsFile, dashboardFile, "../docs/operations.md", "../docs/kafka.md", "../docs/changes.md")
}

// checkNames fails for a metric that a file names and that does not exist.
func checkNames(t *testing.T, families []*dto.MetricFamily, paths ...string) {
	t.Helper()
	known := map[string]bool{}
	for _, f := range families {
		known[f.GetName()] = true
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bkindred_[a-z_]+[a-z]`).FindAllString(string(text), -1) {
			base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"), "_sum")
			if !known[name] && !known[base] {
				t.Errorf("%s names %s, which is no metric", path, name)
			}
		}
	}
}

// scrapeOf returns the metrics of a node that has every part, after an event of each way in.
func scrapeOf(t *testing.T) []byte {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events", "kindred.changes"), kfake.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	for n, value := range []string{
		`{"type":"track","event":"x","userId":"u1","messageId":"k1"}`, `{"type":"track","event":"x","userId":"u1","messageId":"k2","context":3}`, `{"bad":`,
	} {
		if err := producer.ProduceSync(t.Context(), &kgo.Record{Topic: "events", Value: []byte(value)}).FirstErr(); err != nil {
			t.Fatal(n, err)
		}
	}
	k, err := Open(t.Context(), Config{
		Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 2, Listen: "127.0.0.1:0", Refit: true, Feed: feed.Settings{On: true, Age: time.Hour, Bytes: 1 << 20},
		Kafka:   &kafka.Config{Brokers: fake.ListenAddrs(), Topics: []kafka.Topic{{Topic: "events"}, {Topic: "missing"}}},
		Publish: Publish{Connection: broker.Connection{Brokers: fake.ListenAddrs()}, Topic: "kindred.changes"}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Post(k.URL()+"/v1/identify", "application/json", strings.NewReader(`{"userId":"u1","messageId":"h1","timestamp":"0001-01-01T00:00:00Z"}`))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	res.Body.Close()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text := pageOf(t, k.URL()+"/metrics")
		missing := slices.DeleteFunc([]string{
			"kindred_event_to_profile_seconds_count", "kindred_kafka_dropped_total", "kindred_kafka_dead_letters_total", "kindred_kafka_topic_missing",
			"kindred_publish_last_delivery_timestamp_seconds", "kindred_ingest_dropped_total", "kindred_kafka_lag_seconds",
		}, func(name string) bool { return bytes.Contains(text, []byte("\n"+name)) })
		if len(missing) == 0 {
			return text
		}
		if time.Now().After(deadline) {
			t.Fatalf("not in the metrics: %v", missing)
		}
	}
}

// pageOf fetches a page.
func pageOf(t *testing.T, url string) []byte {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res.Status, err)
	}
	return text
}

// familiesOf parses Kindred's own metrics, by name.
func familiesOf(t *testing.T, text []byte) (list []*dto.MetricFamily) {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range all {
		if strings.HasPrefix(name, "kindred_") {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return list
}

// labelsOf lists the labels of a metric.
func labelsOf(f *dto.MetricFamily) (names []string) {
	for _, m := range f.Metric {
		for _, l := range m.Label {
			if !slices.Contains(names, l.GetName()) {
				names = append(names, l.GetName())
			}
		}
	}
	slices.Sort(names)
	return names
}

// metricsText is the page about metrics.
func metricsText(families []*dto.MetricFamily) []byte {
	var b strings.Builder
	b.WriteString("# Metrics\n\nMade of the metrics of a server with every part (`make generate`).\nNo label names a person, and every label is bounded.\n\n")
	b.WriteString("| metric | kind | labels | |\n|---|---|---|---|\n")
	for _, f := range families {
		quoted := labelsOf(f)
		for i := range quoted {
			quoted[i] = "`" + quoted[i] + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", f.GetName(), strings.ToLower(f.GetType().String()), strings.Join(quoted, " "), f.GetHelp())
	}
	return []byte(b.String())
}
