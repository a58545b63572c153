package keep

import (
	"fmt"
	"path/filepath"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newBackup asks a server for a copy of its data directory (POST /v1/admin/backup), or makes one in this process with
// --data.
//
// The server writes the copy, below its own folder of backups: a relative path is taken from there, and with --data from the
// current directory. A directory that has files in it is refused with exit code 4.
func newBackup() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "backup DIR",
		Short: "Write a consistent copy of a deployment, while it runs",
		Long: `Write a consistent copy of a deployment to a directory that is empty or does not exist: below the folder
of kindred serve --backup-dir, or, with --data, anywhere on this machine. Ingest continues meanwhile. On the same file system files are linked, so a copy takes little time and
space. Check a copy with kindred verify --data DIR.`,
		Args: cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir := args[0]
		if t.Local() {
			var err error
			if dir, err = filepath.Abs(dir); err != nil {
				return err
			}
		}
		return t.With(cmd, func(c *client.Client) error {
			written, err := c.Admin.Backup(cmd.Context(), dir)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "backup written to %s\n", written.Dir)
			return nil
		})
	}
	return cmd
}
