package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"text/tabwriter"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

func newBench() *cobra.Command {
	c := bench.Config{}
	output := ""
	memory := byteSize(storage.DefaultMemory())
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure ingest against a plain in-memory resolver over the same bytes",
		Long: `Measure, in one run and in turn, a plain single-threaded resolver that keeps nothing (parse, hash,
union-find, fold) and the engine (the same, durable, on all processors), over the same generated events.
Both are medians over the rounds, and the ratio is that of each round: machines drift.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if c.Events < 1000 || c.People < 1 || c.Rounds < 1 {
				return usageError("--events %d --people %d --rounds %d: want 1000, 1 and 1 or more", c.Events, c.People, c.Rounds)
			}
			c.Memory = int64(memory)
			c.Progress = func(what string) { fmt.Fprintln(cmd.ErrOrStderr(), what) }
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
			return benchTable(cmd.OutOrStdout(), &report)
		},
	}
	kafka := newBenchKafka()
	kafka.Args = usageArgs(kafka.Args)
	cmd.AddCommand(kafka)
	cmd.Flags().IntVar(&c.Events, "events", 1_000_000, "events of about 650 bytes")
	cmd.Flags().IntVar(&c.People, "people", 100_000, "people they belong to")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "how often to measure both")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to make data directories (a temporary directory unless set)")
	cmd.Flags().Var(&memory, "memory", "memory setting of the engine")
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table or json")
	return cmd
}

func benchTable(w io.Writer, r *bench.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%d events of %d people, %d bytes, %d processors\n\n", r.Events, r.People, r.BytesOfInput, r.Processors)
	fmt.Fprintln(t, "round\twhat\tevents/s\tCPU µs/event\tallocations/event\tbytes/event")
	for i, round := range r.Rounds {
		for _, m := range []struct {
			what string
			bench.Measure
		}{{"ceiling", round.Ceiling}, {"engine", round.Engine}, {"engine, with look-ups", round.WithLookups}} {
			fmt.Fprintf(t, "%d\t%s\t%.0f\t%.2f\t%.1f\t%.0f\n", i+1, m.what, m.EventsPerSecond, m.CPUPerEvent, m.AllocsPerEvent, m.BytesPerEvent)
		}
	}
	fmt.Fprintln(t, "\nround\tlook-ups meanwhile\tp50 µs\tp99 µs\tmax µs")
	for i, round := range r.Rounds {
		l := round.Lookups
		fmt.Fprintf(t, "%d\t%d\t%.0f\t%.0f\t%.0f\n", i+1, l.Count, l.Median, l.P99, l.Worst)
	}
	fmt.Fprintf(t, "\nmedian\tceiling\t%.0f\n\tengine\t%.0f\n\tratio\t%.2f\n\tlook-up p99\t%.0f µs\n", r.Ceiling, r.Engine, r.Ratio, r.LookupP99)
	return t.Flush()
}
