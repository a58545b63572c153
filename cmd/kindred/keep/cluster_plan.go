package keep

import (
	"fmt"
	"io"
	"time"

	"github.com/kindred-id/kindred/cluster/plan"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newClusterPlan says what a cluster of some size would be like.
func newClusterPlan() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what a cluster of some size would be like",
		Long: `Place the shards of a cluster by the rule that nodes use, let each node die, let one more join, send events
through, and say what each node would have and do. Nothing is asked, and nothing is changed.

What an event costs is taken from the flags. The defaults were measured on one machine (docs/benchmarks.md):
measure yours with "kindred bench cluster", and with a copy of your events.`,
		Args: cobra.NoArgs,
	}
	s := plan.Measured()
	f := cmd.Flags()
	f.IntVar(&s.Nodes, "nodes", s.Nodes, "nodes")
	f.IntVar(&s.Zones, "zones", s.Zones, "zones that they are spread over; nodes of one may fail together")
	f.IntVar(&s.Shards, "shards", s.Shards, "shards of the deployment, which are fixed once it is made")
	f.IntVar(&s.Cores, "cores", s.Cores, "cores of a node")
	f.Float64Var(&s.Identities, "identities", s.Identities, "people, devices and visitors")
	f.Float64Var(&s.Events, "events", s.Events, "stored events of each")
	f.Float64Var(&s.Rate, "rate", s.Rate, "events a second, over all nodes")
	f.IntVar(&s.Identifiers, "identifiers", s.Identifiers, "identifiers of an event")
	f.Float64Var(&s.CPU, "cpu", s.CPU, "processor time of an event in microseconds, over all nodes")
	f.Float64Var(&s.Disk, "disk", s.Disk, "bytes of a stored event, in one copy")
	f.Float64Var(&s.Journal, "journal", s.Journal, "bytes of an event in the journal, in one replica")
	f.Float64Var(&s.Copy, "copy", s.Copy, "bytes a second that a node copies to an empty disk")
	keep := f.Duration("journal-keep", time.Duration(s.Keep)*time.Second, "how long the journal keeps what two nodes have")
	f.IntVar(&s.Replica, "replicas", s.Replica, "replicas of the journal")
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		s.Keep = keep.Seconds()
		s.Zones = min(s.Zones, max(1, s.Nodes))
		p, err := plan.Make(&s)
		if err != nil {
			return cli.UsageError("%v", err)
		}
		return out.Show(cmd.OutOrStdout(), p, func(w io.Writer) { planTable(w, &s, &p) })
	}
	return cmd
}

func planTable(w io.Writer, s *plan.Size, p *plan.Plan) {
	bytes := func(n float64) string { return cli.FormatBytes(int64(n)) }
	count := func(n float64) string { return fmt.Sprintf("%.0f", n) }
	part := func(n float64) string { return fmt.Sprintf("%.0f %%", 100*n) }
	spread := func(r plan.Range, show func(float64) string) string {
		return fmt.Sprintf("%s (%s to %s)", show(r.Mean), show(r.Least), show(r.Most))
	}
	fmt.Fprintf(w, "%s, %s, %s identities with %s events each, %s events/s\n", cli.Plural(s.Nodes, "node"), cli.Plural(s.Shards, "shard"),
		cli.Number(int64(s.Identities)), cli.Number(int64(s.Events)), cli.Number(int64(s.Rate)))
	var t cli.Table
	t.Row("each node", "owns", spread(p.Owned, count)+" shards")
	t.Row("", "copies", spread(p.Copies, count)+" shards")
	t.Row("", "rows", spread(p.Disk, bytes))
	t.Row("", "cores busy", spread(p.Busy, part))
	t.Row("between nodes", "messages", fmt.Sprintf("%.1f an event, there and back", p.Hops))
	t.Row("journal", "written", bytes(p.JournalRate)+"/s over all brokers")
	t.Row("", "kept", bytes(p.JournalBytes)+" over all brokers")
	t.Row("after a death", "cores busy", "up to "+part(p.DeathBusy)+" of a node")
	t.Row("", "copied", bytes(p.DeathCopied)+", in "+took(p.DeathSeconds))
	t.Row("after a join", "moved", cli.Plural(p.JoinMoves, "shard"))
	t.Row("", "copied first", "in "+took(p.JoinSeconds))
	t.Write(w, "")
	if p.DeathBusy > 1 {
		fmt.Fprintln(w, "A node that is left after a death does not keep up: more nodes, more cores, or fewer events.")
	}
}

// took writes a time in seconds as people would.
func took(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second).String()
}
