package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/bench/generate"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/ingest"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// Bounds of the demonstration.
const (
	demoMemory    = 512 << 20
	demoShards    = 16
	demoRateMax   = 10_000
	demoMerges    = 256 // merges that wait to be shown; more are only counted
	settleTimeout = 30 * time.Second
	demoFind      = 200 // newest events among which the deciding one is looked for
)

func newDemo() *cobra.Command {
	var d demo
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch identities merge: shoppers stream in, on a temporary directory",
		Long: `Start a server on a temporary directory, stream generated shoppers into it, and show each merge of two
profiles as it happens. Ends with Ctrl-C, and leaves nothing behind.`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.Float64Var(&d.rate, "rate", 20, "events a second")
	flags.DurationVar(&d.length, "for", 0, "end after this time (default when you stop it)")
	flags.StringVar(&d.listen, "listen", defaultListen, "address to listen on; a free port where this one is taken and the flag is not given")
	flags.Uint64Var(&d.seed, "seed", 1, "another seed is another crowd")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !(d.rate > 0 && d.rate <= demoRateMax) {
			return cli.UsageError("demo: --rate %v: want above 0 and at most %d events a second", d.rate, demoRateMax)
		}
		if d.length < 0 {
			return cli.UsageError("demo: --for %s: want a time, or nothing", d.length)
		}
		d.out, d.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
		d.paint = cli.NewPaint(d.out)
		return d.run(cmd.Context(), !cmd.Flags().Changed("listen"))
	}
	return cmd
}

// demo streams shoppers into an engine and tells of their merges.
type demo struct {
	rate   float64
	length time.Duration
	listen string
	seed   uint64

	out, notes io.Writer
	paint      cli.Paint
	kindred    *node.Kindred
	merges     chan graph.Merge
	missed     atomic.Int64
	sent       atomic.Int64
	shown      int
}

func (d *demo) run(ctx context.Context, anyPort bool) (err error) {
	// When the terminal or the reader of a pipe is gone, it ends as at Ctrl-C: the directory is removed.
	ctx, quiet := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer quiet()
	dir, err := os.MkdirTemp("", "kindred-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = cmp.Or(err, os.RemoveAll(dir)) }()
	d.merges = make(chan graph.Merge, demoMerges)
	if err := d.start(ctx, filepath.Join(dir, "data"), anyPort); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, d.kindred.Stop(context.Background())) }()
	d.welcome()

	if d.length > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.length)
		defer cancel()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	fed := make(chan error, 1)
	go func() {
		fed <- d.feed(ctx)
		stop()
	}()
	told := make(chan struct{})
	go func() {
		defer close(told)
		d.tell(ctx)
	}()
	err = d.kindred.Wait(ctx)
	stop()
	err = cmp.Or(err, <-fed)
	<-told
	return cmp.Or(err, d.goodbye())
}

// start runs a Kindred on a directory. With anyPort it takes a free port if its own is in use.
func (d *demo) start(ctx context.Context, dir string, anyPort bool) (err error) {
	f := cli.NodeFlags{Memory: demoMemory}
	f.Config.Dir, f.Config.Shards, f.Config.OnMerge, f.Config.Listen = dir, demoShards, d.merged, d.listen
	logger := f.Logger(d.notes)
	d.kindred, err = f.Open(ctx, logger)
	if anyPort && errors.Is(err, node.ErrAddressInUse) {
		f.Config.Listen = "127.0.0.1:0"
		d.kindred, err = f.Open(ctx, logger)
	}
	return err
}

func (d *demo) welcome() {
	p := d.paint
	fmt.Fprintf(d.out, "%s is at %s\n", p.Bold("Kindred"), p.Cyan(d.kindred.URL()))
	fmt.Fprintf(d.out, "Shoppers come in, %v events a second: most browse unknown, then log in, and two profiles become one.\n", d.rate)
	fmt.Fprintf(d.out, "Everything is in a temporary directory. %s ends it.\n\n", p.Bold("Ctrl-C"))
}

// merged is called from the shards: it must not block.
func (d *demo) merged(merges []graph.Merge) {
	for i := range merges {
		select {
		case d.merges <- merges[i]:
		default:
			d.missed.Add(1)
		}
	}
}

// feed sends events at the rate, until the context ends.
func (d *demo) feed(ctx context.Context) error {
	live := generate.NewLive(d.seed)
	intake := ingest.NewIntake(d.kindred.Into(true))
	var line []byte
	tick := time.NewTicker(time.Duration(float64(time.Second) / d.rate))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
		now := time.Now()
		line = live.Next(line[:0], now)
		intake.Reset()
		if v := intake.Take(line, ingest.Arrival{Received: now.UnixMilli(), Source: []byte("demo")}); v.Rejection != nil {
			return fmt.Errorf("demo: read a generated event: %w", v.Rejection)
		}
		if err := intake.Deliver(ctx); err != nil {
			if ctx.Err() != nil && intake.Reusable() { // it was not handed over
				return nil
			}
			return err
		}
		d.sent.Add(1)
	}
}

