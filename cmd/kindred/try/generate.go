package try

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/spf13/cobra"
)

// newGenerate writes events, and on request the truth about them: what an engine must export, and which identifiers
// each person really used. The second differs from the first, as people share devices and never log in. The shares are
// a table of flags, each one float of generate.Config with its default. --check does what kindred compare does.
func newGenerate() *cobra.Command {
	cfg := generate.Default()
	var truth, people, out, check, start string
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Generate a stream of shopper events, and the truth about it",
		Long: `Generate events of shoppers, one JSON object per line, in the form that client libraries send: visitors who
log in late, households and shared tablets, redeliveries, disorder, junk and generic values, orders with
discounts, refunds and cancellations. The same flags generate the same bytes on any machine.

--truth writes what a perfect engine would export under the rules "open". Compare an export with it:

  kindred generate --events 100000 --people 10000 -f events.ndjson.zst --truth truth.ndjson
  kindred ingest --data ./data --rules open events.ndjson.zst
  kindred export --data ./data export.ndjson
  kindred compare export.ndjson truth.ndjson`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.IntVar(&cfg.Events, "events", cfg.Events, "number of events, including redeliveries")
	flags.IntVar(&cfg.People, "people", cfg.People, "number of people who visit")
	flags.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "seed of the random generator: another seed generates another shop")
	flags.StringVarP(&out, "file", "f", "", "file to write; a name that ends in .gz or .zst selects compression (default: standard output)")
	flags.StringVar(&truth, "truth", "", "file for the identities that follow from the events")
	flags.StringVar(&people, "people-truth", "", "file for the identifiers that each person really used")
	flags.StringVar(&check, "check", "", "generate nothing; compare this export with the file of --truth")
	flags.StringVar(&start, "start", cfg.Start.Format(time.DateOnly), "day of the first event")
	flags.DurationVar(&cfg.Span, "span", cfg.Span, "time from the first event to the last")
	flags.IntVar(&cfg.Concurrent, "concurrent", cfg.Concurrent, "number of visits at the same time")
	flags.IntVar(&cfg.Disorder.Max, "disorder-max", cfg.Disorder.Max, "how many events later a late event may come, at most")
	for _, share := range []struct {
		value *float64
		name  string
		usage string
	}{
		{&cfg.LateLogin, "late-login", "share of devices used before their owner logs in on them"},
		{&cfg.Household, "household", "share of people who share an app's device with another"},
		{&cfg.SharedTablet, "shared-tablet", "share of people who log in on another person's cookie"},
		{&cfg.Generic, "generic", "share of people who sign up with the address of a call centre"},
		{&cfg.Loyalty, "loyalty", "share of people with a loyalty_card; the rules must declare that namespace, with class customer"},
		{&cfg.Alias, "alias", "share of people with an older customer number, joined by an alias call"},
		{&cfg.Junk, "junk", "share of events with a worthless identifier next to a good one"},
		{&cfg.RawForms, "raw-forms", "share of e-mail addresses and phone numbers that are not in normalised form"},
		{&cfg.Redelivery, "redelivery", "share of events that are delivered again"},
		{&cfg.Disorder.Share, "disorder", "share of events that arrive late"},
		{&cfg.Discount, "discount", "share of orders with a discount, a coupon or both"},
		{&cfg.Refund, "refund", "share of orders that are refunded, half of them in part"},
		{&cfg.Cancel, "cancel", "share of orders that are cancelled"},
		{&cfg.Update, "update", "share of orders that are updated"},
		{&cfg.Copy, "copy", "share of orders that the shop's server reports a second time"},
		{&cfg.TextMoney, "text-money", "share of orders with money as text"},
	} {
		flags.Float64Var(share.value, share.name, *share.value, share.usage)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if check != "" {
			if truth == "" {
				return cli.UsageError("generate: --check needs a truth to compare with; give --truth FILE")
			}
			return compare(cmd.OutOrStdout(), check, truth)
		}
		day, err := time.Parse(time.DateOnly, start)
		if err != nil {
			return cli.UsageError("generate: --start %q: not a day; want one such as 2025-01-31", start)
		}
		cfg.Start = day
		if err := cfg.Check(); err != nil {
			return cli.Exit(cli.ExitUsage, err)
		}
		return generateTo(cmd, cfg, out, truth, people)
	}
	return cmd
}

// generateTo writes the events, and then the files of truth. The truth is kept in memory meanwhile, and only if a file
// asks for it. A file appears only when it is complete.
func generateTo(cmd *cobra.Command, cfg generate.Config, out, truth, people string) error {
	g, err := generate.New(cfg)
	if err != nil {
		return err
	}
	var t *generate.Truth
	if truth != "" || people != "" {
		t = g.KeepTruth()
	}
	file, err := cli.CreateOutfile(out, cmd.OutOrStdout())
	if err != nil {
		return err
	}
	bar := cli.NewProgress(cmd.ErrOrStderr(), "generating", int64(cfg.Events), false, "events")
	err = writeEvents(cmd, g, file, bar)
	bar.End()
	if err := file.Finish(err); err != nil {
		return err
	}
	if t == nil {
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s, %s distinct, of %s under rules without limits\n",
		cli.Plural(cfg.Events, "event"), cli.Number(t.Events()), cli.Plural(t.Identities(), "identity"))
	return errors.Join(writeTruth(truth, t.WriteTruth), writeTruth(people, t.WritePeople))
}

// progressEvery is the number of events between two updates of the progress bar.
const progressEvery = 1024

// writeEvents writes events, a line each, until the generator ends or the command is interrupted. The line is one
// buffer, used again.
func writeEvents(cmd *cobra.Command, g *generate.Generator, w io.Writer, bar *cli.Progress) error {
	var line []byte
	for n := 1; ; n++ {
		var ok bool
		if line, ok = g.Next(line[:0]); !ok {
			return nil
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
		if n%progressEvery == 0 {
			bar.Add(progressEvery)
			if err := cmd.Context().Err(); err != nil {
				return err
			}
		}
	}
}

// writeTruth writes one file of truth; an empty name writes none. The file appears only when it is complete.
func writeTruth(name string, write func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	file, err := cli.CreateOutfile(name, os.Stdout)
	if err != nil {
		return err
	}
	return file.Finish(write(file))
}
