package try

import (
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/kindred-id/kindred/bench"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/storage"
	"github.com/spf13/cobra"
)

// newBenchKafka measures against brokers that the caller names, such as those of make kafka-up. Its topics and its
// data directories have names of their own, so it can run beside topics and directories in use; but what else the
// brokers and the machine do shows in the rates, so each round comes with the load average.
func newBenchKafka() *cobra.Command {
	c := bench.KafkaConfig{}
	memory := cli.ByteSize(storage.DefaultMemory())
	cmd := &cobra.Command{
		Use:   "kafka --kafka-brokers HOST:PORT",
		Short: "Measure ingest from Kafka against ingest of the same events from memory",
		Long: `Measure in turn, on the same generated events: ingest from memory, as bench does; ingest from the brokers,
from the start of a consumer on a new directory until every event is durable; and reading from the brokers
alone. Then, at half of the rate that was reached, measure ten times how long an event takes from the broker's
log, and from the time at which it was to be sent, to a profile that shows it. Rates and percentiles are medians
over rounds and runs. The ratio is taken within each round, because the speed of a machine drifts.

Creates topics whose names begin with kindred-bench-, and deletes them.`,
		Args: cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.Flags().IntVar(&c.Events, "events", 500_000, "number of events, at least 1000, of about 650 bytes each")
	cmd.Flags().IntVar(&c.People, "people", 50_000, "number of people in the events, at least 1")
	cmd.Flags().IntVar(&c.Partitions, "partitions", 12, "number of partitions of the topic, at least 1")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1")
	cmd.Flags().DurationVar(&c.Live, "live", 20*time.Second, "maximum time of one measurement of latency; 0 skips all")
	cmd.Flags().IntVar(&c.LiveRuns, "live-runs", 10, "measurements of latency at each load, at least 1")
	cmd.Flags().Float64SliceVar(&c.Loads, "loads", []float64{0.5}, "loads at which latency is measured, as parts of the rate that was reached")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to create data directories (default: a temporary directory)")
	cmd.Flags().StringVar(&c.Profile, "cpu-profile", "", "write a CPU profile of the first ingest from the brokers to this file")
	cmd.Flags().Var(&memory, "memory", "memory limit of the engine, at least 128 MiB")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if c.Events < 1000 || c.People < 1 || c.Rounds < 1 || c.Partitions < 1 || c.Live < 0 || c.LiveRuns < 1 {
			return cli.UsageError("bench kafka: --events %d --people %d --rounds %d --partitions %d --live %s --live-runs %d: want at least 1000, 1, 1, 1, 0s and 1",
				c.Events, c.People, c.Rounds, c.Partitions, c.Live, c.LiveRuns)
		}
		for _, part := range c.Loads {
			if part <= 0 || part > 1 {
				return cli.UsageError("bench kafka: --loads %v: want parts above 0, up to 1", part)
			}
		}
		config, err := k.Config(cmd)
		if err != nil {
			return err
		}
		if config == nil {
			return cli.UsageError("bench kafka: no Kafka brokers; give --kafka-brokers HOST:PORT (make kafka-up starts one)")
		}
		c.Kafka, c.Memory = *config, int64(memory)
		c.Progress = func(step string) { fmt.Fprintln(cmd.ErrOrStderr(), step) }
		debug.SetGCPercent(storage.GCPercent) // as for serve and ingest
		report, err := bench.RunKafka(cmd.Context(), c)
		if err != nil {
			return err
		}
		return o.Show(cmd.OutOrStdout(), report, func(w io.Writer) { benchKafkaTable(w, &report) })
	}
	return cmd
}

// benchKafkaTable prints the rates of each round beside the machine's load average, the medians over rounds and, if the
// report has live parts, two rows of latencies in ms for each. They give the rate reached beside the rate wanted: latencies
// of a run that fell short of its rate are those of a lower load.
func benchKafkaTable(w io.Writer, r *bench.KafkaReport) {
	fmt.Fprintf(w, "%d events of %d people, %d bytes, %d partitions, %d processors\n\n", r.Events, r.People, r.BytesOfInput, r.Partitions, r.Processors)
	var rates, medians, live cli.Table
	rates.Row("round", "measured", "events/s", "CPU µs/event", "allocations/event", "bytes/event", "load average")
	for i := range r.Rounds {
		round := &r.Rounds[i]
		load := decimals(round.Load, 2)
		rates.Row(append(measured(i+1, "from memory", &round.File), load)...)
		rates.Row(append(measured(i+1, "from Kafka", &round.EndToEnd), load)...)
		rates.Row(append(measured(i+1, "reading alone", &round.Fetch), load)...)
	}
	rates.Write(w, "")
	fmt.Fprintln(w)
	medians.Row("median", "from memory", decimals(r.File, 0))
	medians.Row("", "from Kafka", decimals(r.EndToEnd, 0))
	medians.Row("", "reading alone", decimals(r.Fetch, 0))
	medians.Row("", "ratio", decimals(r.Ratio, 2))
	medians.Row("", "ratio of CPU", decimals(r.CPURatio, 2))
	medians.Write(w, "")
	if len(r.Live) > 0 {
		fmt.Fprintln(w)
	}
	live.Row("load", "events/s", "probes", "from", "p50 ms", "p99 ms", "p99.9 ms", "max ms")
	for i := range r.Live {
		l := &r.Live[i]
		probes := 0
		for _, run := range l.Runs {
			probes += run.FromLog.Count
		}
		rate := decimals(l.Reached.Median, 0) + " of " + decimals(l.Wanted, 0)
		live.Row(append([]string{decimals(l.Part*100, 0) + " %", rate, fmt.Sprint(probes), "the broker's log"}, liveRow(&l.FromLog)...)...)
		live.Row(append([]string{"", "", "", "when it was due"}, liveRow(&l.FromSending)...)...)
	}
	if len(r.Live) > 0 {
		live.Write(w, "")
	}
}

// liveRow formats the medians of percentiles, with the lowest and the highest run.
func liveRow(s *bench.LiveSpread) (row []string) {
	for _, p := range []bench.Spread{s.Median, s.P99, s.P999, s.Worst} {
		row = append(row, fmt.Sprintf("%.1f (%.1f to %.1f)", p.Median, p.Low, p.High))
	}
	return row
}
