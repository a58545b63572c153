package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// HTTPConfig configures a measurement over HTTP.
type HTTPConfig struct {
	Config
	Binary  string        // the program that serves and ingests
	Batch   int           // events in a request
	Singles int           // events that are sent one by one
	Reads   time.Duration // how long profiles are read
	// Connections by kind of request.
	BatchConnections, SingleConnections, ReadConnections int
}

// HTTPRound is one run of each kind, on the same events and new directories. Client and server share the machine.
type HTTPRound struct {
	// Load is the machine's load average over the minute before the round; 0 if it is unknown.
	Load float64 `json:"load_average"`
	// File is ingest from a file, in a process of its own, as the summary of the command says it.
	File    float64  `json:"file_events_per_second"`
	FileCPU float64  `json:"file_cpu_us"` // of an event
	Batches HTTPLoad `json:"batches"`
	Singles HTTPLoad `json:"singles"`
	Reads   HTTPLoad `json:"reads"`
	// Ceiling is what a server reaches that reads the same requests and answers with as many bytes, and does nothing else: the
	// share of net/http, of the system and of the client.
	Ceiling  HTTPCeiling `json:"ceiling"`
	Ratio    float64     `json:"ratio"`                  // batches to file, events per second
	Resident int64       `json:"resident_bytes_at_most"` // of the server; 0 if it is unknown
}

// HTTPCeiling is what a server reaches that does nothing with the same requests.
type HTTPCeiling struct {
	Batches HTTPLoad `json:"batches"`
	Singles HTTPLoad `json:"singles"`
	Reads   HTTPLoad `json:"reads"`
}

// HTTPLoad is what requests of one kind reached, in a closed loop: each connection sends the next request once it has the
// answer to the last.
type HTTPLoad struct {
	Connections int       `json:"connections"`
	PerSecond   float64   `json:"per_second"`    // events, or reads
	CPU         float64   `json:"server_cpu_us"` // of each
	Client      float64   `json:"client_cpu_us"` // of each, and no part of the server's
	Answer      int       `json:"answer_bytes"`  // of the body of an answer, on average
	Latency     Latencies `json:"latency"`       // of requests
}

// HTTPReport is the result, with the medians over the rounds.
type HTTPReport struct {
	Events     int         `json:"events"`
	Batch      int         `json:"events_per_request"`
	Processors int         `json:"processors"`
	Memory     int64       `json:"memory_limit"`
	Rounds     []HTTPRound `json:"rounds"`
	Ratio      Spread      `json:"ratio"`
	Singles    Spread      `json:"singles_per_second"`
	Reads      Spread      `json:"reads_per_second"`
	ReadP99    Spread      `json:"read_p99_us"`
	Resident   Spread      `json:"resident_to_limit"`
	// The following are to the ceilings, which are measured in the same rounds.
	SinglesCeiling Spread `json:"singles_to_ceiling"`
	ReadsCeiling   Spread `json:"reads_to_ceiling"`
}

// RunHTTP measures in turn, on the same events, ingest from a file and over HTTP: in batches, then one event a request, and
// then reads of profiles; and then the same requests against a server that does nothing with them.
func RunHTTP(ctx context.Context, c HTTPConfig) (report HTTPReport, err error) {
	data, lines, err := c.prepare("http")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	input := filepath.Join(c.Dir, "events.ndjson")
	if err := os.WriteFile(input, data, 0o600); err != nil {
		return report, err
	}
	report = HTTPReport{Events: len(lines), Batch: c.Batch, Processors: runtime.GOMAXPROCS(0), Memory: c.Memory}
	for n := range c.Rounds {
		round, err := c.round(ctx, n, input, lines)
		if err != nil {
			return report, err
		}
		report.Rounds = append(report.Rounds, round)
	}
	report.Ratio = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Ratio })
	report.Singles = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Singles.PerSecond })
	report.Reads = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Reads.PerSecond })
	report.ReadP99 = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Reads.Latency.P99 })
	report.Resident = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return float64(r.Resident) / float64(c.Memory) })
	report.SinglesCeiling = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Singles.PerSecond / r.Ceiling.Singles.PerSecond })
	report.ReadsCeiling = SpreadOf(report.Rounds, func(r *HTTPRound) float64 { return r.Reads.PerSecond / r.Ceiling.Reads.PerSecond })
	return report, nil
}

