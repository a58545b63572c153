package node

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/api/admin"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/ingest/kafka"
)

// topics are the positions of a cluster in topics of Kafka. They are rows that all nodes share, so any node can be asked. It implements
// admin.Topics.
type topics struct {
	engine *actors.Engine
	config *kafka.Config // nil: the node consumes no topics
}

// Positions implements admin.Topics.
func (t *topics) Positions(ctx context.Context) ([]document.TopicPosition, error) {
	all, err := kafka.Positions(ctx, t.engine)
	return documentsOf(all), err
}

// Seek implements admin.Topics.
func (t *topics) Seek(ctx context.Context, seek *document.TopicSeek) ([]document.TopicPosition, error) {
	move := kafka.Move{Topic: seek.Topic, Partition: -1, Dry: seek.DryRun, Live: true}
	if seek.Partition != nil {
		move.Partition = *seek.Partition
	}
	var err error
	if move.To, err = kafka.ParseTarget(seek.To); err != nil {
		return nil, fmt.Errorf("%w: to: %w", admin.ErrSeek, err)
	}
	if t.config == nil && move.To.NeedsBrokers() {
		return nil, fmt.Errorf("%w: to: %s: this node consumes no topics, and does not know their brokers", admin.ErrSeek, seek.To)
	}
	all, err := kafka.Positions(ctx, t.engine)
	if err != nil {
		return nil, err
	}
	moved, err := move.Apply(ctx, t.config, all)
	return documentsOf(moved), err
}

func documentsOf(all []kafka.Position) []document.TopicPosition {
	documents := make([]document.TopicPosition, len(all))
	for i := range all {
		documents[i] = document.TopicPosition{Topic: all[i].Topic, Partition: all[i].Partition, Offset: all[i].Offset}
	}
	return documents
}
