package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
)

const (
	killEvents   = 60_000
	killPeople   = 6_000
	killsInARow  = 5
	killBatch    = 500 // events a request
	killSenders  = 3
	killSpread   = 10 * time.Millisecond // random delay before each kill
	killDeadline = 2 * time.Minute       // of one round
)

// A process that is killed with SIGKILL loses no event that it acknowledged, and counts none twice: after it has been
// fed everything, its export equals that of an undisturbed process, byte for byte.
func TestKill(t *testing.T) {
	file, http := 25, 25
	if testing.Short() {
		file, http = 2, 1
	}
	k := &killing{bin: binary(t), random: rand.New(rand.NewPCG(freshSeed(t), 9)), secret: filepath.Join(t.TempDir(), "secret")}
	if err := os.WriteFile(k.secret, []byte("000102030405060708090a0b0c0d0e0f\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	k.events, _ = generateFiles(t, killEvents, killPeople, k.random.Uint64())
	undisturbed := filepath.Join(t.TempDir(), "data")
	start := time.Now()
	ingestFile(t, k.bin, undisturbed, k.events, "--secret-file", k.secret)
	k.length = time.Since(start)
	k.want = kindred(t, k.bin, "export", "--data", undisturbed)
	t.Run("file", func(t *testing.T) { k.run(t, file, k.fileRound) })
	t.Run("http", func(t *testing.T) { k.run(t, http, k.httpRound) })
}

// killing holds what all rounds share.
type killing struct {
	bin    string
	random *rand.Rand
	secret string
	events string        // file
	length time.Duration // of an undisturbed ingest
	want   []byte        // its export
}

// run does rounds of up to killsInARow kills, each round in its own directory, until this many kills have hit a process
// during ingest.
func (k *killing) run(t *testing.T, kills int, round func(t *testing.T, dir string, kills int) (landed int)) {
	rounds := 0
	for landed := 0; landed < kills; rounds++ {
		if rounds == 10*kills {
			t.Fatalf("%d of %d kills hit in %d rounds: the ingest is too short to be hit", landed, kills, rounds)
		}
		n := min(kills-landed, 1+k.random.IntN(killsInARow))
		dir := filepath.Join(t.TempDir(), "data")
		landed += round(t, dir, n)
		kindred(t, k.bin, "verify", "--data", dir)
		got := kindred(t, k.bin, "export", "--data", dir)
		if !bytes.Equal(got, k.want) {
			t.Fatalf("after %d kills the export differs from the undisturbed one:\n%s", n, firstDifference(got, k.want))
		}
	}
	t.Logf("%d kills in %d rounds", kills, rounds)
}

// fileRound kills an ingest of a file again and again, then lets one through.
func (k *killing) fileRound(t *testing.T, dir string, kills int) (landed int) {
	for range kills {
		cmd := exec.Command(k.bin, "ingest", "--data", dir, "--secret-file", k.secret, k.events)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(k.random.Int64N(int64(k.length))))
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); err == nil {
			break // it ended before the kill
		}
		landed++
		if _, err := os.Stat(filepath.Join(dir, "KINDRED")); err == nil {
			kindred(t, k.bin, "verify", "--data", dir) // a kill leaves no damage
		}
	}
	again := ingestFile(t, k.bin, dir, k.events, "--secret-file", k.secret)
	if again.Read != killEvents || again.Rejected != 0 {
		t.Fatalf("fed again: %+v", again)
	}
	if twice := ingestFile(t, k.bin, dir, k.events); twice.Accepted != 0 {
		t.Fatalf("%d events were taken twice", twice.Accepted)
	}
	return landed
}

// httpRound kills a server that is being fed, and starts it again, until everything is acknowledged.
func (k *killing) httpRound(t *testing.T, dir string, kills int) (landed int) {
	ctx, cancel := context.WithTimeout(context.Background(), killDeadline)
	defer cancel()
	address := freeAddresses(t, 1)
	server := k.serve(t, dir, address)
	defer func() { _ = server.Process.Kill(); _ = server.Wait() }()

	var acknowledged atomic.Int64
	fed := make(chan error, 1)
	go func() { fed <- k.feed(ctx, "http://"+address, &acknowledged) }()
	targets := make([]int64, kills) // how much is acknowledged when the kill comes
	for i := range targets {
		targets[i] = k.random.Int64N(killEvents * 9 / 10)
	}
	slices.Sort(targets)
	for _, target := range targets {
		for acknowledged.Load() < target && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(k.random.Int64N(int64(killSpread))))
		if acknowledged.Load() < killEvents {
			landed++
		}
		_ = server.Process.Kill()
		_ = server.Wait()
		server = k.serve(t, dir, address)
	}
	if err := <-fed; err != nil {
		t.Fatal(err)
	}
	// Everything was acknowledged, so every event is a duplicate.
	c, err := client.New("http://"+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range k.bodies(t) {
		result, err := c.Events.Send(ctx, body, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if result.Accepted != 0 {
			t.Fatalf("%d events were acknowledged, and lost", result.Accepted)
		}
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := server.Wait(); err != nil {
		t.Fatalf("stop the server: %v", err)
	}
	return landed
}

func (k *killing) serve(t *testing.T, dir, address string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(k.bin, "serve", "--data", dir, "--listen", address, "--secret-file", k.secret)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// feed sends every batch until it is acknowledged, a few at a time.
func (k *killing) feed(ctx context.Context, url string, acknowledged *atomic.Int64) error {
	bodies, err := readBodies(k.events)
	if err != nil {
		return err
	}
	work := make(chan []byte)
	var senders sync.WaitGroup
	for range killSenders {
		senders.Go(func() {
			for body := range work {
				for ctx.Err() == nil && !send(ctx, url, body) {
					time.Sleep(5 * time.Millisecond) // the server is being started again
				}
				acknowledged.Add(killBatch)
			}
		})
	}
	for _, body := range bodies {
		work <- body
	}
	close(work)
	senders.Wait()
	return ctx.Err()
}

// send sends a batch once, and reports whether it was acknowledged.
func send(ctx context.Context, url string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return err == nil && res.StatusCode == http.StatusOK && json.Valid(text)
}

func (k *killing) bodies(t *testing.T) [][]byte {
	t.Helper()
	bodies, err := readBodies(k.events)
	if err != nil {
		t.Fatal(err)
	}
	return bodies
}

// readBodies makes requests of a file.
func readBodies(name string) ([][]byte, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	var bodies [][]byte
	for start := 0; start < len(lines); start += killBatch {
		body := append([]byte(`{"batch":[`), bytes.Join(lines[start:min(start+killBatch, len(lines))], []byte(","))...)
		bodies = append(bodies, append(body, `]}`...))
	}
	return bodies, nil
}

// firstDifference shows the first lines in which two exports differ.
func firstDifference(got, want []byte) string {
	g, w := bytes.Split(got, []byte("\n")), bytes.Split(want, []byte("\n"))
	for i := range min(len(g), len(w)) {
		if !bytes.Equal(g[i], w[i]) {
			return fmt.Sprintf("line %d:\n%s\nwant\n%s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}
