package ingest

import (
	"context"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/graph"
)

// Chain holds, for each shard, the number of the last event of an external channel that was sent there: the next
// event names it as its predecessor. It is a function of the shards' positions and of the records after them, so any
// two consumers build the same chain.
type Chain struct {
	channel *actors.ExternalChannel
	last    []int64 // by shard
}

// NewChain returns a chain that begins at the shards' positions in a channel.
func NewChain(ctx context.Context, ch *actors.ExternalChannel) (*Chain, error) {
	positions, err := ch.Positions(ctx)
	if err != nil {
		return nil, err
	}
	return &Chain{ch, positions}, nil
}

// link returns the number of the event that this one follows. ok is false for an event that the shard has taken.
//
// REQUIRES: the numbers given for a shard ascend
func (c *Chain) link(shard graph.ShardID, number int64) (prev int64, ok bool) {
	prev = c.last[shard]
	if number <= prev {
		return prev, false
	}
	c.last[shard] = number
	return prev, true
}
