package ingest

import (
	"context"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
)

// Chain is what the next events of an external channel follow on, shard by shard: the number of the last event that went
// there. It is a function of the shards' positions and of the records after them, so any two consumers build the same chain.
type Chain struct {
	channel *actors.Channel
	last    []int64 // by shard
}

// NewChain begins after the positions that the shards have in a channel.
func NewChain(ctx context.Context, ch *actors.Channel) (*Chain, error) {
	positions, err := ch.Positions(ctx)
	if err != nil {
		return nil, err
	}
	return &Chain{ch, positions}, nil
}

// link gives the number that an event of a shard follows on. It is not ok for an event that the shard has taken.
//
// REQUIRES: numbers of a shard come in ascending order
func (c *Chain) link(shard graph.ShardID, number int64) (prev int64, ok bool) {
	prev = c.last[shard]
	if number <= prev {
		return prev, false
	}
	c.last[shard] = number
	return prev, true
}
