package main

import (
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// clusterFault is one thing that goes wrong, or that operators do, while batches flow. do returns once the cluster may be hit again:
// what it broke is well, or on its way.
type clusterFault struct {
	name string
	do   func(t *testing.T, c *clusterTest, rng *rand.Rand, m *clusterMember)
}

// clusterFaults are those that TestClusterFaults chooses from.
var clusterFaults = []clusterFault{
	{"kill -9", func(t *testing.T, c *clusterTest, rng *rand.Rand, m *clusterMember) {
		m.kill()
		time.Sleep(time.Duration(rng.IntN(4000)) * time.Millisecond)
		c.start(t, m)
	}},
	{"stopped for 1 to 15 s", func(t *testing.T, _ *clusterTest, rng *rand.Rand, m *clusterMember) {
		m.signal(t, syscall.SIGSTOP)
		time.Sleep(time.Second + time.Duration(rng.IntN(14_000))*time.Millisecond)
		m.signal(t, syscall.SIGCONT)
	}},
	{"SIGTERM, started again", func(t *testing.T, c *clusterTest, _ *rand.Rand, m *clusterMember) {
		m.terminate(t)
		c.start(t, m)
	}},
	{"an empty disk", func(t *testing.T, c *clusterTest, _ *rand.Rand, m *clusterMember) {
		m.kill()
		if err := os.RemoveAll(m.dir); err != nil {
			t.Fatal(err)
		}
		c.start(t, m)
	}},
	{"a broker killed, started again", func(_ *testing.T, c *clusterTest, rng *rand.Rand, _ *clusterMember) {
		broker := 1 + rng.IntN(3)
		c.kafka.Kill(broker)
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		c.kafka.Restart(broker)
	}},
	{"a broker stopped for 1 to 15 s", func(_ *testing.T, c *clusterTest, rng *rand.Rand, _ *clusterMember) {
		// Its connections stay open, and what is asked of it has no answer: nothing says that it is not there.
		broker := 1 + rng.IntN(3)
		c.kafka.Signal(broker, syscall.SIGSTOP)
		time.Sleep(time.Second + time.Duration(rng.IntN(14_000))*time.Millisecond)
		c.kafka.Signal(broker, syscall.SIGCONT)
	}},
	{"drained, and not", func(t *testing.T, c *clusterTest, rng *rand.Rand, m *clusterMember) {
		c.asks(t, c.members[rng.IntN(len(c.members))], "drain", m.name)
		time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
		c.asks(t, c.members[rng.IntN(len(c.members))], "drain", m.name, "--undo")
	}},
}

func (m *clusterMember) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := m.process.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// TestClusterFaults: batches flow to any of three nodes by HTTP while nodes are killed, stopped, restarted, drained and given an empty
// disk, and brokers are killed and stopped. Each batch is sent until a node takes it. At the end the export of each node is that of one
// machine, so every batch that was taken is there once.
//
// KINDRED_FAULTS says how many faults there are: a few minutes for 20. The seed decides which, on which node, and for how long.
func TestClusterFaults(t *testing.T) {
	faults, err := strconv.Atoi(os.Getenv("KINDRED_FAULTS"))
	if err != nil {
		t.Skip("make cluster-faults runs it")
	}
	seed := freshSeed(t)
	plan, rng := rand.New(rand.NewPCG(seed, 44)), rand.New(rand.NewPCG(seed, 45))
	c := newClusterTest(t)
	c.initialise(t)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)
	load := c.load(t.Context(), rng, clusterBatches(rng, 1000*clusterBatch*max(1, faults)))
	for i := range faults {
		fault, m := clusterFaults[plan.IntN(len(clusterFaults))], c.members[plan.IntN(len(c.members))]
		load.longest()
		begun := time.Now()
		t.Logf("fault %d: %s: %s", i+1, m.name, fault.name)
		fault.do(t, c, plan, m)
		c.ready(t) // a second disk may be lost once the shards have two copies again
		t.Logf("fault %d: ready after %.1f s; the batch that waited longest waited %.1f s", i+1, time.Since(begun).Seconds(), load.longest().Seconds())
	}
	sent := load.end(t)
	t.Logf("%d batches, %d events", len(sent), clusterBatch*len(sent))
	for _, m := range c.members {
		if stopped := m.metric(t, "kindred_cluster_shards_stopped"); stopped > 0 {
			t.Errorf("%s: %v shards have stopped", m.name, stopped)
		}
	}
	c.compare(t, sent, c.members...)
}
