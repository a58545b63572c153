package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/kindred-id/kindred/internal/testkit/netcut"
	"github.com/kindred-id/kindred/internal/testkit/variant"
	"github.com/kindred-id/kindred/node"
)

// faultyCluster is a cluster that things happen to.
type faultyCluster struct {
	*clusterTest
	rng    *rand.Rand // decides what happens: the same seed, the same faults
	clocks map[*clusterMember]variant.Clock
	cuts   bool // whether nodes can be cut off
	added  int
}

// clusterFault is one thing that goes wrong, or that operators do, while events flow. do returns once the cluster may be hit again: what
// it broke is well, or on its way.
type clusterFault struct {
	name string
	do   func(t *testing.T, c *faultyCluster, m *clusterMember)
	cuts bool
}

// clusterFaults are those that TestClusterFaults does, each in turn.
var clusterFaults = []clusterFault{
	{name: "kill -9", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		m.kill()
		c.wait(0, 4*time.Second)
		c.start(t, m)
	}},
	{name: "stopped for 1 to 30 s", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		m.signal(t, syscall.SIGSTOP)
		c.wait(time.Second, 30*time.Second)
		m.signal(t, syscall.SIGCONT)
	}},
	{name: "SIGTERM, started again", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		m.terminate(t)
		c.start(t, m)
	}},
	{name: "an empty disk", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		m.kill()
		if err := os.RemoveAll(m.dir); err != nil {
			t.Fatal(err)
		}
		c.start(t, m)
	}},
	{name: "a broker killed, started again", do: func(_ *testing.T, c *faultyCluster, _ *clusterMember) {
		broker := 1 + c.rng.IntN(3)
		c.kafka.Kill(broker)
		c.wait(0, 3*time.Second)
		c.kafka.Restart(broker)
	}},
	{name: "a broker stopped for 1 to 15 s", do: func(_ *testing.T, c *faultyCluster, _ *clusterMember) {
		// Its connections stay open, and what is asked of it has no answer: nothing says that it is not there.
		broker := 1 + c.rng.IntN(3)
		c.kafka.Signal(broker, syscall.SIGSTOP)
		c.wait(time.Second, 15*time.Second)
		c.kafka.Signal(broker, syscall.SIGCONT)
	}},
	{name: "drained, and not", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		c.asks(t, c.members[c.rng.IntN(len(c.members))], "drain", m.name)
		c.wait(0, 3*time.Second)
		c.asks(t, c.members[c.rng.IntN(len(c.members))], "drain", m.name, "--undo")
	}},
	{name: "cut off from Kafka for 1 to 20 s", cuts: true, do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		c.cut(t, 20*time.Second, cutOff{m, strings.Split(c.brokers, ",")})
	}},
	{name: "cut off from the other nodes for 1 to 20 s", cuts: true, do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		var cuts []cutOff
		for _, other := range c.members {
			if other != m {
				cuts = append(cuts, cutOff{m, other.ports(t)}, cutOff{other, m.ports(t)})
			}
		}
		c.cut(t, 20*time.Second, cuts...)
	}},
	{name: "says nothing to one other node for 1 to 20 s", cuts: true, do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		other := m
		for other == m {
			other = c.members[c.rng.IntN(len(c.members))]
		}
		c.cut(t, 20*time.Second, cutOff{m, other.ports(t)})
	}},
	{name: "its clock an hour off, and right again", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		by := time.Hour
		if c.rng.IntN(2) == 0 {
			by = -by
		}
		c.move(t, m, by)
		c.wait(0, 8*time.Second)
		c.move(t, m, 0)
	}},
	{name: "SIGTERM, started with the other version", do: func(t *testing.T, c *faultyCluster, m *clusterMember) {
		c.change(t, m)
		if c.left(t) { // it could not hand its shards over: its version has to finish their logs, as the status says
			c.change(t, m)
			c.ready(t)
			c.change(t, m)
		}
	}},
	{name: "a node added, drained and removed", do: func(t *testing.T, c *faultyCluster, _ *clusterMember) {
		c.added++
		fourth := c.member(t, "n4")
		fourth.name, fourth.dir = fmt.Sprintf("n4-%d", c.added), fmt.Sprintf("%s-%d", fourth.dir, c.added)
		c.equip(t, fourth)
		c.start(t, fourth)
		defer fourth.kill()
		c.readyOf(t, fourth)
		c.wait(0, 5*time.Second) // it may get shards
		asked := c.members[c.rng.IntN(len(c.members))]
		c.asks(t, asked, "drain", fourth.name)
		eventually(t, fourth.name+" owns nothing", func() error {
			if owned := fourth.metric(t, "kindred_cluster_shards_owned"); owned > 0 {
				return fmt.Errorf("it owns %v", owned)
			}
			return nil
		})
		c.ready(t) // the shards have their copies elsewhere
		fourth.terminate(t)
		c.asks(t, asked, "remove", fourth.name)
	}},
}

