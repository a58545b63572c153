package try

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// newBenchHTTP measures a server of this program over HTTP. The server, and ingest from a file, are processes of their own,
// on data directories that are deleted.
func newBenchHTTP() *cobra.Command {
	c := bench.HTTPConfig{}
	memory := cli.ByteSize(storage.DefaultMemory())
	cmd := &cobra.Command{
		Use:   "http",
		Short: "Measure ingest and reads over HTTP against ingest from a file",
		Long: `Measure in turn, on the same generated events: ingest from a file; then, of a server on a new directory, ingest in
batches, ingest of one event a request, and reads of profiles. Each connection sends its next request once it has the
answer to the last. Rates and percentiles are medians over the rounds. The ratio is taken within each round, because
the speed of a machine drifts. Client and server share the processors, so each round also measures the ceiling: the same
requests against a server that reads them and answers with as many bytes, and does nothing else.`,
		Args: cobra.NoArgs,
	}
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.Flags().IntVar(&c.Events, "events", 300_000, "number of events, at least 1000, of about 650 bytes each")
	cmd.Flags().IntVar(&c.People, "people", 30_000, "number of people in the events, at least 1")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1")
	cmd.Flags().IntVar(&c.Batch, "batch", 100, "events in a request")
	cmd.Flags().IntVar(&c.Singles, "singles", 50_000, "events that are sent one by one; at most half of all")
	cmd.Flags().IntVar(&c.BatchConnections, "batch-connections", 4, "connections for batches")
	cmd.Flags().IntVar(&c.SingleConnections, "single-connections", 256, "connections for single events")
	cmd.Flags().IntVar(&c.ReadConnections, "read-connections", 64, "connections for reads")
	cmd.Flags().DurationVar(&c.Reads, "reads", 5*time.Second, "how long profiles are read")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to create data directories (default: a temporary directory)")
	cmd.Flags().Var(&memory, "memory", "memory limit of the engine, at least 128 MiB")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if c.Events < 1000 || c.People < 1 || c.Rounds < 1 || c.Singles < 1 || c.Reads <= 0 || c.Batch < 1 || c.Batch > c.Events/2 ||
			min(c.BatchConnections, c.SingleConnections, c.ReadConnections) < 1 {
			return cli.UsageError("bench http: want at least 1000 events, and at least one person, round, single event, event in a request and connection of each kind")
		}
		binary, err := os.Executable()
		if err != nil {
			return err
		}
		c.Binary, c.Memory = binary, int64(memory)
		c.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }
		report, err := bench.RunHTTP(cmd.Context(), c)
		if err != nil {
			return err
		}
		return o.Show(cmd.OutOrStdout(), report, func(w io.Writer) { benchHTTPTable(w, &report) })
	}
	return cmd
}

// newBenchCeiling serves nothing: it is what bench http measures its ceiling against, in a process of its own.
func newBenchCeiling() *cobra.Command {
	var listen string
	var get, post int
	cmd := &cobra.Command{
		Use: "ceiling", Short: "Answer every request with so many bytes, for bench http", Args: cobra.NoArgs, Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if get < 0 || post < 0 {
				return cli.UsageError("bench ceiling: want sizes of answers that are not negative")
			}
			return bench.ServeCeiling(cmd.Context(), listen, get, post)
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "address to listen at")
	cmd.Flags().IntVar(&get, "get", 0, "bytes of the answer to a GET")
	cmd.Flags().IntVar(&post, "post", 0, "bytes of the answer to a POST")
	return cmd
}

// benchHTTPTable prints a row per round and kind of request, then the medians over the rounds.
func benchHTTPTable(w io.Writer, r *bench.HTTPReport) {
	fmt.Fprintf(w, "%d events, %d a request, %d processors\n\n", r.Events, r.Batch, r.Processors)
	var rates, medians cli.Table
	rates.Row("round", "measured", "connections", "per second", "server CPU µs each", "client CPU µs each", "p50 ms", "p99 ms", "load average")
	for i := range r.Rounds {
		round := &r.Rounds[i]
		load := decimals(round.Load, 1)
		rates.Row(fmt.Sprint(i+1), "events from a file", "", decimals(round.File, 0), decimals(round.FileCPU, 1), "", "", "", load)
		for _, of := range []struct {
			name string
			*bench.HTTPLoad
		}{
			{"events in batches", &round.Batches},
			{"events one by one", &round.Singles},
			{"reads", &round.Reads},
			{"ceiling: events in batches", &round.Ceiling.Batches},
			{"ceiling: events one by one", &round.Ceiling.Singles},
			{"ceiling: reads", &round.Ceiling.Reads},
		} {
			rates.Row(fmt.Sprint(i+1), of.name, fmt.Sprint(of.Connections), decimals(of.PerSecond, 0), decimals(of.CPU, 1), decimals(of.Client, 1),
				decimals(of.Latency.Median/1e3, 2), decimals(of.Latency.P99/1e3, 2), load)
		}
	}
	rates.Write(w, "")
	fmt.Fprintln(w)
	spread := func(name string, s bench.Spread, digits int) {
		medians.Row(name, decimals(s.Median, digits), decimals(s.Low, digits)+" to "+decimals(s.High, digits))
	}
	spread("batches to file", r.Ratio, 2)
	spread("single events a second", r.Singles, 0)
	spread("single events to their ceiling", r.SinglesCeiling, 2)
	spread("reads a second", r.Reads, 0)
	spread("reads to their ceiling", r.ReadsCeiling, 2)
	spread("read p99 µs", r.ReadP99, 0)
	spread("resident memory to its limit", r.Resident, 2)
	medians.Write(w, "")
}
