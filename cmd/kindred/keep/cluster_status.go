package keep

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newClusterStatus shows the nodes of a cluster.
func newClusterStatus() *cobra.Command {
	return clusterView("status", "Show the nodes of a cluster, and what each has",
		`Show what one node knows of its cluster: which nodes are alive, how many shards each owns and has copies of, and
whether the journal answers. Other nodes may know something else for a moment.`, nodesTable)
}

// newClusterShards shows where shards are.
func newClusterShards() *cobra.Command {
	return clusterView("shards", "Show which node owns each shard, and where its copies are",
		`Show for each shard which node owns it, which nodes have a copy that is caught up, and what the node that answers
is to it, with the records of the journal that its copy has not taken yet.`, shardsTable)
}

func clusterView(use, short, long string, table func(io.Writer, *document.Cluster)) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.NoArgs}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			s, err := c.Admin.Cluster(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), s, func(w io.Writer) { table(w, &s) })
		})
	}
	return cmd
}

func nodesTable(w io.Writer, s *document.Cluster) {
	journal := "answers"
	if !s.Journal.Answers {
		journal = "does not answer: " + cli.Printable(s.Journal.Error)
	}
	fmt.Fprintf(w, "cluster %s, %s, asked of node %s; journal %s %s\n", s.Cluster, cli.Plural(len(s.Shards), "shard"), s.Node, s.Journal.Topic, journal)
	for _, h := range s.Journal.Held {
		fmt.Fprintf(w, "journal: %s of node %s keep records that are older than %v, for %v: %s\n",
			cli.Plural(h.Shards, "shard"), s.Node, time.Duration(s.Journal.KeepSeconds)*time.Second, time.Duration(h.Seconds)*time.Second, held[h.Why])
	}
	if held := s.Encodings.HeldBack; len(held) > 0 {
		fmt.Fprintf(w, "encodings: generation %d is written until %s run a newer version, or are removed\n", s.Encodings.Written, strings.Join(held, ", "))
	}
	var t cli.Table
	t.Row("node", "state", "owns", "copies", "weight", "zone", "clients", "version")
	for i := range s.Nodes {
		n := &s.Nodes[i]
		t.Row(n.Node, n.State, cli.Number(n.Owned), cli.Number(n.Copies), cli.Number(n.Weight), cmp.Or(n.Zone, "-"), cmp.Or(n.Client, "-"), cmp.Or(n.Version, "-"))
	}
	for i := range s.Absent {
		n := &s.Absent[i]
		state := "down"
		if n.State != "member" {
			state += ", " + n.State
		}
		t.Row(n.Node, state, "", "", "", "", "", cmp.Or(n.Version, "-"))
	}
	t.Write(w, "")
}

// held says why records stay, in words.
var held = map[string]string{
	journal.NoReports.String():  "no node has said lately that it has a copy",
	journal.OneCopy.String():    "only one node has a copy",
	journal.CopyBehind.String(): "the second copy does not have all of them",
	journal.Failed.String():     "the brokers did not delete them",
}

func shardsTable(w io.Writer, s *document.Cluster) {
	var t cli.Table
	t.Row("shard", "owner", "copies", "on "+s.Node, "behind", "")
	for i := range s.Shards {
		at := &s.Shards[i]
		t.Row(cli.Number(at.Shard), cmp.Or(at.Owner, "nobody"), cmp.Or(strings.Join(at.Copies, " "), "-"), at.Here, cli.Number(at.Lag), cli.Printable(cmp.Or(at.Problem, at.Awaits)))
	}
	t.Write(w, "")
}
