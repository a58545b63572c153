package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Verify reads all rows of a store and checks them: this version writes such rows and puts them where they are, logs
// have no gap, and hosting holds together (H1, H2). It writes nothing. Memory is bounded, except for the nodes that
// records still to be replayed mention.
//
// The report lists the problems. Verify returns an error if it can't read the store at all. A damaged file is both: it
// is a problem, and ends the reading.
func Verify(ctx context.Context, store storage.Store, progress func(rows uint64)) (*Report, error) {
	a := &auditor{
		store: store, dec: row.NewDecoder(), inner: row.NewDecoder(), progress: progress,
		metas: make(map[graph.ShardID]row.ShardMeta), ends: make(map[graph.ShardID]uint64), taken: make(map[channel]uint64),
		moving: make(map[graph.NodeKey]struct{}),
	}
	a.report.Rows = make(map[string]uint64)
	for _, pass := range []pass{metaPass{a}, logPass{a}, newPendingPass(a), newRowPass(a), &groupsPass{auditor: a}, &hostingPass{auditor: a}, totalsPass{a}, duplicatesPass{a}} {
		if err := pass.run(ctx); err != nil {
			if errors.Is(err, storage.ErrCorrupt) {
				a.problem("store", 0, nil, err)
				break
			}
			return nil, err
		}
	}
	return &a.report, nil
}

// A pass reads the store once, or a part of it. It may use what the passes before it have found.
type pass interface {
	// run reports problems, and fails only where the store can't be read.
	run(ctx context.Context) error
}

// auditor is what the passes share.
//
// Invariants:
//   - A field is written only by the passes that its comment names, and read only by later ones.
//   - metas, ends and taken grow with the number of shards, and moving with the log. No field grows with the number of
//     nodes: a store of any size is checked in the same memory.
//
// A node's row counts up to a record of its own, so two rows may say different things of each other until the log is
// replayed. The obvious check, to compare all rows as they are, finds fault with a sound store whose log has something
// to replay; to replay it first would take an engine, which writes. So nodes that a pending message speaks of (moving)
// are left out of the comparisons.
type auditor struct {
	store    storage.Store
	dec      *row.Decoder // of rows
	inner    *row.Decoder // of what rows hold
	progress func(uint64)
	report   Report
	read     uint64 // rows, by all passes

	shards int                             // of metaPass
	metas  map[graph.ShardID]row.ShardMeta // the same
	ends   map[graph.ShardID]uint64        // of logPass: the last record
	taken  map[channel]uint64              // of metaPass and logPass: the last message that a shard took of another's
	// moving are the nodes that messages speak of which no row counts yet, because they are to be replayed
	// or to be sent again: what their rows say may be older than what was acknowledged. Of pendingPass.
	moving   map[graph.NodeKey]struct{}
	forwards uint64 // of rowPass
}

// channel names the stream of messages from one shard to another.
type channel struct{ from, to graph.ShardID }

// problemsListed is how many problems a report lists.
const problemsListed = 100

// progressRows is how often progress is reported.
const progressRows = 1 << 14

// problem reports a row. A store may be damaged everywhere, so only the first problemsListed problems are kept; all
// are counted.
func (a *auditor) problem(space string, id graph.ShardID, key []byte, err error) {
	a.report.ProblemsTotal++
	if len(a.report.Problems) < problemsListed {
		a.report.Problems = append(a.report.Problems, Problem{space, id, fmt.Sprintf("%x", key), err.Error()})
	}
}

// each calls check with every row of a span, and reports what it returns as a problem of that row: a damaged row ends
// neither the pass nor the audit. It fails if the store can't be read, or ctx ends. The slices are valid during the
// call alone.
func (a *auditor) each(ctx context.Context, lower, upper []byte, check func(key, value []byte) error) error {
	return a.store.Iterate(lower, upper, func(key, value []byte) error {
		if a.read++; a.read%progressRows == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if a.progress != nil {
				a.progress(a.read)
			}
		}
		if err := check(key, value); err != nil {
			space, id := row.KeySpace(key), graph.ShardID(0)
			if len(key) >= 3 {
				id = graph.ShardID(binary.BigEndian.Uint16(key[1:]))
			}
			a.problem(space.String(), id, key, err)
		}
		return nil
	})
}

// eachOf is each for all rows of one kind, of all shards.
func (a *auditor) eachOf(ctx context.Context, space row.Space, check func(key, value []byte) error) error {
	return a.each(ctx, row.AppendSpaceLower(nil, space), row.AppendSpaceUpper(nil, space), check)
}

func (a *auditor) shardExists(id graph.ShardID) error {
	if int(id) >= a.shards {
		return fmt.Errorf("shard %d of %d", id, a.shards)
	}
	return nil
}

// belongs reports an error unless a node may have rows in a shard.
func (a *auditor) belongs(node graph.NodeKey, id graph.ShardID) error {
	if want := node.Shard(a.shards); want != id {
		return fmt.Errorf("node %s belongs to shard %d", node, want)
	}
	return nil
}

// took notes that a shard has taken a message of another.
func (a *auditor) took(from, to graph.ShardID, seq uint64) {
	a.taken[channel{from, to}] = max(a.taken[channel{from, to}], seq)
}

// isMoving reports whether a message that no row counts yet speaks of a node, so that its row may be older than its
// neighbours'. REQUIRES: pendingPass has run.
func (a *auditor) isMoving(node graph.NodeKey) bool {
	_, ok := a.moving[node]
	return ok
}
