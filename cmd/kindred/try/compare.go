package try

import (
	"fmt"
	"io"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newCompare compares two files. That they differ is an answer and no failure of the command, so it prints the report
// alone and ends with exit code 1.
func newCompare() *cobra.Command {
	return &cobra.Command{
		Use:   "compare EXPORT TRUTH",
		Short: "Compare an export with the truth of generated events",
		Long:  "Compare an export with the truth that kindred generate wrote. The order of lines does not matter.\nEnds with exit code 0 if they are equal, and otherwise with 1 and a report of the differences.",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return compare(cmd.OutOrStdout(), args[0], args[1])
		},
	}
}

func compare(w io.Writer, export, truth string) error {
	e, err := cli.OpenInfile(export)
	if err != nil {
		return err
	}
	defer e.Close()
	t, err := cli.OpenInfile(truth)
	if err != nil {
		return err
	}
	defer t.Close()
	report, err := generate.Compare(e, t)
	if err != nil {
		return fmt.Errorf("compare %s with %s: %w", export, truth, err)
	}
	if _, err := io.WriteString(w, report.String()); err != nil {
		return err
	}
	if !report.OK() {
		return cli.Silently(cli.ExitFailure)
	}
	return nil
}
