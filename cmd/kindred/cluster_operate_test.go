package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
)

// clusterLoad sends batches one after the other, to nodes that a test lets it use, again until one takes it.
type clusterLoad struct {
	c    *clusterTest
	rng  *rand.Rand
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex // guards the following
	sent    [][]byte
	avoid   *clusterMember
	refused []error
	lost    error
	waited  time.Duration // the longest since it was asked for
}

// load begins to send.
func (c *clusterTest) load(ctx context.Context, rng *rand.Rand, batches [][]byte) *clusterLoad {
	ctx, stop := context.WithCancel(ctx)
	l := &clusterLoad{c: c, rng: rng, stop: stop}
	l.done.Go(func() {
		for _, body := range batches {
			if ctx.Err() != nil {
				return
			}
			begun := time.Now()
			l.send(context.WithoutCancel(ctx), body) // what was begun is sent to its end
			l.mu.Lock()
			l.waited = max(l.waited, time.Since(begun))
			l.mu.Unlock()
			time.Sleep(10 * time.Millisecond)
		}
	})
	return l
}

func (l *clusterLoad) send(ctx context.Context, body []byte) {
	for deadline := time.Now().Add(3 * time.Minute); time.Now().Before(deadline); {
		l.mu.Lock()
		to := l.c.members[l.rng.IntN(len(l.c.members))]
		for to == l.avoid {
			to = l.c.members[l.rng.IntN(len(l.c.members))]
		}
		l.mu.Unlock()
		at, err := client.New("http://"+to.listen, nil)
		if err == nil {
			ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // a node that is stopped never answers
			_, err = at.Events.Send(ctx, body, 0)
			cancel()
		}
		l.mu.Lock()
		if err == nil {
			l.sent = append(l.sent, body)
		} else {
			l.refused = append(l.refused, fmt.Errorf("%s: %w", to.name, err))
		}
		l.mu.Unlock()
		if err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = errors.New("a batch was taken by no node within 3 minutes")
}

// longest is how long a batch waited at most since the last call, until a node took it.
func (l *clusterLoad) longest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest := l.waited
	l.waited = 0
	return longest
}

// without lets no batch go to a node.
func (l *clusterLoad) without(m *clusterMember) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.avoid = m
}

// end ends the load, and returns what was sent.
func (l *clusterLoad) end(t *testing.T) [][]byte {
	t.Helper()
	l.stop()
	l.done.Wait()
	if l.lost != nil {
		t.Error(l.lost)
	}
	for _, err := range l.refused {
		t.Logf("a batch is not taken at once, and sent again: %v", err)
	}
	return l.sent
}

// cluster runs a command about the cluster, asking a node.
func (c *clusterTest) cluster(t *testing.T, asked *clusterMember, args ...string) string {
	t.Helper()
	return string(kindred(t, c.bin, append(append([]string{"cluster"}, args...), "--url", "http://"+asked.listen, "--output", "table")...))
}