// tell shows merges as they happen.
func (d *demo) tell(ctx context.Context) {
	for {
		select {
		case c := <-d.merges:
			d.merge(ctx, &c)
		case <-ctx.Done():
			return
		}
	}
}

// merge shows one merge: both profiles as they were, and what decided it.
func (d *demo) merge(ctx context.Context, c *graph.Merge) {
	p := d.paint
	before := make([]string, len(c.From))
	for i := range c.From {
		before[i] = d.person(&c.From[i])
	}
	profile, _, _ := d.kindred.Engine().Profile(ctx, c.Into.ID())
	who := fullName(&profile)
	fmt.Fprintf(d.out, "%s  %s  %s\n", p.Dim(time.UnixMilli(c.Mark.Stamp.Time).Format(time.TimeOnly)), p.Green("merge"), strings.Join(before, p.Green("  +  ")))
	fmt.Fprintf(d.out, "          %s %s, by %s: %s and %s\n", p.Dim("="), p.Bold(cmp.Or(who, "unknown")+", "+cli.Plural(c.Into.Events, "event")),
		d.cause(ctx, c), p.Yellow(name(c.By[0])), p.Yellow(name(c.By[1])))
	d.shown++
	if d.shown == 1 {
		d.tryNext(c, &profile)
	}
}

func (d *demo) person(s *graph.Summary) string {
	return fmt.Sprintf("%s %s, %s", name(s.Name), d.paint.Dim("("+short(s.ID())+")"), cli.Plural(s.Events, "event"))
}

// cause names the event that decided a merge.
func (d *demo) cause(ctx context.Context, c *graph.Merge) string {
	if c.Assertion != "" {
		return "an operator"
	}
	events, _, _ := d.kindred.Engine().Timeline(ctx, c.Into.ID(), actors.Position{}, demoFind)
	for i := range events {
		if string(events[i].ID) == string(c.Mark.ID) {
			what := events[i].Type.String()
			if len(events[i].Name) > 0 {
				what += fmt.Sprintf(" %q", events[i].Name)
			}
			return fmt.Sprintf("event %s %s", d.paint.Cyan(what), d.paint.Dim(cli.Printable(string(c.Mark.ID))))
		}
	}
	return "event " + cli.Printable(string(c.Mark.ID))
}

// tryNext prints commands about the merge that was just seen: they work as they are.
func (d *demo) tryNext(c *graph.Merge, profile *graph.Profile) {
	program := os.Args[0]
	if !strings.ContainsRune(program, filepath.Separator) {
		program = "kindred"
	}
	url := ""
	if d.kindred.URL() != "http://"+defaultListen {
		url = " --url " + d.kindred.URL()
	}
	a, b := quoted(name(c.By[0])), quoted(name(c.By[1]))
	fmt.Fprintf(d.out, "\n  %s, in another terminal:\n", d.paint.Bold("Try"))
	who := a
	for _, id := range profile.Identifiers {
		if id.Namespace == "email" {
			who = quoted(name(id.NodeName))
		}
	}
	for _, command := range []string{
		fmt.Sprintf("%s get %s%s", program, who, url),
		fmt.Sprintf("%s why %s %s%s", program, a, b, url),
		fmt.Sprintf("%s timeline %s%s", program, who, url),
		fmt.Sprintf("%s cannot %s %s --dry-run%s", program, a, b, url),
		fmt.Sprintf("%s stats%s", program, url),
		fmt.Sprintf("curl %s/v1/profiles/%s", d.kindred.URL(), c.Into.ID()),
	} {
		fmt.Fprintf(d.out, "    %s\n", d.paint.Cyan(command))
	}
	fmt.Fprintln(d.out)
}

func (d *demo) goodbye() error {
	ctx, cancel := context.WithTimeout(context.Background(), settleTimeout)
	defer cancel()
	if err := d.kindred.Engine().Settle(ctx); err != nil {
		return err
	}
	s, err := d.kindred.Engine().Stats(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\n%s made %s of what came in as %s.\n", cli.Plural(s.Merges(), "merge"), cli.Plural(s.Identities, "identity"), cli.Plural(d.sent.Load(), "event"))
	if missed := d.missed.Load(); missed > 0 {
		fmt.Fprintf(d.out, "%s came too fast to be shown: a lower --rate shows all.\n", cli.Plural(missed, "merge"))
	}
	return nil
}

func name(n graph.NodeName) string { return n.Namespace + ":" + cli.Printable(n.Value) }

// short is the beginning of a public id: enough to recognise it.
func short(id graph.NodeKey) string { return id.String()[:8] + "…" }

// fullName is what a profile says a person is called; empty when it does not.
func fullName(p *graph.Profile) string {
	parts := map[string]string{}
	for _, t := range p.Traits {
		parts[t.Name] = cli.TraitText(t.Value)
	}
	return cmp.Or(strings.TrimSpace(parts["firstName"]+" "+parts["lastName"]), parts["name"])
}

// quoted is an argument as a shell takes it.
func quoted(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":@._+-", r))
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
