package main

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newVersion prints what people need to report: the release, the compiler, the platform, the format of data
// directories, and the revision of a build from a checkout.
func newVersion() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
	}
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := cli.ReadVersion()
		if out.Format == "" {
			out.Format = cli.FormatTable // people paste this line into reports
		}
		return out.Show(cmd.OutOrStdout(), v, func(w io.Writer) {
			fmt.Fprintf(w, "kindred %s, %s %s, data format %d", v.Version, v.Go, v.Platform, v.Format)
			if v.Revision != "" {
				fmt.Fprintf(w, ", revision %s", v.Revision)
			}
			fmt.Fprintln(w)
		})
	}
	return cmd
}
