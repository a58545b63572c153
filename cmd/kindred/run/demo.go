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
	"syscall"
	"time"

	"github.com/kindred-id/kindred/bench/demo"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// Settings of the demonstration's Kindred.
const (
	demoMemory = 512 << 20
	demoShards = 16

	demoPeopleMax = 1_000_000
)

// newDemo runs a server, a crowd of shoppers and a screen in one process, on a directory that is deleted at the end.
// The screen shows one merge at a time; those that come faster are counted, and it says how many they were.
func newDemo() *cobra.Command {
	var d demoCommand
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch identities merge, from generated shoppers in a temporary directory",
		Long: `Start a server on a temporary directory with the visits of 5,000 generated shoppers, stream more into it, and
show each merge of two profiles as it happens. The console, whose address it prints, shows the same people in a
browser. Ctrl-C ends it and deletes the directory.`,
		Args: cobra.NoArgs,
	}
	flags := cmd.Flags()
	flags.Float64Var(&d.rate, "rate", 20, "events per second, above 0 and at most 10000")
	flags.IntVar(&d.people, "people", 5000, "shoppers who were there before, up to 1000000; 0 begins with nobody")
	flags.DurationVar(&d.length, "for", 0, "stop after this time (default: on Ctrl-C)")
	flags.StringVar(&d.listen, "listen", defaultListen, "address to listen on; if the flag is not given and the port is in use, any free port")
	flags.BoolVar(&d.open, "insecure-dev", false, "with --listen on a network: every client may do everything")
	flags.Uint64Var(&d.seed, "seed", 1, "seed of the random generator: another seed generates another crowd")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if !(d.rate > 0 && d.rate <= demo.RateMax) {
			return cli.UsageError("demo: --rate %v: want above 0 and at most %d events per second", d.rate, demo.RateMax)
		}
		if d.length < 0 {
			return cli.UsageError("demo: --for %s: negative; want a time above 0", d.length)
		}
		if d.people < 0 || d.people > demoPeopleMax {
			return cli.UsageError("demo: --people %d: want 0 to %d", d.people, demoPeopleMax)
		}
		d.out, d.notes = cmd.OutOrStdout(), cmd.ErrOrStderr()
		d.paint = cli.NewPaint(d.out)
		return d.run(cmd.Context(), !cmd.Flags().Changed("listen"))
	}
	return cmd
}

// demoCommand shows a demonstration on a screen.
type demoCommand struct {
	rate   float64
	people int
	length time.Duration
	listen string
	open   bool // on a network too
	seed   uint64

	out, notes io.Writer
	paint      cli.Paint
	kindred    *node.Kindred
	demo       *demo.Demo
	shown      int
}

// run starts the parts and waits for the first that ends: the time of --for, a signal, the crowd, or the server.
//
// The parts end in this order: the crowd, so that no event is refused by a server that stops; the watcher, which reads
// the engine; the server; the directory. The deferred calls do the last two, so that they run if a part fails at the
// start, too. The first error wins.
func (d *demoCommand) run(ctx context.Context, anyPort bool) (err error) {
	// If the terminal or the reader of a pipe goes away, stop as on Ctrl-C, so that the directory is removed.
	ctx, quiet := signal.NotifyContext(ctx, syscall.SIGHUP, syscall.SIGPIPE)
	defer quiet()
	dir, err := os.MkdirTemp("", "kindred-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer func() { err = cmp.Or(err, os.RemoveAll(dir)) }()
	d.demo = demo.New(d.rate, d.seed)
	if err := d.start(ctx, filepath.Join(dir, "data"), anyPort); err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, d.kindred.Stop(context.Background())) }()
	if err := d.demo.Fill(ctx, d.kindred.Into(false), d.people); err != nil {
		return err
	}
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
		fed <- d.demo.Feed(ctx, d.kindred.Into(true))
		stop()
	}()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		d.demo.Watch(ctx, d.kindred.Engine(), d.merge)
	}()
	err = d.kindred.Wait(ctx)
	stop()
	err = cmp.Or(err, <-fed)
	<-watched
	return cmp.Or(err, d.goodbye())
}

// start runs a Kindred on a directory. With anyPort it uses any free port if its address is in use.
func (d *demoCommand) start(ctx context.Context, dir string, anyPort bool) (err error) {
	f := cli.NodeFlags{Memory: demoMemory}
	f.Config.Dir, f.Config.Shards, f.Config.OnMerge, f.Config.Listen = dir, demoShards, d.demo.Merged, d.listen
	f.Config.Locale = node.Locale{Region: "US", Currency: "USD"} // of the shoppers that are generated
	f.Config.Access = node.Access{InsecureDev: d.open, Announced: true}
	logger := f.Logger(d.notes)
	d.kindred, err = f.Open(ctx, logger)
	if anyPort && errors.Is(err, node.ErrAddressInUse) {
		f.Config.Listen = "127.0.0.1:0"
		d.kindred, err = f.Open(ctx, logger)
	}
	return err
}

