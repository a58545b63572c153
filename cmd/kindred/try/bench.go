package try

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/bench/trial"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// newBench measures ingest with bench.Run. Progress goes to standard error, so standard output holds the report alone,
// as a table or as the JSON of bench.Report. Numbers below the minima of the flags are wrong usage. If a round fails,
// the command fails with its error and prints no report, not even of the rounds before.
func newBench() *cobra.Command {
	c := bench.Config{}
	output := ""
	memory := cli.ByteSize(storage.DefaultMemory())
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure ingest against a plain in-memory resolver on the same bytes",
		Long: `Measure two programs in turn, on the same generated events: a plain single-threaded resolver that stores
nothing (parse, hash, union-find, fold), and the engine (the same work, durable, on all processors). Rates are
medians over the rounds. The ratio is taken within each round, because the speed of a machine drifts.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.Events < 1000 || c.People < 1 || c.Rounds < 1 {
				return cli.UsageError("--events %d --people %d --rounds %d: want at least 1000, 1 and 1", c.Events, c.People, c.Rounds)
			}
			c.Memory = int64(memory)
			c.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }
			debug.SetGCPercent(storage.GCPercent) // as for serve and ingest
			report, err := bench.Run(cmd.Context(), c)
			if err != nil {
				return err
			}
			if output == "json" {
				enc := json.NewEncoder(cmd.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
			benchTable(cmd.OutOrStdout(), &report)
			return nil
		},
	}
	kafka := newBenchKafka()
	kafka.Args = cli.UsageArgs(kafka.Args)
	http, cluster, ceiling := newBenchHTTP(), newBenchCluster(), newBenchCeiling()
	http.Args, cluster.Args = cli.UsageArgs(http.Args), cli.UsageArgs(cluster.Args)
	cmd.AddCommand(kafka, http, cluster, ceiling)
	cmd.Flags().IntVar(&c.Events, "events", 1_000_000, "number of events, at least 1000, of about 650 bytes each")
	cmd.Flags().IntVar(&c.People, "people", 100_000, "number of people in the events, at least 1")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1; each measures both programs")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to create data directories (default: a temporary directory)")
	cmd.Flags().Var(&memory, "memory", "memory limit of the engine, at least 128 MiB")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "output format: table or json")
	return cmd
}

// benchTable prints a row per round and program, then a row per round of look-ups, then the medians over rounds. Rates
// are in events per second, CPU time in µs per event, the times of look-ups in µs.
func benchTable(w io.Writer, r *bench.Report) {
	fmt.Fprintf(w, "%d events of %d people, %d bytes, %d processors\n\n", r.Events, r.People, r.BytesOfInput, r.Processors)
	var rates, lookups, medians cli.Table
	rates.Row("round", "program", "events/s", "CPU µs/event", "allocations/event", "bytes/event")
	lookups.Row("round", "concurrent look-ups", "p50 µs", "p99 µs", "max µs")
	for i := range r.Rounds {
		round := &r.Rounds[i]
		rates.Row(measured(i+1, "ceiling", &round.Ceiling)...)
		rates.Row(measured(i+1, "engine", &round.Engine)...)
		rates.Row(measured(i+1, "engine, with look-ups", &round.WithLookups)...)
		l := round.Lookups
		lookups.Row(fmt.Sprint(i+1), fmt.Sprint(l.Count), decimals(l.Median, 0), decimals(l.P99, 0), decimals(l.Worst, 0))
	}
	rates.Write(w, "")
	fmt.Fprintln(w)
	lookups.Write(w, "")
	fmt.Fprintln(w)
	medians.Row("median", "ceiling", decimals(r.Ceiling, 0))
	medians.Row("", "engine", decimals(r.Engine, 0))
	medians.Row("", "ratio", decimals(r.Ratio, 2))
	medians.Row("", "look-up p99", decimals(r.LookupP99, 0)+" µs")
	medians.Write(w, "")
}

// measured formats one measurement of a round as a row.
func measured(round int, program string, m *trial.Measure) []string {
	return []string{
		fmt.Sprint(round), program, decimals(m.EventsPerSecond, 0), decimals(m.CPUPerEvent, 2), decimals(m.AllocsPerEvent, 1),
		decimals(m.BytesPerEvent, 0),
	}
}

// decimals writes v with a fixed number of digits after the point, without an exponent.
func decimals(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }
