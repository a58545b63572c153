package keep

import (
	"bufio"
	"fmt"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// membersPage is the number of members a request.
const membersPage = 200

// newAudienceMembers writes who is in an audience, one a line, as the pages come.
func newAudienceMembers() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "members KEY",
		Short: "List the people who are in an audience",
		Long:  "List the people who are in an audience, by public id, with since when, one a line, in an order that means nothing.",
		Args:  cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	limit := 0
	cmd.Flags().IntVarP(&limit, "limit", "n", limit, "maximum number of people; 0 lists all")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 0 {
			return cli.UsageError("audience members: --limit %d: negative; want 1 or more, or 0 for all", limit)
		}
		return t.With(cmd, func(c *client.Client) error {
			out := bufio.NewWriter(cmd.OutOrStdout())
			for cursor, listed := "", 0; ; {
				most := membersPage
				if limit > 0 {
					most = min(most, limit-listed)
				}
				page, err := c.Audiences.Members(cmd.Context(), args[0], most, cursor)
				if err != nil {
					return err
				}
				for _, m := range page.Members {
					fmt.Fprintf(out, "%s\t%s\n", m.ID, m.Since)
				}
				if err := out.Flush(); err != nil {
					return err
				}
				if !page.Complete && cursor == "" {
					fmt.Fprintln(cmd.ErrOrStderr(), "people are being evaluated by a new version of the definitions: the list is as far as that has come")
				}
				cursor, listed = string(page.Next), listed+len(page.Members)
				if cursor == "" || limit > 0 && listed >= limit {
					return nil
				}
			}
		})
	}
	return cmd
}
