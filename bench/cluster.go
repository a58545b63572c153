package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/kindred-id/kindred/internal/broker"
)

// The parts of a measurement of a cluster.
const (
	ClusterCPU      = "cpu"       // processor time and bytes of the journal, three nodes beside one process
	ClusterLookups  = "look-ups"  // on a node that does not own what is looked up, beside ingest
	ClusterHandOver = "hand-over" // of shards, by drain, its undoing, and SIGTERM
	ClusterFailOver = "fail-over" // after kill -9
	ClusterCopy     = "copy"      // of all shards, to a node with an empty disk
	ClusterPeace    = "peace"     // at full ingest nobody is taken for dead, and no shard moves
)

// ClusterParts are all parts, in the order in which they are measured.
func ClusterParts() []string {
	return []string{ClusterCPU, ClusterLookups, ClusterHandOver, ClusterFailOver, ClusterCopy, ClusterPeace}
}

// ClusterNodes is how many nodes share the shards.
const ClusterNodes = 3

// ClusterConfig configures a measurement of several nodes.
type ClusterConfig struct {
	Config
	Binary      string   // the program that serves
	Brokers     []string // of the journal; they are reached without TLS
	Parts       []string // of ClusterParts
	Shards      int
	Batch       int // events in a request
	Connections int // for batches, over all nodes
	// Peak is the rate that Load is a part of, in events per second; 0: what the last round of ClusterCPU reached.
	Peak float64
	// Load is the rate of events during look-ups and hand-overs, as a part of the peak.
	Load        float64
	Lookups     time.Duration // how long people are looked up
	LookupRate  int           // look-ups that are to begin in a second
	HandOvers   int           // drains, and as many ends by SIGTERM
	Kills       int
	Peace       time.Duration // how long nodes are watched at full ingest
	RecoverWait time.Duration // how long a cluster may take until it is ready after a fault
}

// ClusterRound is one ingest by one process and one by three nodes, of the same events into new directories.
type ClusterRound struct {
	// LoadAverage is that of the machine over the minute before the round; 0 if it is unknown.
	LoadAverage float64   `json:"load_average"`
	Embedded    HTTPLoad  `json:"embedded"`
	Cluster     HTTPLoad  `json:"cluster"` // its CPU is that of all nodes, until all copies are caught up
	Nodes       []float64 `json:"node_cpu_us"`
	Ratio       float64   `json:"cpu_ratio"` // of an event, cluster to embedded
	Journal     float64   `json:"journal_bytes_per_event"`
	Appends     float64   `json:"journal_records_per_event"`
}

// Silences is how long a shard gave no answer, from the last before to the first after, in µs.
type Silences struct {
	Latencies
	Errors int    `json:"errors"`          // that clients saw meanwhile
	First  string `json:"error,omitempty"` // the first of these
}

// FailOver is what becomes of the shards of a node that is killed.
type FailOver struct {
	Kills     int       `json:"kills"`
	Detection Latencies `json:"detection"`       // from the kill until another node knows of the death, a kill each
	Rest      Latencies `json:"after_detection"` // from then to the first answer of the new owner, a shard of a kill each
	Total     Silences  `json:"total"`           // from the last answer of the dead
}

// HandOver is what becomes of shards that are handed over on purpose, beside ingest. Errors are those of all clients.
type HandOver struct {
	Rate    float64  `json:"events_per_second"`
	Drain   Silences `json:"drain"`
	Back    Silences `json:"drain_undone"`
	Sigterm Silences `json:"sigterm"`
	Return  Silences `json:"started_again"`
}

// ClusterLookup is how long look-ups took on a node, beside ingest. Those that answer something other than 200 are errors.
type ClusterLookup struct {
	Rate   float64   `json:"events_per_second"`
	Wanted float64   `json:"events_per_second_wanted"`
	Own    Latencies `json:"own"`       // of people whose shard the asked node owns
	Other  Latencies `json:"not_own"`   // of people whose shard another node owns
	Late   Latencies `json:"late"`      // how late a look-up began, which is part of the others
	Sent   Latencies `json:"from_sent"` // those of Other, from when they began
	Errors int       `json:"errors"`
	First  string    `json:"error,omitempty"`
}

// ClusterCopied is how a node got its copies that had none, since its disk was empty.
type ClusterCopied struct {
	Shards int     `json:"shards"`
	Bytes  int64   `json:"bytes"`            // of their rows
	Rate   float64 `json:"bytes_per_second"` // from the beginning of the first copy to the end of the last; two are made at a time
	Ready  float64 `json:"seconds"`          // from the start of the node until it is ready
	// Before and During are look-ups on the other nodes, without ingest: as long before the copies as they may take, and meanwhile.
	Before Latencies `json:"look_ups_before"`
	During Latencies `json:"look_ups"`
}