// wait waits for a time between two.
func (c *faultyCluster) wait(least, most time.Duration) {
	time.Sleep(least + time.Duration(c.rng.Int64N(int64(most-least))))
}

// equip gives a node what faults need.
func (c *faultyCluster) equip(t *testing.T, m *clusterMember) {
	t.Helper()
	clock, err := variant.NewClock(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c.clocks[m] = clock
	m.env = []string{clock.Env()}
	if c.cuts {
		m.group = netcut.Group(40_000 + rand.Uint32N(1<<30))
	}
}

func (c *faultyCluster) move(t *testing.T, m *clusterMember, by time.Duration) {
	t.Helper()
	if err := c.clocks[m].Move(by); err != nil {
		t.Fatal(err)
	}
}

// cutOff is a node whose words do not arrive at addresses.
type cutOff struct {
	from *clusterMember
	to   []string
}

// cut cuts nodes off for a while.
func (c *faultyCluster) cut(t *testing.T, most time.Duration, cuts ...cutOff) {
	t.Helper()
	for _, cut := range cuts {
		heal, err := netcut.Cut(cut.from.group, cut.to)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := heal(); err != nil {
				t.Error(err)
			}
		}()
	}
	c.wait(time.Second, most)
}

// change ends a node in good order, and starts it with the other version.
func (c *faultyCluster) change(t *testing.T, m *clusterMember) {
	t.Helper()
	m.terminate(t)
	if len(m.env) == 1 {
		m.env = append(m.env, variant.OtherHandlers)
	} else {
		m.env = m.env[:1]
	}
	c.start(t, m)
}

// left waits until all nodes are ready, or a log waits for the other version, and reports whether that is so.
func (c *faultyCluster) left(t *testing.T) (waits bool) {
	t.Helper()
	eventually(t, "the other version is ready, or the first one has to come back", func() error {
		for _, m := range c.members {
			at, err := client.New("http://"+m.listen, nil)
			if err != nil {
				return err
			}
			s, err := at.Admin.Cluster(t.Context())
			if err != nil {
				return err
			}
			for i := range s.Shards {
				waits = waits || s.Shards[i].Awaits != ""
			}
		}
		if waits {
			return nil
		}
		var failed error
		for _, m := range c.members {
			failed = errors.Join(failed, m.isReady())
		}
		return failed
	})
	return waits
}

func (m *clusterMember) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := m.process.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// ports are the addresses that other nodes reach a node at.
func (m *clusterMember) ports(t *testing.T) (addresses []string) {
	t.Helper()
	host, first, err := net.SplitHostPort(m.peers)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		addresses = append(addresses, net.JoinHostPort(host, strconv.Itoa(port+i)))
	}
	return addresses
}

// TestClusterFaults: events flow to three nodes by HTTP, to any of them until one takes them, and by a topic that they share, while
// nodes are killed, stopped, cut off from each other and from Kafka, restarted, also with another version, drained, added, given an empty
// disk or a clock that is wrong, and brokers are killed and stopped. At the end the export of each node is that of one machine, byte for
// byte, so every event that was taken is there once.
//
// KINDRED_FAULTS says how many faults there are: each kind comes before one comes again. The seed decides in which order, on which
// node, and for how long.
func TestClusterFaults(t *testing.T) {
	faults, err := strconv.Atoi(os.Getenv("KINDRED_FAULTS"))
	if err != nil {
		t.Skip("make cluster-faults runs it")
	}
	seed := freshSeed(t)
	c := newFaultyCluster(t, rand.New(rand.NewPCG(seed, 44)))
	stream := c.streams(t, rand.New(rand.NewPCG(seed, 46)))
	c.initialise(t)
	for _, m := range c.members {
		c.start(t, m)
	}
	c.ready(t)
	rng := rand.New(rand.NewPCG(seed, 45))
	batches := clusterBatches(rng, 4000*clusterBatch*max(1, faults))
	var loads []*clusterLoad
	for part := range slices.Chunk(batches, len(batches)/4) {
		loads = append(loads, c.load(t.Context(), rand.New(rand.NewPCG(seed, 47+uint64(len(loads)))), part))
	}
	stream.begin(t)
	var turn []clusterFault
	for i := range faults {
		if len(turn) == 0 {
			turn = append(turn, clusterFaults...)
			c.rng.Shuffle(len(turn), func(i, j int) { turn[i], turn[j] = turn[j], turn[i] })
		}
		fault, m := turn[0], c.members[c.rng.IntN(len(c.members))]
		turn = turn[1:]
		if fault.cuts && !c.cuts {
			continue
		}
		waitedLongest(loads)
		begun := time.Now()
		t.Logf("fault %d: %s: %s", i+1, m.name, fault.name)
		fault.do(t, c, m)
		c.ready(t) // a second disk may be lost once the shards have two copies again
		t.Logf("fault %d: ready after %.1f s; the batch that waited longest waited %.1f s", i+1, time.Since(begun).Seconds(), waitedLongest(loads).Seconds())
	}
	var sent [][]byte
	for _, load := range loads {
		sent = append(sent, load.end(t)...)
	}
	records := stream.end(t)
	t.Logf("%d events by HTTP, %d by Kafka", clusterBatch*len(sent), records)
	for _, m := range c.members {
		if stopped := m.metric(t, "kindred_cluster_shards_stopped"); stopped > 0 {
			t.Errorf("%s: %v shards have stopped", m.name, stopped)
		}
	}
	total := uint64(clusterBatch*len(sent) + records)
	took := func(url string) {
		t.Helper()
		at, err := client.New(url, nil)
		if err != nil {
			t.Fatal(err)
		}
		taken, since := uint64(0), time.Now() // a backlog of the topic may take long, as long as it gets less
		for ; ; time.Sleep(100 * time.Millisecond) {
			stats, err := at.Admin.Stats(t.Context())
			switch {
			case err == nil && stats.Events == total && stats.Quarantined == 0:
				return
			case err == nil && stats.Events > taken:
				taken, since = stats.Events, time.Now()
			case time.Since(since) > time.Minute:
				t.Fatalf("%d events of %d are taken, and %d set aside (%v)", stats.Events, total, stats.Quarantined, err)
			}
		}
	}
	took("http://" + c.members[0].listen)
	c.compareWith(t, stream.config, func(alone *client.Client) {
		for _, body := range sent {
			if _, err := alone.Events.Send(t.Context(), body, time.Minute); err != nil {
				t.Fatal(err)
			}
		}
	}, took, c.members...)
}

