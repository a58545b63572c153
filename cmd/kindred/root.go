package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// run is the whole program but for the process around it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	// The first signal asks to end in order; a second one ends at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		report(stderr, err)
	}
	return exitCode(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "kindred",
		Short: "Who is who, live: one identity for every person, from the events that name them",
		Long: `Kindred joins the identifiers (cookie, device, e-mail address, customer number) that belong to one
person, live, and keeps one profile for every person.

  kindred demo                                  watch identities merge
  kindred ingest --data ./data events.ndjson    take a file of events in
  kindred serve --data ./data                   serve it over HTTP
  kindred get email:ann@example.com             ask a running server
  kindred get email:ann@example.com --data ./data

Exit codes: 0 done, 1 failure, 2 wrong usage, 3 not found, 4 refused, 5 done in part.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return fromEnvironment(cmd.Flags()) }
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddGroup(
		&cobra.Group{ID: groupRun, Title: "Run:"},
		&cobra.Group{ID: groupAsk, Title: "Ask:"},
		&cobra.Group{ID: groupAssert, Title: "Assert:"},
		&cobra.Group{ID: groupKeep, Title: "Keep:"},
		&cobra.Group{ID: groupTry, Title: "Try and measure:"},
	)
	for _, c := range []struct {
		group   string
		command *cobra.Command
	}{
		{groupRun, newServe()},
		{groupRun, newIngest()},
		{groupRun, newDemo()},
		{groupAsk, newGet()},
		{groupAsk, newWhy()},
		{groupAsk, newHow()},
		{groupAsk, newTimeline()},
		{groupAsk, newExport()},
		{groupAsk, newTail()},
		{groupAsk, newStats()},
		{groupAsk, newRules()},
		{groupAssert, newForce()},
		{groupAssert, newCannot()},
		{groupAssert, newRetract()},
		{groupAssert, newForget()},
		{groupKeep, newVerify()},
		{groupKeep, newBackup()},
		{groupKeep, newRestore()},
		{groupKeep, newKafka()},
		{groupKeep, newDeadLetters()},
		{groupKeep, newReceivers()},
		{groupTry, newGenerate()},
		{groupTry, newCompare()},
		{groupTry, newBench()},
		{groupTry, newScore()},
		{"", newVersion()},
		{"", newMan()},
	} {
		c.command.GroupID = c.group
		c.command.Args = usageArgs(c.command.Args)
		root.AddCommand(c.command)
	}
	root.Args = unknownCommand
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

// Groups of commands in the help.
const (
	groupRun    = "run"
	groupAsk    = "ask"
	groupAssert = "assert"
	groupKeep   = "keep"
	groupTry    = "try"
)

// usageArgs makes what is wrong with the arguments an error of usage.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return &exitError{exitUsage, fmt.Errorf("%s: %w; usage: %s", cmd.Name(), err, cmd.UseLine())}
		}
		return nil
	}
}

func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no command %q", args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		message += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError("%s", message)
}

const envAnnotation = "kindred_env"

// withEnv lets environment variables KINDRED_… give flags that are not on the command line.
func withEnv(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		f := flags.Lookup(name)
		variable := "KINDRED_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		f.Annotations = map[string][]string{envAnnotation: {variable}}
		f.Usage += " [" + variable + "]"
	}
}

func fromEnvironment(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		variable, ok := f.Annotations[envAnnotation]
		if !ok || f.Changed || err != nil {
			return
		}
		if value := os.Getenv(variable[0]); value != "" {
			if wrong := f.Value.Set(value); wrong != nil {
				err = usageError("%s=%q: %w", variable[0], value, wrong)
			}
		}
	})
	return err
}