func (c *HTTPConfig) round(ctx context.Context, n int, input string, lines [][]byte) (round HTTPRound, err error) {
	progress := func(step string) { c.Progress(fmt.Sprintf("round %d of %d: %s", n+1, c.Rounds, step)) }
	round.Load = loadAverage()
	progress("from a file")
	if round.File, round.FileCPU, err = c.ingestFile(ctx, input, len(lines)); err != nil {
		return round, err
	}
	server, err := startServer(ctx, c.Binary, c.Dir, c.Memory)
	if err != nil {
		return round, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	singles := min(c.Singles, len(lines)/2)
	progress("in batches, over HTTP")
	if round.Batches, err = server.load(ctx, c.BatchConnections, batches(lines[singles:], c.Batch)); err != nil {
		return round, err
	}
	progress("one event a request")
	if round.Singles, err = server.load(ctx, c.SingleConnections, batches(lines[:singles], 1)); err != nil {
		return round, err
	}
	progress("reads of profiles")
	reading, cancel := context.WithTimeout(ctx, c.Reads)
	defer cancel()
	if round.Reads, err = server.load(reading, c.ReadConnections, reads(lines)); err != nil {
		return round, err
	}
	round.Ratio = round.Batches.PerSecond / round.File
	round.Resident = server.resident()
	progress("the same against a server that does nothing")
	round.Ceiling, err = c.ceiling(ctx, &round, lines)
	return round, err
}

// ceiling sends the requests of a round to a server that answers with as many bytes as the one of the round did.
func (c *HTTPConfig) ceiling(ctx context.Context, round *HTTPRound, lines [][]byte) (reached HTTPCeiling, err error) {
	server, err := launch(ctx, c.Binary, "bench", "ceiling", "--get", fmt.Sprint(round.Reads.Answer), "--post", fmt.Sprint(round.Singles.Answer))
	if err != nil {
		return reached, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	singles := min(c.Singles, len(lines)/2)
	if reached.Batches, err = server.load(ctx, c.BatchConnections, batches(lines[singles:], c.Batch)); err != nil {
		return reached, err
	}
	if reached.Singles, err = server.load(ctx, c.SingleConnections, batches(lines[:singles], 1)); err != nil {
		return reached, err
	}
	reading, cancel := context.WithTimeout(ctx, c.Reads)
	defer cancel()
	reached.Reads, err = server.load(reading, c.ReadConnections, reads(lines))
	return reached, err
}

// ingestFile ingests a file into a new directory, and returns the events per second, and µs of processor time for each.
func (c *HTTPConfig) ingestFile(ctx context.Context, input string, events int) (rate, cpu float64, err error) {
	dir, err := os.MkdirTemp(c.Dir, "file-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // that of the run goes in the end
	cmd := exec.CommandContext(ctx, c.Binary, "ingest", "--data", dir, "--memory", fmt.Sprint(c.Memory), input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, 0, fmt.Errorf("ingest: %w: %s", err, &stderr)
	}
	var summary struct {
		Rate float64 `json:"events_per_second"`
	}
	if err := json.Unmarshal(out, &summary); err != nil || summary.Rate <= 0 {
		return 0, 0, fmt.Errorf("ingest: summary without a rate: %s", out)
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return summary.Rate, float64(used.Microseconds()) / float64(events), nil
}

// requests are those of one kind: in all, or without end.
type requests struct {
	count int // 0: without end
	each  int // events, or reads, in each
	write func(buf []byte, n int) []byte
}

// batches are requests with so many events each.
func batches(lines [][]byte, each int) requests {
	const head = "POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
	return requests{count: len(lines) / each, each: each, write: func(buf []byte, n int) []byte {
		part := lines[n*each : (n+1)*each]
		if each == 1 {
			return append(fmt.Appendf(buf, head, len(part[0])), part[0]...)
		}
		size := len(`{"batch":[]}`) + each - 1
		for _, line := range part {
			size += len(line)
		}
		buf = append(fmt.Appendf(buf, head, size), `{"batch":[`...)
		for i, line := range part {
			if i > 0 {
				buf = append(buf, ',')
			}
			buf = append(buf, line...)
		}
		return append(buf, `]}`...)
	}}
}

// reads are requests for the profiles of the users of a stream, again and again.
func reads(lines [][]byte) requests {
	var users []string
	for _, line := range lines {
		if _, rest, ok := bytes.Cut(line, []byte(`"userId":"cus_`)); ok { // others are words for nobody
			user, _, _ := bytes.Cut(rest, []byte(`"`))
			users = append(users, "cus_"+url.PathEscape(string(user)))
		}
	}
	if len(users) == 0 {
		users = []string{"nobody"}
	}
	return requests{each: 1, write: func(buf []byte, n int) []byte {
		return fmt.Appendf(buf, "GET /v1/profiles/user_id:%s HTTP/1.1\r\nHost: localhost\r\n\r\n", users[n*7919%len(users)])
	}}
}
