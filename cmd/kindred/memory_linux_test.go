//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestMemory ingests page events, each of a different visitor. That is the worst case: each is a new node, a new
// fingerprint, a new message id and a new resident, and none of them recurs.
const (
	memoryVisitors   = 5_000_000 // by file, with 512 MiB
	memoryLeast      = 2_500_000 // by file, with 128 MiB
	memoryOther      = 500_000   // by HTTP and Kafka
	memoryShort      = 50_000
	memoryBatch      = 500 // events a request
	memoryClients    = 128
	memoryProducers  = 4
	memoryPartitions = 12
	memoryDeadline   = 20 * time.Minute
	memoryPatience   = 100 // maximum number of retries of a request
)

// The peak resident memory of a process is within 1.1 times its setting, however events arrive, while millions of new
// visitors arrive; KINDRED_VISITORS overrides their number.
//
// All inputs are measured with the smallest setting, because memory outside the shares weighs most there. The file has
// half of five million visitors, enough to pass the point where fingerprints give way to a filter and runs of message ids
// are merged. With more, the filters no longer fit either and each event costs reads: memory stays bounded, but CI would
// be slow. HTTP and Kafka get half a million, since their own memory does not depend on the number of events.
func TestMemory(t *testing.T) {
	visitors, least, other := memoryVisitors, memoryLeast, memoryOther
	if testing.Short() {
		visitors, least, other = memoryShort, memoryShort, memoryShort
	}
	if text := os.Getenv("KINDRED_VISITORS"); text != "" {
		var err error
		if visitors, err = strconv.Atoi(text); err != nil {
			t.Fatalf("KINDRED_VISITORS: %v", err)
		}
		least, other = visitors, visitors
	}
	m := &memoryTest{bin: binary(t), visitors: least}
	t.Run("file, 128 MiB", func(t *testing.T) { m.file(t, 128) })
	m.visitors = visitors
	t.Run("file, 512 MiB", func(t *testing.T) { m.file(t, 512) })
	m.visitors = other
	t.Run("HTTP, 128 MiB", func(t *testing.T) { m.http(t, 128) })
	t.Run("Kafka, 128 MiB", func(t *testing.T) { m.kafka(t, 128) })
}

type memoryTest struct {
	bin      string
	visitors int
}

// event appends the page view of visitor i.
func (m *memoryTest) event(dst []byte, i int) []byte {
	return fmt.Appendf(dst, `{"type":"page","messageId":"m-%d","anonymousId":"%08x-0000-4000-8000-%012x","timestamp":"2026-11-%02dT%02d:%02d:%02d.%03dZ",`+
		`"name":"Home","properties":{"url":"https://shop.example/p/%d","title":"Product %d"}}`,
		i, uint32(i)*2654435761, i, 1+i/1000/86400%28, i/1000/3600%24, i/1000/60%60, i/1000%60, i%1000, i%1000, i%1000)
}

// peak watches the peak resident memory of a process until it ends, in kB. The figure of wait4 is no use, since for a
// child it begins with that of its parent.
func (m *memoryTest) peak(cmd *exec.Cmd) func() int64 {
	var most int64
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if _, rest, found := strings.Cut(string(status), "\nVmHWM:"); found {
				kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
				if n, err := strconv.ParseInt(kb, 10, 64); err == nil {
					most = n // the kernel keeps the maximum
				}
			}
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int64 {
		close(ended)
		<-done
		return most
	}
}

// ended waits for an orderly end of a process, and compares its peak memory with its setting.
func (m *memoryTest) ended(t *testing.T, cmd *exec.Cmd, setting int64, start time.Time, most func() int64) {
	t.Helper()
	err := cmd.Wait()
	peak, bound := most(), setting*1024*11/10
	if err != nil {
		t.Fatalf("kindred %v: %v\n%s", cmd.Args[1:], err, cmd.Stderr)
	}
	seconds := time.Since(start).Seconds()
	t.Logf("%d visitors in %.0f s (%.0f/s): at most %d kB resident, %.2f of the setting", m.visitors, seconds, float64(m.visitors)/seconds, peak, float64(peak)/float64(setting*1024))
	if peak == 0 || peak > bound {
		t.Errorf("%d kB were resident, want more than none and at most 1.1 times the setting of %d MiB, which are %d kB", peak, setting, bound)
	}
}

func (m *memoryTest) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.Command(m.bin, args...)
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, new(bytes.Buffer)
	return cmd, &stdout
}

func (m *memoryTest) file(t *testing.T, setting int64) {
	cmd, stdout := m.command("ingest", "--data", filepath.Join(t.TempDir(), "data"), "--memory", fmt.Sprintf("%dMiB", setting), "-")
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	most := m.peak(cmd)
	var lines []byte
	for i := range m.visitors {
		if lines = append(m.event(lines, i), '\n'); len(lines) > 1<<16 || i == m.visitors-1 {
			if _, err := input.Write(lines); err != nil {
				t.Errorf("write standard input: %v", err)
				break
			}
			lines = lines[:0]
		}
	}
	if err := input.Close(); err != nil {
		t.Error(err)
	}
	m.ended(t, cmd, setting, start, most)
	if want := fmt.Sprintf(`"identities": %d,`, m.visitors); !strings.Contains(stdout.String(), want) {
		t.Errorf("the summary lacks %s:\n%s", want, stdout)
	}
}

