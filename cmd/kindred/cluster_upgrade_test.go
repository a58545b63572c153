package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/internal/testkit/variant"
)

// TestClusterUpgraded: nodes are given a program of the next version, one after the other, while batches flow. The gate rises with the
// last one. A node of the old version that is killed leaves log tails that only its version finishes, and after the upgrade it is
// refused. The exports are those of one machine.
func TestClusterUpgraded(t *testing.T) {
	if testing.Short() {
		t.Skip("three brokers take long to start")
	}
	next, err := variant.Build(t.Context(), t.TempDir(), "cmd/kindred", variant.NextVersion()...)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(freshSeed(t), 46))
	c := newClusterTest(t)
	c.initialise(t)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)
	n1, n2, n3 := c.members[0], c.members[1], c.members[2]
	for _, m := range c.members {
		eventually(t, m.name+" is known", func() error { return c.known(n1, m.name) })
	}
	load := c.load(t.Context(), rng, clusterBatches(rng, 100_000))
	upgrade := func(m *clusterMember) {
		t.Helper()
		m.terminate(t)
		m.bin = next
		c.start(t, m)
		c.ready(t)
	}
	upgrade(n1)
	upgrade(n3)
	c.writes(t, n1, 1, "n2")

	eventually(t, "n2 owns shards", func() error {
		if n2.metric(t, "kindred_cluster_shards_owned") == 0 {
			return fmt.Errorf("it owns none")
		}
		return nil
	})
	n2.kill()
	eventually(t, "shards of n2 await its version", func() error {
		if out := c.cluster(t, n1, "shards"); !strings.Contains(out, "its log was left by version") || !strings.Contains(out, "(it ran on n2), with handlers 1") {
			return fmt.Errorf("they are shown as\n%s", out)
		}
		return nil
	})
	c.start(t, n2)
	c.ready(t)
	upgrade(n2)
	c.writes(t, n3, 2, "")

	load.without(n1)
	n1.terminate(t)
	n1.bin = ""
	c.refused(t, "a program below the gate", 1, "this program is older than what the cluster writes", c.args(n1)...)
	n1.bin = next
	c.start(t, n1)
	c.ready(t)
	sent := load.end(t)
	t.Logf("%d batches", len(sent))
	c.compare(t, sent, c.members...)
}

// writes waits until a node shows that this generation is written, and who holds it down.
func (c *clusterTest) writes(t *testing.T, asked *clusterMember, generation uint64, held string) {
	t.Helper()
	at, err := client.New("http://"+asked.listen, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, fmt.Sprintf("generation %d is written", generation), func() error {
		s, err := at.Admin.Cluster(t.Context())
		if err != nil {
			return err
		}
		if is := s.Encodings; is.Written != generation || strings.Join(is.HeldBack, " ") != held {
			return fmt.Errorf("generation %d is, held down by %v", is.Written, is.HeldBack)
		}
		return nil
	})
}
