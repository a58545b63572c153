package actors

import (
	"context"
	"fmt"
	"sync"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// A learner reads the keys of stored nodes while the shards work, so that a shard knows without a read of the store that an
// identifier is new. Until a shard is given the fingerprints, it asks the store.
//
// A shard that is opened while its nodes are scanned must not be given the fingerprints of the scan: it may have
// been with another process in between, which made nodes that the scan had passed. So learn compares the Shard that
// it began with to the one that is open at the end, by identity.
//
// The obvious design, to scan before the shard takes its first message, would keep a shard with many millions of
// nodes from starting until the scan ends.
type learner struct {
	pool  *pool
	bytes int64          // of the fingerprints of all shards
	group sync.WaitGroup // of shards that are learned because they were taken
}

// learnAll learns the nodes of all shards, one shard after the other.
func (l *learner) learnAll() {
	for _, r := range l.pool.runners {
		l.learn(r)
	}
}

// learn gathers the fingerprints of a shard's stored nodes, for the shard as it is open now: one that is opened later
// may have rows that they lack.
func (l *learner) learn(r *runner) {
	var opened *shard.Shard
	if err := l.pool.ask(context.Background(), r.id, func(s *shard.Shard) error { opened = s; return nil }); err != nil {
		return // there is no shard to tell, or soon no engine
	}
	rows := hashset.NewFingerprints(l.bytes / l.pool.parts())
	err := row.ScanNodes(l.pool.store, r.id, func(node graph.NodeKey, _ []byte) error {
		select {
		case <-l.pool.stop:
			return storage.ErrStop
		default:
		}
		rows.Add(node)
		return nil
	})
	select {
	case <-l.pool.stop:
		return
	default:
	}
	r.inbox.PostUserMessage(&asking{fn: func(s *shard.Shard) error {
		switch {
		case s != opened:
		case err != nil:
			// Not at once: questions are answered in the middle of a step, too.
			r.inbox.PostUserMessage(&losing{fmt.Errorf("read the nodes of shard %d: %w", r.id, err), make(chan struct{})})
		default:
			s.TakeIndex(rows)
		}
		return nil
	}})
}
