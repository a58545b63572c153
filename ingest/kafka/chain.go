package kafka

import "github.com/kindred-id/kindred/graph"

// chain is what a partition's next events follow on, shard by shard: the number of the last event that went
// there. It is a function of the shards' positions and of the records behind them, so any consumer
// arrives at the same one.
type chain struct{ last []int64 }

// newChain begins behind the positions of the shards, see actors.Channel.Positions.
func newChain(positions []int64) chain { return chain{positions} }

// link gives the number that an event of a shard follows on. It is not ok for one that was taken.
//
// REQUIRES: numbers of a shard come in ascending order
func (c chain) link(shard graph.ShardID, number int64) (prev int64, ok bool) {
	prev = c.last[shard]
	if number <= prev {
		return prev, false
	}
	c.last[shard] = number
	return prev, true
}
