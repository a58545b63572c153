package keep

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newClusterDrain makes a node give its shards away. An unknown node ends with exit code 3, the last one that takes shards
// with 4.
func newClusterDrain() *cobra.Command {
	var undo bool
	cmd := changeNode("drain NODE", "Make a node give its shards away, and take none",
		`Make a node give its shards to others and take none, also after a restart, until that is undone with --undo. It
answers clients as before, and keeps its copies until two other nodes have them. A node that is down can be
drained, too.

Any node can be asked. Watch kindred cluster status until the node owns nothing.`,
		func(cmd *cobra.Command, c *client.Client, node string) (document.ClusterNodeState, error) {
			return c.Admin.DrainNode(cmd.Context(), node, undo)
		})
	cmd.Flags().BoolVar(&undo, "undo", false, "let the node take its share of the shards again")
	return cmd
}

// newClusterRemove says that a node is gone for good. An unknown node ends with exit code 3, one that is alive with 4.
func newClusterRemove() *cobra.Command {
	return changeNode("remove NODE", "Say that a node never comes back",
		`Say that a node never comes back: its copies do not count from then on, and a node of its name is refused. Its
machine may come back as another node, with another name and an empty directory.

A node that is alive is refused: drain it, wait until it owns nothing, and stop it.`,
		func(cmd *cobra.Command, c *client.Client, node string) (document.ClusterNodeState, error) {
			return c.Admin.RemoveNode(cmd.Context(), node)
		})
}

func changeNode(use, short, long string, change func(*cobra.Command, *client.Client, string) (document.ClusterNodeState, error)) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: cobra.ExactArgs(1)}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			s, err := change(cmd, c, args[0])
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), s, func(w io.Writer) { fmt.Fprintf(w, "node %s: %s\n", s.Node, s.State) })
		})
	}
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) (names []cobra.Completion, _ cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		_ = t.With(cmd, func(c *client.Client) error {
			s, err := c.Admin.Cluster(cmd.Context())
			for i := range s.Nodes {
				names = append(names, s.Nodes[i].Node)
			}
			for i := range s.Absent {
				names = append(names, s.Absent[i].Node)
			}
			return err
		})
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return cmd
}
