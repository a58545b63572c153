package node

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/ingest/kafka"
)

func (k *Kindred) startConsuming(context.Context) error {
	d := k.directory
	consumer, err := kafka.New(*k.config.Kafka, kafka.Into{
		Into: d.into(false), Logger: k.config.Logger,
		Routing: fmt.Sprintf("%d shards, rules %016x", d.deployment.Shards, d.rules.Rules.Version),
	})
	if err != nil {
		return &ConfigError{err}
	}
	k.consumer = consumer
	return consumer.Start()
}

// stopConsuming returns when the records in progress have been handled.
func (k *Kindred) stopConsuming(ctx context.Context) error { return k.consumer.Stop(ctx) }

// consuming is a check of /readyz. It fails if an operator must act, that is, if a partition is halted. A partition that
// waits will go on by itself, so it is reported without failing the check.
func (k *Kindred) consuming(context.Context) document.Check {
	s := k.consumer.Status()
	c := document.Check{Name: "kafka", OK: true}
	halted, waiting := 0, 0
	var first string
	for i := range s.Partitions {
		p := &s.Partitions[i]
		switch p.State {
		case kafka.Halted:
			if halted++; c.OK {
				first = fmt.Sprintf("partition %d of %s: %s", p.Partition, p.Topic, p.Error)
			}
			c.OK = false
		case kafka.Waiting:
			if waiting++; first == "" {
				first = fmt.Sprintf("partition %d of %s: %s", p.Partition, p.Topic, p.Error)
			}
		case kafka.Starting, kafka.Consuming:
		}
	}
	switch {
	case halted > 0:
		c.Detail = fmt.Sprintf("%d of %d partitions are halted: %s", halted, len(s.Partitions), first)
		c.Hint = "see docs/kafka.md, \"What can go wrong\""
	case s.Brokers != "":
		c.Detail = "the brokers cannot be reached: " + s.Brokers
	case len(s.Topics) > 0:
		c.Detail = fmt.Sprintf("topic %s %s", s.Topics[0].Topic, s.Topics[0].Error)
	case waiting > 0:
		c.Detail = fmt.Sprintf("%d of %d partitions wait: %s", waiting, len(s.Partitions), first)
	}
	return c
}
