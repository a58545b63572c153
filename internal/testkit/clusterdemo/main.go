// Command clusterdemo shows what becomes of a cluster that loses a node: make cluster-demo. It starts three brokers of Kafka and three
// nodes on loopback, lets shoppers stream in at any node, kills one, and compares what is there with what one machine makes of the
// same events.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/internal/loopback"
	"github.com/kindred-id/kindred/internal/testkit/kafkatest"
)

func main() {
	bin := flag.String("bin", "bin/kindred", "the kindred to run")
	events := flag.Int("events", 20_000, "how many events stream in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *bin, *events); err != nil {
		fmt.Fprintln(os.Stderr, "cluster-demo:", err)
		os.Exit(1)
	}
}

const (
	nodes     = 3
	shards    = "12"
	batchOf   = 50
	patience  = 2 * time.Minute
	tryAgain  = 50 * time.Millisecond
	secretHex = "000102030405060708090a0b0c0d0e0f"
)

// demo is a cluster on loopback.
type demo struct {
	bin, dir, brokers string
	listen, peers     []string
	processes         []*exec.Cmd
}

func run(ctx context.Context, bin string, events int) (err error) {
	dir, err := os.MkdirTemp("", "kindred-cluster-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	d := &demo{bin: bin, dir: dir, processes: make([]*exec.Cmd, nodes)}
	say("starting three brokers of Kafka")
	starting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	kafka, err := kafkatest.NewCluster(starting, filepath.Join(dir, "kafka"), 3, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kafka.Stop()) }()
	d.brokers = strings.Join(kafka.Brokers(), ",")
	if err := os.WriteFile(d.path("secret"), []byte(secretHex+"\n"), 0o600); err != nil {
		return err
	}
	if out, err := d.command("cluster", "init", "--cluster", "demo", "--journal-brokers", d.brokers, "--secret-file", d.path("secret"), "--shards", shards).CombinedOutput(); err != nil {
		return fmt.Errorf("cluster init: %w\n%s", err, out)
	}
	defer d.stop()
	for range nodes {
		listen, err := loopback.Free(1)
		if err != nil {
			return err
		}
		peers, err := loopback.Free(3)
		if err != nil {
			return err
		}
		d.listen, d.peers = append(d.listen, listen), append(d.peers, peers)
	}
	for i := range nodes {
		if err := d.start(i); err != nil {
			return err
		}
	}
	for i := range nodes {
		if err := await(ctx, d.ready(i)); err != nil {
			return fmt.Errorf("n%d does not get ready: %w", i+1, err)
		}
		say("n%d is ready at http://%s", i+1, d.listen[i])
	}
	batches, err := shoppers(events)
	if err != nil {
		return err
	}
	if err := d.stream(ctx, batches); err != nil {
		return err
	}
	return d.compare(ctx, batches)
}

func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format("15:04:05.0"), fmt.Sprintf(format, args...))
}

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

func (d *demo) command(args ...string) *exec.Cmd { return exec.Command(d.bin, args...) }

func (d *demo) start(i int) error {
	name := fmt.Sprintf("n%d", i+1)
	log, err := os.Create(d.path(name + ".log"))
	if err != nil {
		return err
	}
	cmd := d.command("serve", "--cluster", "demo", "--node", name, "--data", d.path(name), "--listen", d.listen[i], "--node-listen", d.peers[i], "--join", strings.Join(d.peers, ","),
		"--journal-brokers", d.brokers, "--secret-file", d.path("secret"), "--memory", "256MiB", "--insecure-dev")
	cmd.Stdout, cmd.Stderr = log, log
	if err := errors.Join(cmd.Start(), log.Close()); err != nil {
		return err
	}
	d.processes[i] = cmd
	return nil
}

func (d *demo) kill(i int) {
	if p := d.processes[i]; p != nil {
		_ = p.Process.Kill()
		_ = p.Wait()
		d.processes[i] = nil
	}
}

func (d *demo) stop() {
	for i := range d.processes {
		d.kill(i)
	}
}

// ready reports whether a node is.
func (d *demo) ready(i int) func(context.Context) error {
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.listen[i]+"/readyz", nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return errors.New(res.Status)
		}
		return nil
	}
}