// welcome says where the server is and what the crowd does, before the first merge.
func (d *demoCommand) welcome() {
	p := d.paint
	fmt.Fprintf(d.out, "%s runs at %s\n", p.Bold("Kindred"), p.Cyan(d.kindred.URL()))
	fmt.Fprintf(d.out, "Open %s to look people up, see why they are one, and undo it.\n", p.Cyan(d.kindred.URL()+"/console"))
	fmt.Fprintf(d.out, "Shoppers send %v events per second: most browse anonymously, then log in, and two profiles become one.\n", d.rate)
	fmt.Fprintf(d.out, "All data is in a temporary directory, open to every program on this machine. Press %s to stop.\n\n", p.Bold("Ctrl-C"))
}

// merge shows one merge: both profiles as they were before, and the event that joined them.
func (d *demoCommand) merge(c *demo.Merge) {
	p := d.paint
	before := make([]string, len(c.From))
	for i := range c.From {
		before[i] = d.person(&c.From[i])
	}
	person := fullName(&c.Profile)
	fmt.Fprintf(d.out, "%s  %s  %s\n", p.Dim(time.UnixMilli(c.Mark.Stamp.Time).Format(time.TimeOnly)), p.Green("merge"), strings.Join(before, p.Green("  +  ")))
	fmt.Fprintf(d.out, "          %s %s, by %s: %s and %s\n", p.Dim("="), p.Bold(cmp.Or(person, "unknown")+", "+cli.Plural(c.Into.Events, "event")),
		d.cause(c), p.Yellow(name(c.By[0])), p.Yellow(name(c.By[1])))
	d.shown++
	if d.shown == 1 {
		d.tryNext(c)
	}
}

// person is one side of a merge: an identifier that names it, the beginning of its public id, and how many events it
// had.
func (d *demoCommand) person(s *graph.Summary) string {
	return fmt.Sprintf("%s %s, %s", name(s.Name), d.paint.Dim("("+short(s.ID())+")"), cli.Plural(s.Events, "event"))
}

// cause names the event or the operator that caused a merge.
func (d *demoCommand) cause(c *demo.Merge) string {
	id := cli.Printable(string(c.Mark.ID))
	switch {
	case c.Assertion != "":
		return "an operator"
	case c.Cause == nil:
		return "event " + id
	}
	event := c.Cause.Type.String()
	if len(c.Cause.Name) > 0 {
		event += fmt.Sprintf(" %q", c.Cause.Name)
	}
	return fmt.Sprintf("event %s %s", d.paint.Cyan(event), d.paint.Dim(id))
}

// tryNext prints commands about the merge just shown, ready to be pasted.
func (d *demoCommand) tryNext(c *demo.Merge) {
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
	id := a
	for _, known := range c.Profile.Identifiers {
		if known.Namespace == "email" {
			id = quoted(name(known.NodeName))
		}
	}
	for _, command := range []string{
		fmt.Sprintf("%s get %s%s", program, id, url),
		fmt.Sprintf("%s why %s %s%s", program, a, b, url),
		fmt.Sprintf("%s timeline %s%s", program, id, url),
		fmt.Sprintf("%s cannot %s %s --dry-run%s", program, a, b, url),
		fmt.Sprintf("%s stats%s", program, url),
		fmt.Sprintf("curl %s/v1/profiles/%s", d.kindred.URL(), c.Into.ID()),
	} {
		fmt.Fprintf(d.out, "    %s\n", d.paint.Cyan(command))
	}
	fmt.Fprintln(d.out)
}

// goodbye counts once all that was sent is visible, while the server still runs.
func (d *demoCommand) goodbye() error {
	t, err := d.demo.Totals(d.kindred.Engine())
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\n%s became %s, with %s.\n", cli.Plural(t.Events, "event"), cli.Plural(t.Identities, "identity"), cli.Plural(t.Merges, "merge"))
	if t.Missed > 0 {
		fmt.Fprintf(d.out, "%s came too fast to be shown; lower --rate to see every merge.\n", cli.Plural(t.Missed, "merge"))
	}
	return nil
}

func name(n graph.NodeName) string { return n.Namespace + ":" + cli.Printable(n.Value) }

// short returns the beginning of a public id, enough to recognise it.
func short(id graph.NodeKey) string { return id.String()[:8] + "…" }

// fullName returns the person's name from the traits of a profile, or an empty string.
func fullName(p *graph.Profile) string {
	parts := map[string]string{}
	for _, t := range p.Traits {
		parts[t.Name] = cli.TraitText(t.Value)
	}
	return cmp.Or(strings.TrimSpace(parts["firstName"]+" "+parts["lastName"]), parts["name"])
}

// quoted quotes an argument for a shell, if necessary.
func quoted(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(":@._+-", r))
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
