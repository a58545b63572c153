package try

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newBenchCluster measures nodes of this program, as processes of their own, against brokers that the caller names, such as those of
// make kafka-up NODES=3.
func newBenchCluster() *cobra.Command {
	c := bench.ClusterConfig{}
	memory := cli.ByteSize(512 << 20)
	cmd := &cobra.Command{
		Use:   "cluster --journal-brokers HOST:PORT,…",
		Short: "Measure three nodes against one process: processor time, hand-over and fail-over",
		Long: `Start three nodes that share the shards of a deployment, and a server without others, as processes of their own on
loopback, on new directories. Rounds compare the processor time that an event takes in all nodes and in the server; the
ratio is taken within each round, because the speed of a machine drifts. On the nodes of the last round, measure:

  look-ups   how long they take on a node that owns the person's shard, and on one that does not, beside ingest
  hand-over  how long a shard gives no answer when its node is drained, is drained no more, gets SIGTERM or starts
             again, beside ingest, and which errors clients see
  fail-over  the same when its node is killed, from the last answer of the dead to the first of the new owner
  copy       how fast a node with an empty disk gets the rows of its shards, and look-ups on the others meanwhile
  peace      whether a node takes another one for dead at full ingest, and whether shards move

Nodes and brokers share the machine, and the nodes talk without certificates. Creates topics whose names begin with
kindred-bench-, and deletes them.`,
		Args: cobra.NoArgs,
	}
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.Flags().StringSliceVar(&c.Brokers, "journal-brokers", nil, "three Kafka brokers for the journal, HOST:PORT,…, without TLS; make kafka-up NODES=3 starts them")
	cmd.Flags().StringSliceVar(&c.Parts, "only", bench.ClusterParts(), "parts to measure: "+strings.Join(bench.ClusterParts(), ", "))
	cmd.Flags().IntVar(&c.Events, "events", 200_000, "number of events of a round, at least 10000, of about 650 bytes each")
	cmd.Flags().IntVar(&c.People, "people", 20_000, "number of people in the events, at least 1000")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1; each measures the server and the nodes")
	cmd.Flags().IntVar(&c.Shards, "shards", 12, "number of shards, 3 to 64")
	cmd.Flags().IntVar(&c.Batch, "batch", 500, "events in a request, 1 to 1000")
	cmd.Flags().IntVar(&c.Connections, "connections", 32, "connections for events, at least 3")
	cmd.Flags().Float64Var(&c.Peak, "peak", 0, "events per second that --load is a part of (default: what the nodes reached in the last round)")
	cmd.Flags().Float64Var(&c.Load, "load", 0.5, "rate of events during look-ups and hand-overs, as a part of the peak, above 0 and at most 1")
	cmd.Flags().DurationVar(&c.Lookups, "look-ups", 20*time.Second, "how long people are looked up")
	cmd.Flags().IntVar(&c.LookupRate, "look-up-rate", 200, "look-ups that begin in a second, 10 to 10000")
	cmd.Flags().IntVar(&c.HandOvers, "hand-overs", 6, "how often a node is drained, and ended by SIGTERM, at least once")
	cmd.Flags().IntVar(&c.Kills, "kills", 20, "how often a node is killed, at least once")
	cmd.Flags().DurationVar(&c.Peace, "peace", time.Minute, "how long nodes are watched at full ingest")
	cmd.Flags().DurationVar(&c.RecoverWait, "patience", 2*time.Minute, "how long the nodes may take to be well after a fault")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to create data directories (default: a temporary directory)")
	cmd.Flags().Var(&memory, "memory", "memory limit of each process, at least 128 MiB")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkCluster(&c); err != nil {
			return err
		}
		binary, err := os.Executable()
		if err != nil {
			return err
		}
		c.Binary, c.Memory = binary, int64(memory)
		c.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }
		report, err := bench.RunCluster(cmd.Context(), c)
		if err != nil {
			return err
		}
		return o.Show(cmd.OutOrStdout(), report, func(w io.Writer) { benchClusterTable(w, &report) })
	}
	return cmd
}

// checkCluster reports values that make no measurement.
func checkCluster(c *bench.ClusterConfig) error {
	for _, part := range c.Parts {
		if !slices.Contains(bench.ClusterParts(), part) {
			return cli.UsageError("bench cluster: --only %s: want some of %s", part, strings.Join(bench.ClusterParts(), ", "))
		}
	}
	switch {
	case len(c.Brokers) == 0:
		return cli.UsageError("bench cluster: no brokers for the journal; give --journal-brokers HOST:PORT,… (make kafka-up NODES=3 starts three)")
	case c.Events < 10_000 || c.People < 1000 || c.Rounds < 1:
		return cli.UsageError("bench cluster: --events %d --people %d --rounds %d: want at least 10000, 1000 and 1", c.Events, c.People, c.Rounds)
	case c.Shards < bench.ClusterNodes || c.Shards > 64:
		return cli.UsageError("bench cluster: --shards %d: want 3 to 64", c.Shards)
	case c.Batch < 1 || c.Batch > 1000 || c.Connections < bench.ClusterNodes:
		return cli.UsageError("bench cluster: --batch %d --connections %d: want 1 to 1000, and at least 3", c.Batch, c.Connections)
	case c.Load <= 0 || c.Load > 1 || c.Peak < 0:
		return cli.UsageError("bench cluster: --load %v --peak %v: want a part above 0, up to 1, and a rate", c.Load, c.Peak)
	case c.Lookups <= 0 || c.LookupRate < 10 || c.LookupRate > 10_000:
		return cli.UsageError("bench cluster: --look-ups %v --look-up-rate %d: want a time above 0, and 10 to 10000", c.Lookups, c.LookupRate)
	case c.HandOvers < 1 || c.Kills < 1:
		return cli.UsageError("bench cluster: --hand-overs %d --kills %d: want at least 1", c.HandOvers, c.Kills)
	case c.Peace <= 0 || c.RecoverWait <= 0:
		return cli.UsageError("bench cluster: --peace %v --patience %v: want times above 0", c.Peace, c.RecoverWait)
	}
	return nil
}