// await waits until something holds.
func await(ctx context.Context, holds func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := holds(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(tryAgain):
		}
	}
}

// shoppers makes the requests.
func shoppers(events int) (batches [][]byte, err error) {
	c := generate.Default()
	c.Events, c.People, c.Seed = events, max(1, events/10), 7
	g, err := generate.New(c)
	if err != nil {
		return nil, err
	}
	var lines [][]byte
	flush := func() {
		if len(lines) > 0 {
			batches = append(batches, append(append([]byte(`{"batch":[`), bytes.Join(lines, []byte{','})...), `]}`...))
			lines = nil
		}
	}
	for {
		line, ok := g.Next(nil)
		if !ok {
			flush()
			return batches, nil
		}
		if lines = append(lines, line); len(lines) == batchOf {
			flush()
		}
	}
}

// stream sends the requests to any node, and kills one in the middle.
func (d *demo) stream(ctx context.Context, batches [][]byte) error {
	rng := rand.New(rand.NewPCG(7, 7))
	kill, again := len(batches)/3, 2*len(batches)/3
	say("%d events stream in, to any node", len(batches)*batchOf)
	var killed time.Time
	var longest time.Duration
	repeated := 0
	for i, body := range batches {
		switch i {
		case kill:
			d.kill(1)
			killed = time.Now()
			say("n2 is killed (SIGKILL), with its shards and all that it had in memory")
		case again:
			if err := d.start(1); err != nil {
				return err
			}
			say("n2 is started again")
		}
		begun := time.Now()
		err := await(ctx, func(ctx context.Context) error {
			to, err := client.New("http://"+d.listen[rng.IntN(nodes)], nil)
			if err == nil {
				_, err = to.Events.Send(ctx, body, 0)
			}
			if err != nil {
				repeated++
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("a batch is not taken: %w", err)
		}
		if took := time.Since(begun); i >= kill && took > longest {
			longest = took
			if took > time.Second {
				say("a batch waited %.1f s for a shard of n2, and was taken", took.Seconds())
			}
		}
	}
	say("all are taken: the longest wait of a batch was %.1f s, and %d requests were sent again; n2 was killed %.0f s ago", longest.Seconds(), repeated, time.Since(killed).Seconds())
	return nil
}

// compare compares the exports of the nodes with that of one machine.
func (d *demo) compare(ctx context.Context, batches [][]byte) error {
	one, err := loopback.Free(1)
	if err != nil {
		return err
	}
	cmd := d.command("serve", "--data", d.path("one"), "--listen", one, "--shards", shards, "--secret-file", d.path("secret"), "--memory", "256MiB")
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	alone, err := client.New("http://"+one, nil)
	if err != nil {
		return err
	}
	for _, body := range batches {
		if err := await(ctx, func(ctx context.Context) error { _, err := alone.Events.Send(ctx, body, 0); return err }); err != nil {
			return fmt.Errorf("one machine does not take a batch: %w", err)
		}
	}
	want, err := export(ctx, one)
	if err != nil {
		return err
	}
	for i := range nodes {
		got, err := export(ctx, d.listen[i])
		if err != nil {
			return fmt.Errorf("export of n%d: %w", i+1, err)
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("n%d: the export differs from that of one machine: %d lines, want %d", i+1, bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
	}
	say("nothing is lost: the export of each node is that of one machine, byte for byte (%d people, %d bytes)", bytes.Count(want, []byte("\n")), len(want))
	return nil
}

// export is the export at an address, once nothing is under way.
func export(ctx context.Context, address string) (text []byte, err error) {
	c, err := client.New("http://"+address, nil)
	if err != nil {
		return nil, err
	}
	err = await(ctx, func(ctx context.Context) error {
		x, err := c.Profiles.Export(ctx, client.ExportOptions{Empty: true, Detail: true})
		if err != nil {
			return err
		}
		defer x.Close()
		if text, err = io.ReadAll(x); err == nil && !x.Settled {
			err = errors.New("something is under way")
		}
		return err
	})
	return text, err
}
