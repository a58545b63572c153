package ask

import (
	"fmt"
	"io"
	"strings"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newStats prints the counters of GET /v1/stats. Those of events count since the directory was made, links refused at
// a cap since the start of the process; sizes are those of now.
func newStats() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show the counters and sizes of a deployment",
		Args:  cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			s, err := c.Admin.Stats(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), s, func(w io.Writer) { statsTable(w, &s) })
		})
	}
	return cmd
}

// statsTable has a row for each figure. Links refused at a cap are shown only if there are any: they say that a limit
// of the rules is too low for the data, or that the data is odd.
func statsTable(w io.Writer, s *document.Stats) {
	var t cli.Table
	t.Row("identities", cli.Number(s.Identities))
	t.Row("events", cli.Number(s.Events))
	t.Row("duplicates", cli.Number(s.Duplicates))
	t.Row("conflicting", cli.Number(s.Conflicting))
	t.Row("merges", cli.Number(s.Merges))
	t.Row("splits", cli.Number(s.Splits))
	t.Row("generic values", cli.Number(s.GenericValues))
	if s.LeftOut > 0 {
		t.Row("refused at a cap", cli.Plural(s.LeftOut, "link")+" since the start")
	}
	t.Row("quarantined", cli.Number(s.Quarantined))
	t.Row("rules", fmt.Sprintf("%s (%s)", s.Rules.Name, s.Rules.Version))
	if len(s.Assumed) > 0 {
		t.Row("assumed", strings.Join(s.Assumed, ", ")+"; state them with kindred serve --region --currency")
	}
	t.Row("shards", cli.Number(s.Shards))
	t.Row("in memory", fmt.Sprintf("%s, %s", cli.Plural(s.Residents, "identifier"), cli.FormatBytes(s.ActorBytes)))
	t.Row("log to replay", cli.FormatBytes(s.LogBytes))
	t.Row("in progress", fmt.Sprintf("%s, %s between shards", cli.Plural(s.UnderWay, "event"), cli.Plural(s.InTransit, "message")))
	t.Row("version", s.Version)
	t.Write(w, "")
}