// asks has a node change the nodes. Another one may have to decide, which may just have lost that part, so it is asked again.
func (c *clusterTest) asks(t *testing.T, m *clusterMember, args ...string) {
	t.Helper()
	eventually(t, strings.Join(args, " "), func() error {
		out, err := exec.CommandContext(t.Context(), c.bin, append(append([]string{"cluster"}, args...), "--url", "http://"+m.listen)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// terminate ends a node by SIGTERM, and waits for it.
func (m *clusterMember) terminate(t *testing.T) {
	t.Helper()
	if err := m.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err := m.process.Wait()
	m.process = nil
	if err != nil {
		t.Errorf("%s ends with %v", m.name, err)
	}
}

// journal is where the journal of each shard begins, and ends.
func (c *clusterTest) journal(t *testing.T) (begins, ends []int64) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(c.brokers, ",")...))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	topic := c.name + ".journal"
	from, err := kadm.NewClient(k).ListStartOffsets(t.Context(), topic)
	to, also := kadm.NewClient(k).ListEndOffsets(t.Context(), topic)
	if err := errors.Join(err, also); err != nil {
		t.Fatal(err)
	}
	for shard := range int32(clusterShards) {
		first, _ := from.Lookup(topic, shard)
		last, _ := to.Lookup(topic, shard)
		begins, ends = append(begins, first.Offset), append(ends, last.Offset)
	}
	return begins, ends
}

// compare compares the exports of nodes with that of one machine, which takes the same batches, and returns whom that one lists in
// clusterAudiences.
func (c *clusterTest) compare(t *testing.T, batches [][]byte, members ...*clusterMember) (in map[string]string) {
	t.Helper()
	c.compareWith(t, node.Config{}, func(alone *client.Client) {
		for _, body := range batches {
			if _, err := alone.Events.Send(t.Context(), body, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
	}, func(url string) {
		c.applies(t, url, clusterAudiences)
		in = map[string]string{"seen": c.people(t, url, "seen"), "reachable": c.people(t, url, "reachable")}
	}, members...)
	return in
}

// compareWith is compare for a machine that has more in its settings, takes its events in feed, and is asked more afterwards.
func (c *clusterTest) compareWith(t *testing.T, config node.Config, feed func(*client.Client), asked func(url string), members ...*clusterMember) {
	t.Helper()
	config.Dir, config.SecretFile, config.Shards, config.Memory, config.Listen = filepath.Join(c.dir, "one"), c.secret, clusterShards, storage.MinMemory, "127.0.0.1:0"
	one, err := node.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := client.New(one.URL(), nil)
	if err != nil {
		t.Fatal(err)
	}
	feed(alone)
	want := settledExport(t, one.URL())
	asked(one.URL())
	if err := one.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		if got := settledExport(t, "http://"+m.listen); !bytes.Equal(got, want) {
			t.Errorf("%s: an export of %d lines, want %d lines and the same", m.name, bytes.Count(got, []byte("\n")), bytes.Count(want, []byte("\n")))
		}
	}
}

// TestClusterOperated: operators drain a node and undo that, make a backup, stop one by SIGTERM, let the journal be trimmed past it, take it back,
// and remove another one. Batches flow meanwhile, and the exports are that of one machine.
func TestClusterOperated(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	rng := rand.New(rand.NewPCG(freshSeed(t), 43))
	c := newClusterTest(t)
	c.flags = []string{"--journal-keep", "2s", "--backup-dir", c.dir}
	c.initialise(t)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)
	n1, n2, n3 := c.members[0], c.members[1], c.members[2]
	owns := func(m *clusterMember, some bool) {
		t.Helper()
		eventually(t, fmt.Sprintf("%s owns shards: %v", m.name, some), func() error {
			if owned := m.metric(t, "kindred_cluster_shards_owned"); owned > 0 != some {
				return fmt.Errorf("it owns %v", owned)
			}
			return nil
		})
	}
	batches := clusterBatches(rng, 40_000)
	load := c.load(t.Context(), rng, batches)

	for _, m := range c.members { // each has put itself into the list
		eventually(t, m.name+" is known", func() error { return c.known(n1, m.name) })
	}
	c.refused(t, "a drain of an unknown node", 3, `node "n9": no such node; there are n1, n2, n3`, "cluster", "drain", "n9", "--url", "http://"+n1.listen)
	c.asks(t, n1, "drain", "n2")
	owns(n2, false)
	c.asks(t, n3, "drain", "n3")
	c.refused(t, "a drain of the last node", 4, "no other node would take shards", "cluster", "drain", "n1", "--url", "http://"+n2.listen)
	owns(n3, false)
	c.asks(t, n2, "drain", "n2", "--undo")
	c.asks(t, n1, "drain", "n3", "--undo")
	owns(n2, true)
	owns(n3, true)

	copied := c.backup(t, n3, load)

	c.refused(t, "a removal of a node that is alive", 4, "the node is alive", "cluster", "remove", "n3", "--url", "http://"+n1.listen)
	load.without(n2)
	_, ends := c.journal(t)
	n2.terminate(t)
	eventually(t, "the journal is trimmed past n2", func() error {
		begins, _ := c.journal(t)
		for shard := range begins {
			if begins[shard] > ends[shard] {
				return nil
			}
		}
		return fmt.Errorf("it begins at %v, and ended at %v", begins, ends)
	})
	c.start(t, n2)
	c.readyOf(t, n2)
	load.without(nil)
	owns(n2, true)
	c.logged(t, n2, "a copy of a shard is made")

	load.without(n3)
	n3.terminate(t)
	c.asks(t, n1, "remove", "n3")
	c.refused(t, "a node that was removed", 1, "the node was removed", c.args(n3)...)
	c.refused(t, "its name with an empty directory", 1, "the node was removed", c.with(n3, map[string]string{"--data": filepath.Join(c.dir, "n3-again")})...)
	if out := c.cluster(t, n2, "status"); !strings.Contains(out, "down, removed") {
		t.Errorf("n3 is not shown as removed:\n%s", out)
	}
	sent := load.end(t)
	t.Logf("%d batches", len(sent))
	c.compare(t, sent, n1, n2)
	want := settledExport(t, "http://"+n1.listen)
	copied.again(t, sent, want)
	n1.terminate(t)
	n2.terminate(t)
	c.reseeds(t, want)
}

// logged fails unless the log of a node has these words.
func (c *clusterTest) logged(t *testing.T, m *clusterMember, words string) {
	t.Helper()
	if text, err := os.ReadFile(m.dir + ".log"); err != nil || !strings.Contains(string(text), words) {
		t.Errorf("%s does not log %q (%v)", m.name, words, err)
	}
}

// known fails unless the cluster has a row of a node, which it shows also while the node is down.
func (c *clusterTest) known(asked *clusterMember, name string) error {
	at, err := client.New("http://"+asked.listen, nil)
	if err != nil {
		return err
	}
	s, err := at.Admin.Cluster(context.Background())
	for i := range s.Nodes {
		if s.Nodes[i].Node == name && s.Nodes[i].State != "joining" {
			return nil
		}
	}
	return errors.Join(err, fmt.Errorf("%s does not know %s", asked.name, name))
}
