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
alone. Then, at half of the rate that was reached, measure how long an event takes from the broker's log to a
profile that shows it. Rates are medians over the rounds. The ratio is taken within each round, because the speed
of a machine drifts.

Creates three topics whose names begin with kindred-bench-, and deletes them.`,
		Args: cobra.NoArgs,
	}
	k := cli.AddKafka(cmd, false)
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.Flags().IntVar(&c.Events, "events", 500_000, "number of events, at least 1000, of about 650 bytes each")
	cmd.Flags().IntVar(&c.People, "people", 50_000, "number of people in the events, at least 1")
	cmd.Flags().IntVar(&c.Partitions, "partitions", 12, "number of partitions of the topic, at least 1")
	cmd.Flags().IntVar(&c.Rounds, "rounds", 3, "number of rounds, at least 1")
	cmd.Flags().DurationVar(&c.Live, "live", 20*time.Second, "maximum time to measure latency at half of the rate; 0 skips it")
	cmd.Flags().StringVar(&c.Dir, "dir", "", "where to create data directories (default: a temporary directory)")
	cmd.Flags().StringVar(&c.Profile, "cpu-profile", "", "write a CPU profile of the first ingest from the brokers to this file")
	cmd.Flags().Var(&memory, "memory", "memory limit of the engine, at least 128 MiB")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if c.Events < 1000 || c.People < 1 || c.Rounds < 1 || c.Partitions < 1 || c.Live < 0 {
			return cli.UsageError("bench kafka: --events %d --people %d --rounds %d --partitions %d --live %s: want at least 1000, 1, 1, 1 and 0s",
				c.Events, c.People, c.Rounds, c.Partitions, c.Live)
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
// report has a live part, one row of latencies in ms. That row gives the rate reached beside the rate wanted: latencies
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
	if l := r.Live; l != nil {
		fmt.Fprintln(w)
		live.Row("live", "events/s", "probes", "p50 ms", "p99 ms", "max ms")
		live.Row("", decimals(l.Reached, 0)+" of "+decimals(l.Wanted, 0), fmt.Sprint(l.Probes), decimals(l.Median, 1), decimals(l.P99, 1), decimals(l.Worst, 1))
		live.Write(w, "")
	}
}
