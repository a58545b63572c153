package actors

import (
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/storage/dedupe"
)

// memoryOfShards is what all shards of a process may take, in bytes. In one process it is divided by the shards of the deployment;
// beside other processes by those that are here, and again whenever one comes or leaves.
type memoryOfShards struct {
	log        int64 // that a recovery may have to replay
	actors     int64
	duplicates int64
	flush      int // that a shard commits at a time; not divided
}

// parts is by how many shards memory is divided.
func (p *pool) parts() int64 {
	if p.network == nil {
		return int64(len(p.runners))
	}
	return max(1, p.owned.Load())
}

// limits are those of a shard.
func (p *pool) limits() (shard.Limits, dedupe.Limits) {
	m, parts := &p.memory, p.parts()
	return shard.Limits{LogBytes: m.log / parts, ActorBytes: m.actors / parts, FlushBytes: m.flush},
		dedupe.Limits{Horizon: p.seenFor, Bytes: m.duplicates / 2 / parts} // and as much for message ids
}

// divide divides memory anew after n shards more have come: each open shard is told, and keeps to it from its next step on.
func (p *pool) divide(n int64) {
	p.owned.Add(n)
	if p.network == nil {
		return
	}
	for _, r := range p.runners {
		if !r.opened.Load() {
			continue // it finds the limits as it opens
		}
		r.inbox.PostUserMessage(limiting{})
	}
}
