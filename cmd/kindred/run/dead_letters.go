package run

import (
	"github.com/kindred-id/kindred/actors/letters"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// addDeadLetters adds the flags that bound what is kept of refused events.
func addDeadLetters(cmd *cobra.Command, f *cli.NodeFlags) {
	flags, d := cmd.Flags(), &f.Config.DeadLetters
	d.Bytes = letters.DefaultBytes
	flags.Var((*cli.ByteSize)(&d.Bytes), "dead-letters", "how much to keep of events that were refused over HTTP, at least 2MiB; the oldest are dropped")
	flags.DurationVar(&d.Age, "dead-letters-age", letters.DefaultAge, "how long to keep events that were refused over HTTP, at least 1m")
	flags.BoolVar(&d.Off, "dead-letters-off", false, "do not keep events that were refused over HTTP")
	cli.WithEnv(flags, "dead-letters", "dead-letters-age", "dead-letters-off")
}
