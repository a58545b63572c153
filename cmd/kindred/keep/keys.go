package keep

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newKeys groups the commands that manage access keys.
func newKeys() *cobra.Command {
	return cli.Group("keys", "Make, list, rotate and revoke access keys",
		`Make, list, rotate and revoke the keys that clients of the HTTP interface show.

A deployment without keys is open: kindred serve then listens on loopback only. Make an admin key first, on its
data directory; from then on every request needs a key. On a running server, these commands need an admin key
themselves: they read it from the variable KINDRED_KEY or from --key-file.

  kindred keys create admin --data ./data       the first key, while no server runs
  export KINDRED_KEY=ak_…                       the key just shown
  kindred keys create write --source shop-web   for a tracking library
  kindred keys create --role viewer --name ann --expires 90d

  kind    prefix  scopes
  write   wk_     events:write
  read    rk_     profiles:read
  admin   ak_     all of them
  erase   ek_     privacy:erase
  ops     ok_     ops

  role      scopes
  viewer    profiles:read
  marketer  profiles:read, audiences:write
  engineer  events:write, profiles:read, ops
  privacy   profiles:read, privacy:erase
  admin     all of them`,
		newKeysCreate(), newKeysList(), newKeysRotate(), newKeysRevoke())
}

// newKeysCreate makes a key. With --data it creates a directory that does not exist, so that a server which listens on a network
// has a key before its first start.
func newKeysCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:       "create [write|read|admin|erase|ops]",
		Short:     "Make a key, and show it once",
		Args:      cobra.MaximumNArgs(1),
		ValidArgs: []string{"write", "read", "admin", "erase", "ops"},
	}
	t := cli.AddTarget(cmd)
	t.Create(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON, formatKey)
	var ask document.AccessKeyRequest
	var expires age
	flags := cmd.Flags()
	flags.StringVar(&ask.Name, "name", "", "what the key is called in lists (default: its source, role or kind)")
	flags.StringVar(&ask.Role, "role", "", "make a key for a person: viewer, marketer, engineer, privacy or admin")
	flags.StringVar(&ask.Source, "source", "", "source of the events that come with a write key (default: the name)")
	flags.StringSliceVar(&ask.Scopes, "scopes", nil, "scopes: events:write, profiles:read, graph:admin, privacy:erase, ops, audiences:write (default: those of the kind or role)")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]string{"viewer", "marketer", "engineer", "privacy", "admin"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("scopes", cobra.FixedCompletions([]string{"events:write", "profiles:read", "graph:admin", "privacy:erase", "ops", "audiences:write"}, cobra.ShellCompDirectiveNoFileComp))
	flags.Var(&expires, "expires", "lifetime, such as 90d or 12h (default: the key does not expire)")
	flags.IntVar(&ask.RatePerSecond, "rate", 0, "requests that the key may make in a second (default: as the server allows each key)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			ask.Kind = args[0]
		}
		if ask.Kind == "" && ask.Role == "" {
			return cli.UsageError("keys create: no kind; give write, read, admin, erase or ops, or --role ROLE")
		}
		for _, name := range []string{ask.Source, ask.Role, ask.Kind} {
			if ask.Name == "" {
				ask.Name = name
			}
		}
		ask.ExpiresInSeconds = expires.seconds()
		return t.With(cmd, func(c *client.Client) error {
			key, err := c.Admin.CreateKey(cmd.Context(), ask)
			if err != nil {
				return err
			}
			return showNewKey(cmd, out, &key)
		})
	}
	return cmd
}

// formatKey is an output format: the key alone, for a script.
const formatKey = "key"

// showNewKey prints a key. Its warning goes to standard error.
func showNewKey(cmd *cobra.Command, out *cli.Output, key *document.NewAccessKey) error {
	if out.Format == formatKey {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), key.Key)
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "this is the only time that the key is shown: only its hash is kept")
	return out.Show(cmd.OutOrStdout(), key, func(w io.Writer) {
		var t cli.Table
		t.Row("key", key.Key)
		for _, cells := range keyRows(&key.AccessKey) {
			t.Row(cells...)
		}
		t.Write(w, "")
	})
}

func keyRows(k *document.AccessKey) [][]string {
	rows := [][]string{{"id", k.ID}, {"name", cli.Printable(k.Name)}, {"scopes", strings.Join(k.Scopes, " ")}}
	if k.Source != "" {
		rows = append(rows, []string{"source", cli.Printable(k.Source)})
	}
	return append(rows, []string{"expires", orNever(string(k.Expires))})
}

func orNever(moment string) string {
	if moment == "" {
		return "never"
	}
	return moment
}

func newKeysList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List all keys, the newest first",
		Args:  cobra.NoArgs,
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return t.With(cmd, func(c *client.Client) error {
			list, err := c.Admin.Keys(cmd.Context())
			if err != nil {
				return err
			}
			return out.Show(cmd.OutOrStdout(), list, func(w io.Writer) {
				if len(list.Keys) == 0 {
					fmt.Fprintln(w, "the deployment has no keys, so its server is open")
					return
				}
				var t cli.Table
				t.Row("id", "kind", "state", "expires", "scopes", "name")
				for _, k := range list.Keys {
					t.Row(k.ID, k.Kind, k.State, orNever(string(k.Expires)), strings.Join(k.Scopes, " "), cli.Printable(k.Name))
				}
				t.Write(w, "")
			})
		})
	}
	return cmd
}

func newKeysRotate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rotate ID",
		Short: "Make the successor of a key, which stays valid for a while",
		Args:  cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	out := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON, formatKey)
	overlap := age(7 * day)
	cmd.Flags().Var(&overlap, "overlap", "how long the old key stays valid, such as 7d or 0s")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			key, err := c.Admin.RotateKey(cmd.Context(), args[0], document.RotationRequest{OverlapSeconds: overlap.seconds()})
			if err != nil {
				return err
			}
			return showNewKey(cmd, out, &key)
		})
	}
	return cmd
}

func newKeysRevoke() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revoke ID",
		Short: "End a key at once",
		Args:  cobra.ExactArgs(1),
	}
	t := cli.AddTarget(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return t.With(cmd, func(c *client.Client) error {
			key, err := c.Admin.RevokeKey(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "revoked key %s, %s\n", key.ID, cli.Printable(key.Name))
			return nil
		})
	}
	return cmd
}

const day = 24 * time.Hour

// age is the value of a flag: a time, in days too.
type age time.Duration

// Set implements pflag.Value.
func (a *age) Set(text string) error {
	unit := time.Duration(1)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text, unit = days+"ns", day
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d > 100*365*day/unit {
		return fmt.Errorf("want a time such as 90d, 12h or 30m")
	}
	*a = age(d * unit)
	return nil
}

// String implements pflag.Value.
func (a *age) String() string {
	if d := time.Duration(*a); d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return time.Duration(*a).String()
}

// Type implements pflag.Value.
func (*age) Type() string { return "TIME" }

func (a *age) seconds() int64 { return int64(time.Duration(*a) / time.Second) }
