package node

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/internal/broker"
	"github.com/kindred-id/kindred/storage"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ask sends a request to a running Kindred over the network and returns the status, or 0 without an answer.
func ask(url string) int {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(url)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// Start and Stop may be called twice, in any order, and a Kindred that was stopped starts again on the same directory.
func TestStartStop(t *testing.T) {
	ctx := t.Context()
	k, err := New(Config{Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 2, Listen: "127.0.0.1:0", Refit: true})
	if err != nil {
		t.Fatal(err)
	}
	stop := func() {
		t.Helper()
		for range 2 {
			if err := k.Stop(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop() // never started
	for round := range 2 {
		for range 2 {
			if err := k.Start(ctx); err != nil {
				t.Fatal(err)
			}
		}
		url := k.URL()
		if round == 0 {
			post(t, k, `{"type":"identify","messageId":"m","userId":"u"}`)
		}
		if got := ask(url + "/readyz"); got != http.StatusOK {
			t.Errorf("round %d: /readyz answers %d", round, got)
		}
		if got := ask(url + "/v1/profiles/user_id:u"); got != http.StatusOK {
			t.Errorf("round %d: the event of round 0 is gone: %d", round, got)
		}
		waited, cancel := context.WithCancel(ctx)
		cancel()
		if err := k.Wait(waited); err != nil {
			t.Error(err)
		}
		stop()
		if got := ask(url + "/livez"); got != 0 {
			t.Errorf("round %d: it answers %d after Stop", round, got)
		}
	}
}

// Concurrent starts and stops leave a Kindred running or stopped, and never in between (N3, N6).
func TestStartStopTogether(t *testing.T) {
	k, err := New(Config{Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			act := k.Start
			if n%2 == 1 {
				act = k.Stop
			}
			for range 3 {
				if err := act(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := k.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A wrong configuration is an error, leaves nothing open, and creates no directory if it can be detected before (N1, N3).
func TestStartFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	nowhere := broker.Connection{Brokers: []string{"127.0.0.1:1"}}
	for _, c := range []struct {
		name, want string
		change     func(*Config)
		config     bool // a *ConfigError
		made       bool // a directory was created, since detection required opening it
	}{
		{"no directory", "no data directory", func(c *Config) { c.Dir = "" }, true, false},
		{"shards", "--shards -1: want 1", func(c *Config) { c.Shards = -1 }, true, false},
		{"memory", "memory", func(c *Config) { c.Memory = 1 }, true, false},
		{"everything at once", "--shards -1: want 1", func(c *Config) { c.Shards, c.Memory = -1, 1 }, true, false},
		{"no topic", "name the topic", func(c *Config) { c.Publish.Connection = nowhere }, true, false},
		{"address in use", "address in use", func(c *Config) { c.Listen = taken.Addr().String() }, false, false},
		{"no feed", "there is no change feed to publish; add --feed", func(c *Config) { c.Publish = Publish{Connection: nowhere, Topic: "t"} }, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			config := Config{Dir: dir, Memory: storage.MinMemory, Shards: 1}
			c.change(&config)
			_, err := Open(t.Context(), config)
			var wrong *ConfigError
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &wrong) != c.config {
				t.Fatalf("%v (of the config: %v)", err, errors.As(err, &wrong))
			}
			if _, err := os.Stat(dir); (err == nil) != c.made {
				t.Errorf("a directory is there: %v", err == nil)
			}
			again := Config{Dir: dir, Memory: storage.MinMemory}
			k, err := Open(t.Context(), again)
			if err != nil {
				t.Fatalf("the directory is still open: %v", err)
			}
			if err := k.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Unreachable brokers prevent neither a start nor a stop, and show in /readyz.
func TestPublisherWithoutBrokers(t *testing.T) {
	k, err := Open(t.Context(), Config{
		Dir: filepath.Join(t.TempDir(), "data"), Memory: storage.MinMemory, Shards: 1, Listen: "127.0.0.1:0",
		Feed:    feed.Settings{On: true, Age: time.Hour, Bytes: 1 << 20},
		Publish: Publish{Connection: broker.Connection{Brokers: []string{"127.0.0.1:1"}}, Topic: "changes"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ask(k.URL() + "/readyz"); got != http.StatusOK {
		t.Errorf("/readyz answers %d: a delivery that is tried again needs no operator", got)
	}
	start := time.Now()
	if err := k.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("stopping took %s", took)
	}
}