// serve starts a server and waits until it answers.
func (m *memoryTest) serve(t *testing.T, setting int64, more ...string) (cmd *exec.Cmd, url string, most func() int64) {
	address := freeAddresses(t, 1)
	cmd, _ = m.command(append([]string{"serve", "--data", filepath.Join(t.TempDir(), "data"), "--listen", address, "--memory", fmt.Sprintf("%dMiB", setting)}, more...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	most = m.peak(cmd)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if res, err := http.Get("http://" + address + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return cmd, "http://" + address, most
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server does not get ready:\n%s", cmd.Stderr)
		}
	}
}

// stop checks the number of accepted events, and stops the server in order.
func (m *memoryTest) stop(t *testing.T, cmd *exec.Cmd, url string, setting int64, start time.Time, most func() int64) {
	if text := m.metrics(t, url); !strings.Contains(text, fmt.Sprintf("\nkindred_profiles %s\n", strconv.FormatFloat(float64(m.visitors), 'g', -1, 64))) {
		t.Errorf("not all of %d visitors are there", m.visitors)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	m.ended(t, cmd, setting, start, most)
}

func (m *memoryTest) metrics(t *testing.T, url string) string {
	res, err := http.Get(url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// http sends from many connections at once, each as fast as it can.
func (m *memoryTest) http(t *testing.T, setting int64) {
	start := time.Now()
	cmd, url, most := m.serve(t, setting)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: memoryClients}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), memoryDeadline)
	defer cancel()
	var next, again atomic.Int64
	var group sync.WaitGroup
	for range memoryClients {
		group.Go(func() {
			var body []byte
			for ctx.Err() == nil {
				from := int(next.Add(memoryBatch)) - memoryBatch
				if from >= m.visitors {
					return
				}
				body = append(body[:0], `{"batch":[`...)
				for i := from; i < min(from+memoryBatch, m.visitors); i++ {
					if i > from {
						body = append(body, ',')
					}
					body = m.event(body, i)
				}
				n, err := m.post(ctx, client, url, append(body, `]}`...))
				if again.Add(int64(n)); err != nil {
					t.Error(err)
					cancel()
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d requests were sent again", again.Load())
	m.stop(t, cmd, url, setting, start, most)
}

// post sends a body until it is accepted, and returns how often it had to be sent again.
func (m *memoryTest) post(ctx context.Context, client *http.Client, url string, body []byte) (again int, err error) {
	for again = range memoryPatience {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/batch?wait=durable", bytes.NewReader(body))
		if err != nil {
			return again, err
		}
		res, err := client.Do(req)
		if err != nil {
			return again, err
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK:
			return again, nil
		case http.StatusTooManyRequests:
			time.Sleep(time.Second) // as Retry-After says
		default:
			return again, fmt.Errorf("%s: %s", res.Status, text)
		}
	}
	return again, errors.New("a batch was never taken")
}

// kafka lets the server consume the records that a topic already holds, as fast as it can.
func (m *memoryTest) kafka(t *testing.T, setting int64) {
	broker := kafkatest.Start(t, kafkatest.Options{})
	topic := broker.Topic(memoryPartitions)
	m.produce(t, broker, topic)
	start := time.Now()
	cmd, url, most := m.serve(t, setting, "--kafka-brokers", strings.Join(broker.Brokers(), ","), "--kafka-topic", topic, "--kafka-group", "-")
	want := fmt.Sprintf("\nkindred_profiles %s\n", strconv.FormatFloat(float64(m.visitors), 'g', -1, 64))
	for deadline := time.Now().Add(memoryDeadline); !strings.Contains(m.metrics(t, url), want); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the topic is not taken in")
		}
	}
	m.stop(t, cmd, url, setting, start, most)
}

// produce fills a topic with the events, compressed as producers do.
func (m *memoryTest) produce(t *testing.T, broker *kafkatest.Broker, topic string) {
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	for p := range memoryProducers {
		client := broker.Client(kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.ZstdCompression()), kgo.MaxBufferedRecords(20_000))
		group.Go(func() {
			for i := p; i < m.visitors && failed.Load() == nil; i += memoryProducers {
				client.Produce(t.Context(), &kgo.Record{Value: m.event(nil, i)}, func(_ *kgo.Record, err error) {
					if err != nil {
						failed.Store(&err)
					}
				})
			}
			if err := client.Flush(t.Context()); err != nil {
				failed.Store(&err)
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		t.Fatalf("produce: %v", *err)
	}
}
