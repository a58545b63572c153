package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// Cluster is a Kafka of one node or three. Nodes are counted from 1.
type Cluster struct {
	nodes     []*node
	addresses []string
}

// NewCluster formats and starts a cluster in dir, and waits until it answers. Detached nodes keep running after this process
// ends. It fails with ErrNoKafka if `make kafka` has not run.
func NewCluster(ctx context.Context, dir string, nodes int, detached bool) (*Cluster, error) {
	jars, err := classpath()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2 * nodes)
	if err != nil {
		return nil, err
	}
	c := &Cluster{nodes: make([]*node, nodes)}
	for id := range nodes {
		c.addresses = append(c.addresses, loopback(ports[id]))
	}
	clusterID := newClusterID()
	var group errgroup.Group
	for i := range nodes {
		group.Go(func() (err error) {
			c.nodes[i], err = newNode(i+1, filepath.Join(dir, fmt.Sprintf("node%d", i+1)), jars, clusterID, settings(i, ports[:nodes], ports[nodes:]))
			if err == nil {
				c.nodes[i].detached = detached
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, n := range c.nodes {
		if err := n.start(); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	if err := c.Ready(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// Brokers returns the addresses of the nodes.
func (c *Cluster) Brokers() []string { return c.addresses }

// Kill ends a node at once, with SIGKILL.
func (c *Cluster) Kill(node int) error { return c.nodes[node-1].signal(syscall.SIGKILL) }

// Signal sends a signal to a node that runs, and waits for nothing: it may be stopped for a while.
func (c *Cluster) Signal(node int, s os.Signal) error {
	n := c.nodes[node-1]
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return fmt.Errorf("signal %v to node %d: it does not run", s, node)
	}
	return n.process.Signal(s)
}

// Restart starts a node that was killed, and waits until the whole cluster answers.
func (c *Cluster) Restart(ctx context.Context, node int) error {
	if err := c.nodes[node-1].start(); err != nil {
		return err
	}
	return c.Ready(ctx)
}

// Stop ends every node. It kills all but one: a controller without a quorum would wait for one.
func (c *Cluster) Stop() error {
	var errs []error
	for i, n := range c.nodes {
		s := syscall.SIGTERM
		if i > 0 {
			s = syscall.SIGKILL
		}
		errs = append(errs, n.signal(s))
	}
	return errors.Join(errs...)
}

// PIDs returns the ids of the nodes' processes.
func (c *Cluster) PIDs() []int {
	var pids []int
	for _, n := range c.nodes {
		n.mu.Lock()
		if n.process != nil {
			pids = append(pids, n.process.Pid)
		}
		n.mu.Unlock()
	}
	return pids
}

// readyEvery is the time between two requests to a cluster that is starting.
const readyEvery = 50 * time.Millisecond

// Ready waits until every node that was started is a broker in service.
func (c *Cluster) Ready(ctx context.Context) error {
	running := len(c.PIDs())
	for {
		for _, n := range c.nodes {
			if err := n.gone(); err != nil {
				return err
			}
		}
		if c.serving(ctx) >= running {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d nodes of Kafka: %w (their output is in %s)", running, ctx.Err(), filepath.Dir(c.nodes[0].dir))
		case <-time.After(readyEvery):
		}
	}
}

// serving returns the number of brokers in the cluster's own metadata.
func (c *Cluster) serving(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.addresses...), kgo.RequestRetries(0), kgo.DialTimeout(time.Second))
	if err != nil {
		return 0
	}
	defer client.Close()
	meta, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return 0
	}
	return len(meta.Brokers)
}

// settings returns a node's server.properties. Failures are noticed within seconds instead of half a minute, so that tests
// can wait for the consequences.
func settings(i int, brokers, controllers []int) []byte {
	var voters []string
	for id, port := range controllers {
		voters = append(voters, strconv.Itoa(id+1)+"@"+loopback(port))
	}
	replicas, inSync := 1, 1
	if len(brokers) > 1 {
		replicas, inSync = 3, 2
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `process.roles=broker,controller
node.id=%d
controller.quorum.voters=%s
listeners=PLAINTEXT://%s,CONTROLLER://%s
advertised.listeners=PLAINTEXT://%[3]s
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=data
auto.create.topics.enable=false
unclean.leader.election.enable=false
default.replication.factor=%[5]d
min.insync.replicas=%[6]d
offsets.topic.replication.factor=%[5]d
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=%[5]d
transaction.state.log.min.isr=%[6]d
transaction.state.log.num.partitions=4
log.segment.bytes=67108864
log.retention.hours=168
log.cleaner.threads=1
log.cleaner.dedupe.buffer.size=8388608
group.initial.rebalance.delay.ms=0
num.network.threads=2
num.io.threads=4
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
controller.quorum.election.timeout.ms=500
controller.quorum.fetch.timeout.ms=1500
replica.lag.time.max.ms=5000
`, i+1, strings.Join(voters, ","), loopback(brokers[i]), loopback(controllers[i]), replicas, inSync)
	return b.Bytes()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// newClusterID is a random UUID in the form that Kafka wants.
func newClusterID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[0] &= 0x7f           // so that it does not begin with a dash, which would look like a flag
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// freePorts finds free ports. They are below the range that the system uses for outgoing connections, so that a port is
// still free when its node restarts.
func freePorts(n int) ([]int, error) {
	const low, high, tries = 20_000, 32_000, 1000
	var ports []int
	var held []net.Listener
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for range tries {
		offset, err := rand.Int(rand.Reader, big.NewInt(high-low))
		if err != nil {
			return nil, err
		}
		port := low + int(offset.Int64())
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		held = append(held, l)
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports from %d to %d", n, low, high)
}