// benchClusterTable prints a row per round and deployment, the medians over the rounds, and then the times without an answer.
func benchClusterTable(w io.Writer, r *bench.ClusterReport) {
	fmt.Fprintf(w, "%d events, %d a request, %d shards, %d nodes, %d processors, load average %.1f at the beginning, %.1f at the end\n\n", r.Events, r.Batch, r.Shards, r.Nodes, r.Processors, r.LoadAverage[0], r.LoadAverage[1])
	var rates, medians, times cli.Table
	rates.Row("round", "measured", "events/s", "CPU µs/event", "of each node", "journal bytes/event", "journal records/event", "load average")
	for i := range r.Rounds {
		round := &r.Rounds[i]
		load := decimals(round.LoadAverage, 1)
		if round.Ratio > 0 {
			rates.Row(fmt.Sprint(i+1), "one process", decimals(round.Embedded.PerSecond, 0), decimals(round.Embedded.CPU, 1), "", "", "", load)
		}
		var nodes []string
		for _, cpu := range round.Nodes {
			nodes = append(nodes, decimals(cpu, 1))
		}
		rates.Row(fmt.Sprint(i+1), "three nodes", decimals(round.Cluster.PerSecond, 0), decimals(round.Cluster.CPU, 1), strings.Join(nodes, " + "),
			decimals(round.Journal, 0), decimals(round.Appends, 3), load)
	}
	rates.Write(w, "")
	fmt.Fprintln(w)
	spread := func(name string, s bench.Spread, digits int) {
		medians.Row(name, decimals(s.Median, digits), decimals(s.Low, digits)+" to "+decimals(s.High, digits))
	}
	if r.Ratio.Median > 0 {
		spread("CPU, nodes to one process", r.Ratio, 2)
	}
	spread("journal bytes/event", r.Journal, 0)
	medians.Write(w, "")
	times.Row("measured", "events/s", "count", "p50 ms", "p99 ms", "max ms", "errors")
	row := func(name string, rate float64, l *bench.Latencies, errors int, first string) {
		failed := ""
		if errors > 0 {
			failed = fmt.Sprintf("%d, the first: %s", errors, first)
		}
		times.Row(name, decimals(rate, 0), fmt.Sprint(l.Count), decimals(l.Median/1e3, 2), decimals(l.P99/1e3, 2), decimals(l.Worst/1e3, 2), failed)
	}
	if l := r.Lookups; l != nil {
		row("look-up, on the owner", l.Rate, &l.Own, 0, "")
		row("look-up, on another node", l.Rate, &l.Other, l.Errors, l.First)
		row("the same, from when it began", l.Rate, &l.Sent, 0, "")
		row("how late look-ups began", l.Rate, &l.Late, 0, "")
	}
	if h := r.HandOver; h != nil {
		for _, of := range []struct {
			name string
			*bench.Silences
		}{{"drained", &h.Drain}, {"drained no more", &h.Back}, {"SIGTERM", &h.Sigterm}, {"started again", &h.Return}} {
			row("without an answer: "+of.name, h.Rate, &of.Latencies, of.Errors, of.First)
		}
	}
	if f := r.FailOver; f != nil {
		row("killed: until another node knows", 0, &f.Detection, 0, "")
		row("killed: from then to an answer", 0, &f.Rest, 0, "")
		row("without an answer: killed", 0, &f.Total.Latencies, f.Total.Errors, f.Total.First)
	}
	if l := r.Copy; l != nil {
		row("look-up, before a copy", 0, &l.Before, 0, "")
		row("look-up, beside a copy", 0, &l.During, 0, "")
	}
	if r.Lookups != nil || r.HandOver != nil || r.FailOver != nil || r.Copy != nil {
		fmt.Fprintln(w)
		times.Write(w, "")
	}
	if l := r.Copy; l != nil {
		fmt.Fprintf(w, "\nan empty disk: %d shards, %.1f MB of rows at %.1f MB/s, ready %.1f s after the start\n", l.Shards, float64(l.Bytes)/1e6, l.Rate/1e6, l.Ready)
	}
	if p := r.Peace; p != nil {
		fmt.Fprintf(w, "\nfull ingest: %.0f s at %.0f events/s, %d looks, %d at which a node was taken for dead; %d shards were lost, %d claimed; %d errors %s\n",
			p.Seconds, p.Rate, p.Looks, p.Missed, p.Losses, p.Claims, p.Errors, p.First)
	}
}
