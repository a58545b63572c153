package cli

import (
	"cmp"
	"context"
	"net/http"

	"github.com/kindred-id/kindred/api/client"
	"github.com/spf13/cobra"
)

// target is the deployment that a command addresses: a running server, or a data directory that the command opens itself.
type target struct {
	url    string
	node   NodeFlags
	create bool // a directory that does not exist
}

// AddTarget adds the flags that select a target.
func AddTarget(cmd *cobra.Command) *target {
	t := &target{}
	flags := cmd.Flags()
	flags.StringVar(&t.url, "url", client.DefaultURL, "address of the server")
	flags.StringVar(&t.node.Config.Dir, "data", "", "open this data directory instead of asking a server; no other process may have it open")
	flags.StringVar(&t.node.Config.Rules, "rules", "", "with --data: rules, a preset or a file (default: the rules last used)")
	flags.Var(&t.node.Memory, "memory", "with --data: memory limit, at least 128 MiB (default: half of the machine's memory, at most 8 GiB)")
	addKey(cmd)
	addTerms(cmd, &t.node.Config.Terms)
	addControl(cmd, &t.node.Config.ControlShare)
	_ = cmd.RegisterFlagCompletionFunc("rules", completeRules) // the flag is there
	WithEnv(flags, "url", "rules", "memory")
	return t
}

// Create lets the command create a data directory that does not exist. So it states where the customers are, or asks.
func (t *target) Create(cmd *cobra.Command) {
	t.create = true
	addLocale(cmd, &t.node.Config.Locale)
}

// Local reports whether the command opens a directory itself.
func (t *target) Local() bool { return t.node.Config.Dir != "" }

// With calls fn with a client of the target, and closes a directory that it opened.
//
// A setting that only a process with the directory open can change is refused for a server: the server would go on with
// its own, and the user would believe the command line. For the same reason --url with --data is wrong usage.
func (t *target) With(cmd *cobra.Command, fn func(*client.Client) error) error {
	if cmd.Flags().Changed("url") && cmd.Flags().Changed("data") {
		return UsageError("%s: give --url or --data, not both", cmd.Name())
	}
	if t.node.Config.Dir == "" {
		if cmd.Flags().Changed("rules") {
			return UsageError("%s: --rules cannot change a server's rules; use it with --data", cmd.Name())
		}
		for _, name := range append([]string{"region", "currency"}, termsFlags...) {
			if f := cmd.Flags().Lookup(name); f != nil && f.Changed {
				return UsageError("%s: --%s cannot change a server's settings; use it with --data", cmd.Name(), name)
			}
		}
		c, err := Connect(cmd, t.url)
		if err != nil {
			return err
		}
		return AboutKey(cmd, t.url, fn(c))
	}
	t.node.Config.MustExist = !t.create
	// A mistyped --data must fail. Without MustExist it would open a new, empty deployment and answer "not found".
	if t.create {
		if err := t.node.AskLocale(cmd); err != nil {
			return err
		}
	}
	k, err := t.node.Open(cmd.Context(), t.node.Logger(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	if err = k.Judged(cmd.Context()); err == nil {
		err = inProcess(k.Handler(), fn)
	}
	return cmp.Or(err, k.Stop(context.Background()))
}

// inProcess calls fn with a client that sends its requests to a handler in this process.
func inProcess(handler http.Handler, fn func(*client.Client) error) error {
	c, err := client.New("http://kindred", client.InProcess{Handler: handler})
	if err != nil {
		return err
	}
	return fn(c)
}
