package cli

import (
	"cmp"
	"context"
	"net/http"

	"github.com/kindred-id/kindred/api/client"
	"github.com/spf13/cobra"
)

// target is whom a command talks to: a running server, or a directory that it opens itself.
type target struct {
	url  string
	node NodeFlags
}

func AddTarget(cmd *cobra.Command) *target {
	t := &target{}
	flags := cmd.Flags()
	flags.StringVar(&t.url, "url", client.DefaultURL, "running server to talk to")
	flags.StringVar(&t.node.Config.Dir, "data", "", "open this data directory instead; no other process may have it open")
	flags.StringVar(&t.node.Config.Rules, "rules", "", "with --data: preset or file of rules; default those of the last time")
	flags.Var(&t.node.Memory, "memory", "with --data: memory to use")
	addTerms(cmd, &t.node.Config.Terms)
	addControl(cmd, &t.node.Config.ControlShare)
	WithEnv(flags, "url", "rules", "memory")
	return t
}

// Local reports whether the command opens a directory itself.
func (t *target) Local() bool { return t.node.Config.Dir != "" }

// With calls fn with a client of the target.
func (t *target) With(cmd *cobra.Command, fn func(*client.Client) error) error {
	if cmd.Flags().Changed("url") && cmd.Flags().Changed("data") {
		return UsageError("%s: give --url or --data, not both", cmd.Name())
	}
	if t.node.Config.Dir == "" {
		if cmd.Flags().Changed("rules") {
			return UsageError("%s: the rules are the server's: give --rules with --data only", cmd.Name())
		}
		for _, name := range termsFlags {
			if cmd.Flags().Changed(name) {
				return UsageError("%s: the settings of scores are the server's: give --%s with --data only", cmd.Name(), name)
			}
		}
		c, err := client.New(t.url, nil)
		if err != nil {
			return Exit(ExitUsage, err)
		}
		return fn(c)
	}
	t.node.Config.MustExist = true
	k, err := t.node.Open(cmd.Context(), t.node.Logger(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	if err = k.Judged(cmd.Context()); err == nil {
		err = inProcess(k.Handler(), fn)
	}
	return cmp.Or(err, k.Stop(context.Background()))
}

// inProcess calls fn with a client that asks a handler of this process.
func inProcess(handler http.Handler, fn func(*client.Client) error) error {
	c, err := client.New("http://kindred", client.InProcess{Handler: handler})
	if err != nil {
		return err
	}
	return fn(c)
}
