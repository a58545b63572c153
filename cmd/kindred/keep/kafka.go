package keep

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/ingest/kafka"
	"github.com/spf13/cobra"
)

// newKafka groups the positions of a deployment in topics. They are rows beside what the events made, and not offsets of a consumer
// group: so both commands open the directory, which no server may have open, or ask a node of a cluster.
func newKafka() *cobra.Command {
	return cli.Group("kafka", "Show and move the positions in Kafka topics", `Show and move the positions in Kafka topics that a data directory or a cluster stores.

With --data, stop the server first: it has the directory open. With --url, any node of a cluster is asked, while the
nodes consume.`,
		newKafkaPositions(), newKafkaSeek())
}

// urlUsage is of both commands.
const urlUsage = "address of a node of a cluster: ask it, in place of opening a directory"

// newKafkaPositions prints, for each partition that was ever consumed, the offset of the next record.
func newKafkaPositions() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "positions --data DIR | --url URL",
		Short: "Show how far each partition has been consumed",
		Args:  cobra.NoArgs,
	}
	f := cli.AddNode(cmd)
	var url string
	cli.AddServer(cmd, &url, "url", urlUsage)
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if url != "" {
			return askPositions(cmd, f, url, o, func(c *client.Client) (document.TopicPositions, error) { return c.Admin.TopicPositions(cmd.Context()) })
		}
		return withPositions(cmd, f, func(_ context.Context, all []kafka.Position) error {
			return o.Show(cmd.OutOrStdout(), all, func(w io.Writer) { positionsTable(w, all) })
		})
	}
	return cmd
}

// newKafkaSeek moves positions, each partition on its own: if one fails, those before it have moved, and the same
// command may be given again. A topic or partition without a position ends with exit code 3, as there is nothing to
// move.
func newKafkaSeek() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "seek --data DIR | --url URL --topic TOPIC --to OFFSET|earliest|latest",
		Short: "Move the position in a topic",
		Long: `Move the position in a topic, or in one partition of it, regardless of what was consumed before. Moving
forward skips the records in between. Moving back consumes them again; only events of the last days are
recognised as duplicates, because the memory of message ids reaches no further.

earliest and latest require the brokers: give --kafka-brokers or --kafka-config. With --url, the node asks its own.
The nodes that consume the partitions go on there within seconds; what they have under way is taken before.`,
		Args: cobra.NoArgs,
	}
	f := cli.AddNode(cmd)
	k := cli.AddKafka(cmd, false)
	var url string
	cli.AddServer(cmd, &url, "url", urlUsage)
	o := cli.AddOutput(cmd, cli.FormatTable, cli.FormatJSON)
	var move kafka.Move
	var to string
	cmd.Flags().StringVar(&move.Topic, "topic", "", "topic to move in (required)")
	cmd.Flags().Int32Var(&move.Partition, "partition", -1, "partition to move in; -1 moves in all")
	cmd.Flags().StringVar(&to, "to", "", "destination: earliest, latest, or an offset (required)")
	cmd.Flags().BoolVar(&move.Dry, "dry-run", false, "show the positions that would move, and move none")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if move.Topic == "" || to == "" {
			return cli.UsageError("seek: no destination; give --topic TOPIC and --to earliest, latest or an offset")
		}
		var err error
		if move.To, err = kafka.ParseTarget(to); err != nil {
			return cli.UsageError("seek: --to %w", err)
		}
		config, err := k.Config(cmd)
		if err != nil {
			return err
		}
		if url != "" {
			if config != nil {
				return cli.UsageError("seek: the node of --url asks its own brokers; leave those of the command line out")
			}
			seek := document.TopicSeek{Topic: move.Topic, To: to, DryRun: move.Dry}
			if move.Partition >= 0 {
				seek.Partition = &move.Partition
			}
			return askPositions(cmd, f, url, o, func(c *client.Client) (document.TopicPositions, error) { return c.Admin.SeekTopic(cmd.Context(), seek) })
		}
		if config == nil && move.To.NeedsBrokers() {
			return cli.UsageError("seek: --to %s requires the brokers; give --kafka-brokers HOST:PORT", to)
		}
		return withPositions(cmd, f, func(ctx context.Context, all []kafka.Position) error {
			moved, err := move.Apply(ctx, config, all)
			if err != nil {
				return err
			}
			if len(moved) == 0 {
				return cli.Exit(cli.ExitNotFound, fmt.Errorf("seek: no position in topic %s, or not in that partition; see kindred kafka positions --data DIR", move.Topic))
			}
			return o.Show(cmd.OutOrStdout(), moved, func(w io.Writer) { positionsTable(w, moved) })
		})
	}
	return cmd
}

// positionsTable has a row for each partition: topic, partition, offset of the next record.
func positionsTable(w io.Writer, all []kafka.Position) {
	var t cli.Table
	for _, p := range all {
		t.Row(p.Topic, fmt.Sprint(p.Partition), fmt.Sprint(p.Offset))
	}
	t.Write(w, "")
}

// askPositions shows what a node of a cluster answers.
func askPositions(cmd *cobra.Command, f *cli.NodeFlags, url string, o *cli.Output, ask func(*client.Client) (document.TopicPositions, error)) error {
	if f.Config.Dir != "" {
		return cli.UsageError("%s: give --url or --data, not both", cmd.Name())
	}
	c, err := cli.Connect(cmd, url)
	if err != nil {
		return err
	}
	answer, err := ask(c)
	if err != nil {
		return cli.AboutKey(cmd, url, err)
	}
	all := make([]kafka.Position, len(answer.Positions))
	for i, p := range answer.Positions {
		all[i] = kafka.Position{Topic: p.Topic, Partition: p.Partition, Offset: p.Offset}
	}
	return o.Show(cmd.OutOrStdout(), all, func(w io.Writer) { positionsTable(w, all) })
}

// withPositions opens the directory of --data, which must exist, calls fn with its positions, and closes it. The
// directory is closed even if fn fails; the error of fn is the one that is reported. The list is never nil, so that it
// is [] in JSON.
func withPositions(cmd *cobra.Command, f *cli.NodeFlags, fn func(context.Context, []kafka.Position) error) error {
	if f.Config.Dir == "" {
		return cli.UsageError("%s: no data directory; give --data DIR, or --url URL of a node of a cluster", cmd.Name())
	}
	f.Config.MustExist = true
	k, err := f.Open(cmd.Context(), f.Logger(cmd.ErrOrStderr()))
	if err != nil {
		return err
	}
	all, err := kafka.Positions(cmd.Context(), k.Engine())
	if err == nil {
		err = fn(cmd.Context(), append([]kafka.Position{}, all...))
	}
	return cmp.Or(err, k.Stop(context.Background()))
}
