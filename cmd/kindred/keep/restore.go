package keep

import (
	"fmt"

	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
	"github.com/spf13/cobra"
)

// newRestore makes a data directory of a backup, in this process: no server is asked. The directory must be empty or
// missing. Every row is read once, since damage is better found now than by a server. If anything fails, the directory
// is not a data directory, so no server can open half of a backup.
func newRestore() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "restore BACKUP --data DIR",
		Short: "Create a data directory from a backup",
		Long: `Create a new data directory from a backup, and read every row of it once, so that damage in the backup is
found now. The backup is not changed.`,
		Args: cobra.ExactArgs(1),
	}
	cmd.Flags().StringVar(&dir, "data", "", "data directory to create; must be empty or not exist")
	cli.WithEnv(cmd.Flags(), "data")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			return cli.UsageError("restore: no directory to create; give --data DIR")
		}
		if err := row.Restore(storage.Options{Dir: dir}, args[0]); err != nil {
			return err
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "restored %s to %s\n", args[0], dir)
		return nil
	}
	return cmd
}
