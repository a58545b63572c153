package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
)

// A foreign client (kcat, on librdkafka, against Apache Kafka's own broker) writes events to a topic and reads the
// changes that follow from them in another.
func TestKafkaOutsideClient(t *testing.T) {
	kcat, err := exec.LookPath("kcat")
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatalf("%v (install kcat; .ci/setup does)", err)
	case err != nil:
		t.Skipf("\n\n  NOT TESTED WITH AN OUTSIDE CLIENT: %v (install kcat)\n", err)
	}
	k := newKafkaTest(t, kafkatest.Options{}, 100)
	if !k.broker.Real() {
		t.Skip("\n\n  NOT TESTED WITH AN OUTSIDE CLIENT: it needs a real broker (make kafka)\n")
	}
	changes := k.broker.Topic(1)
	server := exec.Command(k.bin, "serve", "--data", k.dir, "--listen", k.address, "--memory", "512MiB",
		"--kafka-brokers", k.brokers, "--kafka-topic", k.topic, "--kafka-group", k.topic, "--kafka-dead-letters", k.topic+"-letters",
		"--feed", "--publish-brokers", k.brokers, "--publish-topic", changes)
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill() })
	ctx, cancel := context.WithTimeout(t.Context(), kafkaDeadline)
	defer cancel()

	produce := exec.CommandContext(ctx, kcat, "-P", "-b", k.brokers, "-t", k.topic)
	produce.Stdin = strings.NewReader(`{"type":"page","messageId":"m1","anonymousId":"3f1c","name":"Home"}
{"type":"identify","messageId":"m2","anonymousId":"3f1c","userId":"42","traits":{"email":"ann@example.com"}}
{"type":"identify","messageId":"m2","anonymousId":"3f1c","userId":"42","traits":{"email":"ann@example.com"}}
`)
	if out, err := produce.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", produce.Args, err, out)
	}
	k.caughtUp(t)

	var profile struct {
		Events      uint64
		Identifiers []struct{ Namespace, Value string }
	}
	if err := json.Unmarshal(kindred(t, k.bin, "get", "email:ann@example.com", "--url", "http://"+k.address, "-o", "json"), &profile); err != nil {
		t.Fatal(err)
	}
	if profile.Events != 2 || len(profile.Identifiers) != 3 {
		t.Errorf("profile %+v, want 2 events and 3 identifiers", profile)
	}
	k.replays(ctx, t, kcat, changes)
	k.stop(t, server)
}

// replays reads the topic of changes with kcat until its entries add up to one person with two events.
func (k *kafkaTest) replays(ctx context.Context, t *testing.T, kcat, changes string) {
	t.Helper()
	for {
		consume := exec.CommandContext(ctx, kcat, "-C", "-b", k.brokers, "-t", changes, "-e", "-q", "-f", "%h\t%k\t%s\n")
		out, err := consume.Output()
		if err != nil {
			t.Fatalf("%v: %v", consume.Args, err)
		}
		events := make(map[string]uint64) // by identity
		for line := range bytes.Lines(out) {
			headers, rest, _ := strings.Cut(strings.TrimSpace(string(line)), "\t")
			key, value, ok := strings.Cut(rest, "\t")
			var change struct {
				Losers   []string
				Identity *struct{ Events *uint64 }
			}
			if err := json.Unmarshal([]byte(value), &change); err != nil || !ok {
				t.Fatalf("%v: a change of %q", err, line)
			}
			if !strings.Contains(headers, "ce_specversion=1.0") || !strings.Contains(headers, "ce_type=kindred.") {
				t.Fatalf("headers %q are no CloudEvent's", headers)
			}
			for _, loser := range change.Losers {
				delete(events, loser)
			}
			if change.Identity != nil && change.Identity.Events != nil {
				events[key] = *change.Identity.Events
			}
		}
		if len(events) == 1 {
			for _, n := range events {
				if n == 2 {
					t.Logf("kcat reads:\n%s", out)
					return
				}
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the changes add up to %v, want one identity of 2 events:\n%s", events, out)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
