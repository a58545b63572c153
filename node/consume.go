package node

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/ingest/kafka"
)

// consuming is the consumer of topics of Kafka.
type consuming struct{ *kafka.Consumer }

func (k *Kindred) startConsuming(context.Context) error {
	d := k.directory
	into := d.into(false)
	into.Settled = d.latency.of("kafka")
	for i := range k.config.Kafka.Topics {
		t := &k.config.Kafka.Topics[i]
		k.warnOfMapping("topic "+t.Topic, t.Mapping)
	}
	to := kafka.Into{
		Into: into, Logger: k.config.Logger,
		Routing: fmt.Sprintf("%d shards, rules %016x", d.deployment.Shards, d.rules.Rules.Version),
	}
	if d.cluster != nil {
		var topics []string
		for i := range k.config.Kafka.Topics {
			topics = append(topics, k.config.Kafka.Topics[i].Topic)
		}
		if err := d.cluster.Consume(topics); err != nil {
			return &ConfigError{err}
		}
		to.Mine = d.cluster.Consumes
	}
	consumer, err := kafka.New(*k.config.Kafka, to)
	if err != nil {
		return &ConfigError{err}
	}
	k.consumer.Consumer = consumer
	return consumer.Start()
}

// stop returns when the records in progress have been handled.
func (c *consuming) stop(ctx context.Context) error { return c.Stop(ctx) }

// check is a check of /readyz. It fails if an operator must act, that is, if a partition is halted. A partition that
// waits will go on by itself, so it is reported without failing the check.
func (c *consuming) check(context.Context) document.Check {
	s := c.Status()
	d := document.Check{Name: "kafka", OK: true}
	halted, waiting := 0, 0
	var first string
	for i := range s.Partitions {
		p := &s.Partitions[i]
		switch p.State {
		case kafka.Halted:
			if halted++; d.OK {
				first = fmt.Sprintf("partition %d of %s: %s", p.Partition, p.Topic, p.Error)
			}
			d.OK = false
		case kafka.Waiting:
			if waiting++; first == "" {
				first = fmt.Sprintf("partition %d of %s: %s", p.Partition, p.Topic, p.Error)
			}
		case kafka.Starting, kafka.Consuming:
		}
	}
	switch {
	case halted > 0:
		d.Detail = fmt.Sprintf("%d of %d partitions are halted: %s", halted, len(s.Partitions), first)
		d.Hint = "see docs/kafka.md, \"What can go wrong\""
	case s.Brokers != "":
		d.Detail = "the brokers cannot be reached: " + s.Brokers
	case len(s.Topics) > 0:
		d.Detail = fmt.Sprintf("topic %s %s", s.Topics[0].Topic, s.Topics[0].Error)
	case waiting > 0:
		d.Detail = fmt.Sprintf("%d of %d partitions wait: %s", waiting, len(s.Partitions), first)
	}
	return d
}
