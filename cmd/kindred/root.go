package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/kindred-id/kindred/cmd/kindred/ask"
	"github.com/kindred-id/kindred/cmd/kindred/assert"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/cmd/kindred/keep"
	"github.com/kindred-id/kindred/cmd/kindred/run"
	"github.com/kindred-id/kindred/cmd/kindred/try"
	"github.com/spf13/cobra"
)

// execute runs the program without touching the process, so that tests can call it.
func execute(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// The first signal asks for an orderly stop; a second one ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(cli.WithArgs(ctx, args))
	if err != nil {
		cli.Report(stderr, err)
	}
	return cli.ExitCode(err)
}

// newRoot builds the tree of commands. Each package of commands owns its flags; the root adds what all of them share:
// settings from KINDRED_ variables and the configuration file, exit code 2 for wrong usage, and a suggestion for a
// mistyped command. Cobra prints nothing itself: execute alone reports errors, so an error appears once.
func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "kindred",
		Short: "Live identity resolution: one identity per person, from the events that carry identifiers",
		Long: `Kindred joins the identifiers (cookie, device, e-mail address, customer number) of each person as events
arrive, and keeps one live profile per person.

  kindred demo                                  watch identities merge
  kindred ingest --data ./data events.ndjson    ingest a file of events
  kindred serve --data ./data                   serve it over HTTP
  kindred get email:ann@example.com             ask a running server
  kindred get email:ann@example.com --data ./data

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 refused, 5 done in part.`,
		Version:       cli.ReadVersion().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("kindred {{.Version}}\n")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return cli.Settle(cmd) }
	// A flag that cobra cannot parse is wrong usage, like a value that a command refuses.
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return cli.Exit(cli.ExitUsage, err) })
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"run", "Run:", run.Commands()},
		{"ask", "Ask:", ask.Commands()},
		{"assert", "Assert:", assert.Commands()},
		{"keep", "Keep:", keep.Commands()},
		{"try", "Try and measure:", try.Commands()},
		{"", "", []*cobra.Command{newVersion(), newMan()}},
	} {
		if g.id != "" {
			root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		}
		for _, c := range g.commands {
			c.GroupID = g.id
			c.Args = cli.UsageArgs(c.Args)
			root.AddCommand(c)
		}
	}
	root.Args = unknownCommand
	// Cobra answers help for an unknown command with the usage and exit code 0. A script would take that for success,
	// so help refuses the name as the root does. Cobra adds its help command only on execution unless asked to here.
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			help := c.Run
			c.Run = nil
			c.RunE = func(cmd *cobra.Command, args []string) error {
				if _, rest, err := root.Find(args); err != nil || len(rest) > 0 {
					return unknownCommand(root, args)
				}
				help(cmd, args)
				return nil
			}
		}
	}
	root.SuggestionsMinimumDistance = 2
	return root
}

// unknownCommand refuses a word that names no command (exit code 2), and suggests commands with similar names. Without
// words it accepts, and the root prints its help.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return cli.UsageError("%s", message)
}
