package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
)

const (
	adoptedEvents = 5000
	adoptedFirst  = 3 * adoptedEvents / clusterBatch / 4 // batches that come before the cluster
)

// TestClusterAdopts: a process that has taken events is killed while it takes more, so that its log and messages between its shards
// are to be finished. Its directory becomes a cluster of three nodes, and is not changed. The export of each is that of a process which
// goes on with a copy of the directory, byte for byte, before and after more events, and audiences have the same people.
func TestClusterAdopts(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	rng := rand.New(rand.NewPCG(freshSeed(t), 47))
	c := newClusterTest(t)
	c.secret = filepath.Join(c.dir, "secret-of-the-directory")
	dir, batches := filepath.Join(c.dir, "before"), clusterBatches(rng, adoptedEvents)
	c.killed(t, dir, batches[:adoptedFirst])
	if err := os.CopyFS(filepath.Join(c.dir, "one"), os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	var found struct {
		Records uint64 `json:"log_records"`
	}
	if err := json.Unmarshal(kindred(t, c.bin, "verify", "--data", dir, "--output", "json"), &found); err != nil || found.Records == 0 {
		t.Fatalf("%d records of logs are to be finished, %v: this proves too little", found.Records, err)
	}

	init := append(c.init(), "--from", dir)
	before := filesOf(t, dir)
	t.Logf("%s", kindred(t, c.bin, init...))
	if after := filesOf(t, dir); after != before {
		t.Errorf("the directory has changed:\n%s\nwas\n%s", after, before)
	}
	c.refused(t, "init again", 4, "it is initialised already", init...)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)

	one, err := node.Open(t.Context(), node.Config{Dir: filepath.Join(c.dir, "one"), Memory: storage.MinMemory, Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := one.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	c.same(t, one.URL(), "after the start")
	alone, err := client.New(one.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range batches { // those that were taken before are known
		c.send(t, rng, body)
		if _, err := alone.Events.Send(t.Context(), body, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	c.same(t, one.URL(), "after more events")
	c.members[0].kill()
	c.refused(t, "the directory of a node", 1, "it belongs to node n1 of cluster "+c.name, append(c.init(), "--from", c.members[0].dir)...)
}

// killed makes a directory whose process was killed while it took events.
func (c *clusterTest) killed(t *testing.T, dir string, batches [][]byte) {
	t.Helper()
	listen := freeAddresses(t, 1)
	url := "http://" + listen
	cmd := exec.Command(c.bin, "serve", "--data", dir, "--listen", listen, "--shards", fmt.Sprint(clusterShards), "--memory", "128MiB")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	to, err := client.New(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a process takes events", func() error {
		_, err := to.Events.Send(t.Context(), batches[0], 0)
		return err
	})
	c.applies(t, url, clusterAudiences)
	c.refused(t, "a directory in use", 1, "has it open", append(c.init(), "--from", dir)...)
	half := len(batches) / 2
	for _, body := range batches[:half] {
		if _, err := to.Events.Send(t.Context(), body, 0); err != nil {
			t.Fatal(err)
		}
	}
	const senders = 4
	answered := make(chan struct{}, senders)
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for at := half + i; at < len(batches); at += senders {
				_, err := to.Events.Send(context.Background(), batches[at], 0)
				select {
				case answered <- struct{}{}:
				default:
				}
				if err != nil {
					return
				}
			}
		})
	}
	<-answered
	_ = cmd.Process.Kill()
	sending.Wait()
}

// same compares the exports of all nodes, and whom they list in audiences, with those of one process.
func (c *clusterTest) same(t *testing.T, url, when string) {
	t.Helper()
	want := settledExport(t, url)
	for _, m := range c.members {
		if got := settledExport(t, "http://"+m.listen); !bytes.Equal(got, want) {
			t.Errorf("%s, %s: an export of %d lines, want %d lines and the same:\n%s", when, m.name, bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")), firstDifference(got, want))
		}
		for _, audience := range []string{"seen", "reachable"} {
			people := c.people(t, url, audience)
			if people == "" {
				t.Errorf("%s: nobody is in %s: this proves nothing", when, audience)
			}
			eventually(t, m.name+" lists who is in "+audience, func() error {
				if got := c.people(t, "http://"+m.listen, audience); got != people {
					return fmt.Errorf("it lists others than one process does")
				}
				return nil
			})
		}
	}
}

// filesOf has the name and the hash of each file of a directory.
func filesOf(t *testing.T, dir string) string {
	t.Helper()
	var all bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s %x\n", path, sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}