// ClusterWatch is what nodes say of each other at full ingest.
type ClusterWatch struct {
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"events_per_second"`
	Missed  int     `json:"suspicions"` // looks at which a node did not take all for alive
	Looks   int     `json:"looks"`
	Claims  uint64  `json:"claims"`
	Losses  uint64  `json:"losses"`
	Errors  int     `json:"errors"` // that clients saw
	First   string  `json:"error,omitempty"`
}

// ClusterReport is the result, with the medians over the rounds. A part that was not measured is null.
type ClusterReport struct {
	Events      int            `json:"events"`
	Batch       int            `json:"events_per_request"`
	Shards      int            `json:"shards"`
	Nodes       int            `json:"nodes"`
	Processors  int            `json:"processors"`
	Memory      int64          `json:"memory_limit"` // of each process
	LoadAverage [2]float64     `json:"load_average"` // at the beginning and at the end
	Rounds      []ClusterRound `json:"rounds"`
	Ratio       Spread         `json:"cpu_ratio"`
	Journal     Spread         `json:"journal_bytes_per_event"`
	Peak        float64        `json:"peak_events_per_second"`
	Lookups     *ClusterLookup `json:"look_ups"`
	HandOver    *HandOver      `json:"hand_over"`
	FailOver    *FailOver      `json:"fail_over"`
	Copy        *ClusterCopied `json:"copy"`
	Peace       *ClusterWatch  `json:"peace"`
}

func (c *ClusterConfig) wants(part string) bool { return slices.Contains(c.Parts, part) }

// RunCluster measures three nodes that share the shards of a deployment, as processes of their own on this machine. Rounds
// compare them with one process on the same events; what follows is measured on the nodes of the last round.
func RunCluster(ctx context.Context, c ClusterConfig) (report ClusterReport, err error) {
	_, lines, err := c.prepare("cluster")
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(c.Dir)) }()
	report = ClusterReport{
		Events: len(lines), Batch: c.Batch, Shards: c.Shards, Nodes: ClusterNodes, Processors: runtime.GOMAXPROCS(0), Memory: c.Memory, Peak: c.Peak,
		LoadAverage: [2]float64{loadAverage(), 0},
	}
	for n := range c.Rounds {
		if err := c.round(ctx, n, lines, &report); err != nil {
			return report, err
		}
	}
	report.Ratio = SpreadOf(report.Rounds, func(r *ClusterRound) float64 { return r.Ratio })
	report.Journal = SpreadOf(report.Rounds, func(r *ClusterRound) float64 { return r.Journal })
	report.LoadAverage[1] = loadAverage()
	return report, nil
}

// round measures one process, and three nodes; and after the last round what is wanted of these.
func (c *ClusterConfig) round(ctx context.Context, n int, lines [][]byte, report *ClusterReport) (err error) {
	progress := func(step string) { c.Progress(fmt.Sprintf("round %d of %d: %s", n+1, c.Rounds, step)) }
	all := batches(lines, c.Batch)
	round := ClusterRound{LoadAverage: loadAverage()}
	if c.wants(ClusterCPU) {
		progress("one process")
		if round.Embedded, err = c.embedded(ctx, all); err != nil {
			return err
		}
	}
	progress("start three nodes")
	nodes, err := c.start(ctx, fmt.Sprintf("kindred-bench-%d-%d-%d", os.Getpid(), time.Now().UnixMilli(), n))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, nodes.end(ctx)) }()
	progress("three nodes")
	if err := nodes.ingest(ctx, all, &round); err != nil {
		return err
	}
	if c.wants(ClusterCPU) {
		round.Ratio = round.Cluster.CPU / round.Embedded.CPU
	}
	report.Rounds = append(report.Rounds, round)
	if n+1 < c.Rounds {
		return nil
	}
	if report.Peak == 0 {
		report.Peak = round.Cluster.PerSecond
	}
	return nodes.faults(ctx, lines, report)
}

// faults measures what is measured of one cluster, once it has people.
func (n *clusterNodes) faults(ctx context.Context, lines [][]byte, report *ClusterReport) (err error) {
	c := n.config
	people, err := n.people(ctx, lines)
	if err != nil {
		return err
	}
	feed, err := newInflow(c, report.Peak*c.Load)
	if err != nil {
		return err
	}
	if c.wants(ClusterLookups) {
		c.Progress(fmt.Sprintf("look-ups beside %.0f events/s", feed.rate))
		report.Lookups, err = n.lookups(ctx, people, feed)
	}
	if err == nil && c.wants(ClusterHandOver) {
		c.Progress(fmt.Sprintf("hand-overs beside %.0f events/s", feed.rate))
		report.HandOver, err = n.handOvers(ctx, people, feed)
	}
	if err == nil && c.wants(ClusterFailOver) {
		report.FailOver, err = n.failOvers(ctx, people)
	}
	if err == nil && c.wants(ClusterCopy) {
		report.Copy, err = n.copies(ctx, people)
	}
	if err == nil && c.wants(ClusterPeace) {
		report.Peace, err = n.peace(ctx, feed, report.Peak)
	}
	return err
}

// embedded measures ingest by one process.
func (c *ClusterConfig) embedded(ctx context.Context, all requests) (reached HTTPLoad, err error) {
	dir, err := os.MkdirTemp(c.Dir, "one-")
	if err != nil {
		return reached, err
	}
	server, err := launch(ctx, c.Binary, "serve", "--data", filepath.Join(dir, "data"), "--memory", fmt.Sprint(c.Memory), "--shards", fmt.Sprint(c.Shards))
	if err != nil {
		return reached, err
	}
	defer func() { err = errors.Join(err, server.stop(), os.RemoveAll(dir)) }()
	return server.load(ctx, c.Connections, all)
}

// journal calls fn with a client for topics, and the name of a cluster's journal.
func (c *ClusterConfig) journal(cluster string, fn func(topics *broker.Topics, topic string) error) error {
	topics, err := broker.NewTopics(broker.Connection{Brokers: c.Brokers})
	if err != nil {
		return err
	}
	defer topics.Close()
	return fn(topics, cluster+".journal")
}

// deleteTopic deletes the journal of a cluster that has ended.
func (c *ClusterConfig) deleteTopic(ctx context.Context, cluster string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), serverPatience)
	defer cancel()
	return c.journal(cluster, func(topics *broker.Topics, topic string) error { return topics.Delete(ctx, topic) })
}
