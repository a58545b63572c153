//go:build unix

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/egress"
)

// feedFollower follows the change feed of a cluster, at one node after the other.
type feedFollower struct {
	mu      sync.Mutex // guards the following
	cursor  string
	entries [][]byte
	last    map[string]int // by shard: number of the last entry
	streams int
	problem error
}

// follow reads until ctx ends, or, without follow, the feed does. A stream that ends is gone on with at any node.
func (f *feedFollower) follow(ctx context.Context, rng *rand.Rand, addresses []string, follow bool) error {
	for {
		most := 1 << 30
		if follow {
			most = 50 + rng.IntN(300)
		}
		err := f.stream(ctx, addresses[rng.IntN(len(addresses))], follow, most)
		f.mu.Lock()
		problem := f.problem
		f.mu.Unlock()
		switch {
		case problem != nil || ctx.Err() != nil:
			return problem
		case err == nil && !follow:
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// stream reads some entries at one node.
func (f *feedFollower) stream(ctx context.Context, address string, follow bool, most int) error {
	c, err := client.New("http://"+address, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes, err := c.Feed.Changes(ctx, f.cursor, "", follow, false)
	if err != nil {
		return err
	}
	defer changes.Close()
	f.mu.Lock()
	f.streams++
	f.mu.Unlock()
	// A node that is paused says nothing, not even that it is alive.
	silence := time.AfterFunc(20*time.Second, cancel)
	defer silence.Stop()
	for range most {
		entry, err := changes.Next()
		silence.Reset(20 * time.Second)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f.take(bytes.Clone(entry), changes.Cursor())
	}
	return nil
}

// take notes an entry. Some come again where a stream goes on; none is passed over.
func (f *feedFollower) take(entry []byte, cursor string) {
	var head struct{ ID string }
	err := json.Unmarshal(entry, &head)
	f.mu.Lock()
	defer f.mu.Unlock()
	shard, text, _ := strings.Cut(head.ID, "-")
	number := 0
	if _, scan := fmt.Sscan(text, &number); err != nil || scan != nil {
		f.problem = fmt.Errorf("entry %s: %w", head.ID, cmp.Or(err, scan))
	}
	if number > f.last[shard]+1 {
		f.problem = fmt.Errorf("entry %s comes after entry %d of its shard", head.ID, f.last[shard])
	}
	f.last[shard] = max(f.last[shard], number)
	f.entries = append(f.entries, entry)
	f.cursor = cursor
}

// rebuilt is the export that follows from the entries.
func (f *feedFollower) rebuilt(t *testing.T) []byte {
	t.Helper()
	f.mu.Lock()
	entries := slices.Clone(f.entries)
	f.mu.Unlock()
	return rebuiltFrom(t, entries)
}

// rebuiltFrom is the export that follows from entries of the feed.
func rebuiltFrom(t *testing.T, entries [][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	err := egress.Rebuild(&out, func() ([]byte, error) {
		if len(entries) == 0 {
			return nil, io.EOF
		}
		next := entries[0]
		entries = entries[1:]
		return next, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestClusterFeed: the change feed of three nodes is followed at one after the other, and published to a topic, while the node that
// publishes is killed, the next one is paused until others go on, and both come back. No entry is passed over, and what follows from them
// is the export, as it is from the whole feed of each node, and from the topic.
func TestClusterFeed(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	seed := freshSeed(t)
	rng := rand.New(rand.NewPCG(seed, 46))
	c := newClusterTest(t)
	kindred(t, c.bin, append(c.init(), "--feed")...)
	changes := newChangesTopic(t, c)
	c.flags = []string{"--feed", "--publish-brokers", c.brokers, "--publish-topic", changes.name, "--backup-dir", c.dir}
	var addresses []string
	for _, m := range c.members {
		c.start(t, m)
		addresses = append(addresses, m.listen)
	}
	c.ready(t)

	f := &feedFollower{cursor: "start", last: map[string]int{}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var following sync.WaitGroup
	defer following.Wait()
	defer stop()
	following.Go(func() {
		if err := f.follow(ctx, rand.New(rand.NewPCG(seed, 47)), addresses, true); err != nil {
			t.Error(err)
		}
	})
	batches := clusterBatches(rng, clusterEvents)
	var killed *clusterMember
	for i, body := range batches {
		switch i {
		case len(batches) / 4:
			killed = c.publisher(t)
			killed.kill()
		case len(batches) / 2:
			c.start(t, killed)
		case 3 * len(batches) / 4:
			paused := c.publisher(t).process.Process
			if err := paused.Signal(syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(6*time.Second, func() { _ = paused.Signal(syscall.SIGCONT) })
		}
		c.send(t, rng, body)
	}
	c.ready(t)
	c.compare(t, batches, c.members...)
	want := kindred(t, c.bin, "export", "--url", "http://"+addresses[0])
	eventually(t, "the follower has the export", func() error {
		if got := f.rebuilt(t); !bytes.Equal(got, want) {
			return fmt.Errorf("%d lines, want %d lines and the same", bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
		return nil
	})
	stop()
	following.Wait()
	for _, m := range c.members {
		if got := kindred(t, c.bin, "tail", "--rebuild", "--url", "http://"+m.listen); !bytes.Equal(got, want) {
			t.Errorf("%s: the whole feed makes %d lines, want %d lines and the same", m.name, bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
		whole := &feedFollower{cursor: "start", last: map[string]int{}}
		if err := whole.follow(t.Context(), rng, []string{m.listen}, false); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(whole.last) != fmt.Sprint(f.last) {
			t.Errorf("%s: the whole feed ends at %v, and that of the follower at %v", m.name, whole.last, f.last)
		}
	}
	// A backup has the feed, too, and goes on in one process.
	c.asks(t, c.members[0], "backup", "nightly")
	if got := kindred(t, c.bin, "tail", "--rebuild", "--data", filepath.Join(c.dir, "nightly"), "--memory", "128MiB"); !bytes.Equal(got, want) {
		t.Errorf("the feed of a backup makes %d lines, want %d lines and the same", bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
	}
	t.Logf("%d entries in %d streams", len(f.entries), f.streams)
	c.published(t, changes, want, f.last)
}
