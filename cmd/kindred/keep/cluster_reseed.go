package keep

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/cluster"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// reseeded is what cluster reseed made.
type reseeded struct {
	Dir    string         `json:"dir"`
	Shards int            `json:"shards"`
	From   map[string]int `json:"from"` // by directory, how many newest copies it had; that of the rows of no shard counts, too
	Rows   int64          `json:"rows"`
	Bytes  int64          `json:"bytes"`
}

// newClusterReseed makes one directory of those of nodes whose journal is lost.
func newClusterReseed() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "reseed DIR --from DIRECTORIES",
		Short: "Make one directory of the newest copies of nodes, once their journal is lost",
		Long: `Write a data directory of one process with the newest copy of each shard that the directories of stopped nodes
have. It is for a journal that Kafka has lost, or lost a part of: nodes say so, and halt. What the journal had
acknowledged and no copy has is lost.

Stop all nodes, bring their directories to one machine, and name them all. Then begin a cluster with the result:
kindred cluster init --from DIR, and give each node an empty directory. Directories that are named stay as they
are.`,
		Args: cobra.ExactArgs(1),
	}
	from := cmd.Flags().StringSlice("from", nil, "data directories of the nodes, which are stopped, comma-separated")
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(*from) == 0 {
			return cli.UsageError("reseed: no directories of nodes; give --from DIR,DIR,…")
		}
		bar := cli.NewProgress(cmd.ErrOrStderr(), "copying", -1, true, "")
		got, err := cluster.Gather(*from, args[0], bar.Set)
		bar.End()
		if err != nil {
			return fmt.Errorf("reseed: %w", err)
		}
		made := reseeded{Dir: args[0], Shards: got.Shards, From: map[string]int{}, Rows: got.Rows, Bytes: got.Bytes}
		for i, dir := range *from {
			made.From[dir] += got.From[i]
		}
		return out.Show(cmd.OutOrStdout(), made, func(w io.Writer) {
			fmt.Fprintf(w, "%s has %s, %s: check it with \"kindred verify --data %s\", and begin a cluster with \"kindred cluster init --from %s\"\n",
				cli.Printable(made.Dir), cli.Plural(made.Shards, "shard"), cli.Plural(made.Rows, "row"), cli.Printable(made.Dir), cli.Printable(made.Dir))
			var t cli.Table
			t.Row("directory", "newest copies")
			for i, dir := range *from {
				t.Row(cli.Printable(strings.TrimSpace(dir)), cli.Number(got.From[i]))
			}
			t.Write(w, "")
		})
	}
	return cmd
}
