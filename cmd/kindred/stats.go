package main

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/spf13/cobra"
)

func newStats() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "stats",
		Short: "Show what a deployment holds and has done",
		Args:  cobra.NoArgs,
	}
	t := addTarget(cmd)
	out := addOutput(cmd, formatTable, formatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.with(cmd, func(c *client.Client) error {
			s, err := c.Stats(cmd.Context())
			if err != nil {
				return err
			}
			return out.show(cmd.OutOrStdout(), s, func(w io.Writer) { statsTable(w, &s) })
		})
	}
	return cmd
}

func statsTable(w io.Writer, s *document.Stats) {
	var t table
	t.row("identities", number(s.Identities))
	t.row("events", number(s.Events))
	t.row("duplicates", number(s.Duplicates))
	t.row("conflicting", number(s.Conflicting))
	t.row("merges", number(s.Merges))
	t.row("splits", number(s.Splits))
	t.row("generic values", number(s.GenericValues))
	if s.LeftOut > 0 {
		t.row("left out at a cap", number(s.LeftOut)+" links since the start")
	}
	t.row("set aside", number(s.Quarantined))
	t.row("rules", fmt.Sprintf("%s (%s)", s.Rules.Name, s.Rules.Version))
	t.row("shards", number(s.Shards))
	t.row("in memory", fmt.Sprintf("%s, %s", plural(s.Residents, "identifier"), formatBytes(s.ActorBytes)))
	t.row("log to replay", formatBytes(s.LogBytes))
	t.row("under way", fmt.Sprintf("%s, %s between shards", plural(s.UnderWay, "event"), plural(s.InTransit, "message")))
	t.row("version", s.Version)
	t.write(w, "")
}