// waitedLongest is how long a batch of any load waited at most since the last call.
func waitedLongest(loads []*clusterLoad) (longest time.Duration) {
	for _, load := range loads {
		longest = max(longest, load.longest())
	}
	return longest
}

// newFaultyCluster makes a cluster whose nodes have programs for all faults.
func newFaultyCluster(t *testing.T, rng *rand.Rand) *faultyCluster {
	t.Helper()
	c := &faultyCluster{rng: rng, clocks: map[*clusterMember]variant.Clock{}}
	folder := filepath.Join(os.TempDir(), "kindred-faults") // the same each time: Go builds its library once
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	program, err := variant.Build(t.Context(), folder, "cmd/kindred", append(variant.MovedClock(), variant.HandlersByEnv()...)...)
	if err != nil {
		t.Fatal(err)
	}
	err = netcut.Check()
	if c.cuts = err == nil; !c.cuts {
		t.Logf("nothing is cut off: %v", err)
	}
	c.clusterTest = newClusterTest(t)
	c.bin = program
	for _, m := range c.members {
		c.equip(t, m)
	}
	return c
}

// topicStream sends events to a topic that a cluster consumes.
type topicStream struct {
	config  node.Config // of one machine that consumes the topic
	rng     *rand.Rand
	to      *kgo.Client
	stop    chan struct{}
	done    sync.WaitGroup
	records atomic.Int64 // that Kafka has acknowledged
}

// streams makes a topic, and has the nodes consume it. REQUIRES: no node has started
func (c *clusterTest) streams(t *testing.T, rng *rand.Rand) *topicStream {
	t.Helper()
	topic := c.name + "-events"
	s := &topicStream{rng: rng, stop: make(chan struct{}), to: c.kafka.Client(kgo.DefaultProduceTopic(topic), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))}
	if _, err := kadm.NewClient(s.to).CreateTopic(t.Context(), 4, 3, nil, topic); err != nil {
		t.Fatal(err)
	}
	c.flags = append(c.flags, "--kafka-brokers", c.brokers, "--kafka-topic", topic, "--kafka-group", topic, "--kafka-dead-letters", topic+"-letters")
	s.config = node.Config{Kafka: &kafka.Config{Brokers: strings.Split(c.brokers, ","), Topics: []kafka.Topic{{Topic: topic}}}}
	s.config.Kafka.DeadLetters.Topic = topic + "-letters"
	return s
}

// begin begins to send.
func (s *topicStream) begin(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	s.done.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-s.stop:
				if err := s.to.Flush(ctx); err != nil {
					t.Error(err)
				}
				return
			case <-time.After(40 * time.Millisecond):
			}
			for i := range clusterBatch {
				person := s.rng.IntN(300)
				event := fmt.Sprintf(`{"type":"track","event":"Seen","messageId":"k%d-%d","timestamp":"2026-02-01T00:00:00Z","userId":"u%d","anonymousId":"d%d-%d"}`,
					n, i, person, person, s.rng.IntN(3))
				s.to.Produce(ctx, &kgo.Record{Value: []byte(event)}, func(_ *kgo.Record, err error) {
					if err != nil {
						t.Errorf("a record is not sent: %v", err)
						return
					}
					s.records.Add(1)
				})
			}
		}
	})
}

// end ends the stream, and returns how many events were sent.
func (s *topicStream) end(t *testing.T) int {
	t.Helper()
	close(s.stop)
	s.done.Wait()
	return int(s.records.Load())
}
