package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kindred-id/kindred/cluster/bulk"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A node without a copy of a shard takes its rows from another one, as journal.Copy says, and then follows the journal.
//
//	source: Pebble snapshot ─ position, rows ─► bulk ═══► copier ─► batches, the last one with the position ─► store
//
// If the connection breaks, the same snapshot goes on after the last row. If the source is gone, another one does, with a snapshot of
// its own. If this process ends, the copy is begun anew, since its store has no position (J8).

// copyKind names the rows of a whole shard on the wire, with their position as head.
const copyKind = "shard"

const (
	copiesMost = 2       // that a node makes at a time
	copyBatch  = 1 << 20 // bytes that are written at once
	copyPause  = 500 * time.Millisecond
)

// shardRows are all rows of a shard at one moment.
type shardRows struct {
	storage.Snapshot
	ranges   [][2][]byte
	position []byte
}

// openCopy opens the rows of a shard for another node: those that are whole have a position.
func (n *Node) openCopy(id uint32) (bulk.Snapshot, error) {
	if int(id) >= len(n.replicas) || n.replicas[id].state() == journal.Halted {
		return nil, bulk.ErrAbsent
	}
	return openShard(n.store, graph.ShardID(id))
}

func openShard(store storage.Store, id graph.ShardID) (bulk.Snapshot, error) {
	at, err := store.Snapshot()
	if err != nil {
		return nil, err
	}
	ranges, key := row.CopyRanges(id)
	position, err := at.Get(nil, key)
	if err != nil {
		if errors.Is(err, storage.ErrNotFound) {
			err = bulk.ErrAbsent
		}
		return nil, errors.Join(err, at.Close())
	}
	return &shardRows{at, ranges, position}, nil
}

// Head implements bulk.Snapshot.
func (s *shardRows) Head() []byte { return s.position }

// Rows implements bulk.Snapshot.
func (s *shardRows) Rows(after []byte, fn func(key, value []byte) error) error {
	next := append(after[:len(after):len(after)], 0)
	for _, r := range s.ranges {
		lower := r[0]
		if len(after) > 0 && string(next) > string(lower) {
			lower = next
		}
		if string(lower) >= string(r[1]) {
			continue
		}
		if err := s.Iterate(lower, r[1], fn); err != nil {
			return err
		}
	}
	return nil
}

// A copier makes a copy of a shard.
type copier struct {
	shard   graph.ShardID
	store   storage.Store
	topic   [16]byte // of the journal that positions are of
	client  *bulk.Client
	sources func() []copySource // where to try, the best first
	pause   time.Duration       // before all are tried again
	bytes   int64               // of the rows that came
}

// copySource is a node that may have a copy.
type copySource struct {
	base  string
	alive context.Context //nolint:containedctx // it ends with the node
}

// errCopyFrom is an error of a source; the store is well.
type errCopyFrom struct{ error }

// run copies until all rows are there, or ctx ends, or the store fails.
func (c *copier) run(ctx context.Context) (at journal.Position, err error) {
	ranges, position := row.CopyRanges(c.shard)
	rows := journal.NewCopy(ranges)
	var b storage.Batch
	rows.Begin(&b, position)
	if err := c.store.Commit(&b); err != nil {
		return at, err
	}
	b.Reset()
	begun := false
	for {
		for _, from := range c.sources() {
			err := c.from(ctx, from, rows, &b, &begun)
			var broken errCopyFrom
			switch {
			case err == nil:
				at, _ := rows.End()
				p := positionOf(&at)
				row.NewEncoder().PutJournalPosition(&b, c.shard, &p)
				return at, c.store.Commit(&b)
			case ctx.Err() != nil:
				return at, ctx.Err()
			case !errors.As(err, &broken):
				return at, err
			}
		}
		if err := backoff.Sleep(ctx, c.pause); err != nil {
			return at, err
		}
	}
}

// from copies from one source, until that has no more rows.
func (c *copier) from(ctx context.Context, s copySource, rows *journal.Copy, b *storage.Batch, begun *bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.alive, cancel)()
	remote, err := c.client.Open(ctx, s.base, copyKind, uint32(c.shard))
	if err != nil {
		return errCopyFrom{err}
	}
	defer remote.Close()
	p, err := row.ParseJournalPosition(remote.Head)
	if err == nil && p.Topic != c.topic {
		err = errors.New("its position is in another journal")
	}
	if err != nil {
		return errCopyFrom{fmt.Errorf("a copy of shard %d: %w", c.shard, err)}
	}
	rows.Snapshot(journal.Position(p))
	var after []byte
	if *begun {
		after = rows.From()
		after = after[:len(after)-1] // the last key that is there
	}
	var failed error
	err = remote.After(ctx, after, func(key, value []byte) error {
		if err := rows.Row(b, key, value); err != nil {
			return err
		}
		c.bytes += int64(len(key) + len(value))
		*begun = true
		if b.Size() < copyBatch {
			return nil
		}
		failed = c.store.Commit(b)
		b.Reset()
		return failed
	})
	if err != nil && failed == nil {
		return errCopyFrom{err}
	}
	return err
}

// copying is a copy under way, on a goroutine of its own.
type copying struct {
	stop context.CancelFunc
	done chan struct{} // closed once it writes nothing more
}

// copy begins a copy: that of a journal that has all its records is empty, and follows it from its beginning.
func (r *replica) copy() {
	r.endCopying()
	ctx, stop := context.WithCancel(r.node.ctx)
	this := &copying{stop, make(chan struct{})}
	r.copying = this
	r.node.tasks.Go(func() {
		made, err := r.copyRows(ctx)
		close(this.done)
		r.mailbox.post(func() {
			if r.copying != this {
				return
			}
			r.copying = nil
			switch {
			case err == nil:
				r.node.logger.Info("a copy of a shard is made", "shard", r.id, "next", made.at.Next, "bytes", made.bytes, "took", made.took)
				r.do(r.owner.Copied(made.at))
			case ctx.Err() == nil:
				r.stopAt(err)
			}
			r.publish()
		})
	})
}

// endCopying ends a copy under way. Nothing of it is on its way to the store from then on.
func (r *replica) endCopying() {
	if c := r.copying; c != nil {
		c.stop()
		<-c.done
		r.copying = nil
	}
}

// copied is a copy that was made.
type copied struct {
	at    journal.Position
	bytes int64         // of its rows
	took  time.Duration // since it was its turn
}

// copyRows makes a copy, when it is its turn.
func (r *replica) copyRows(ctx context.Context) (made copied, err error) {
	select {
	case r.node.copies <- struct{}{}:
		defer func() { <-r.node.copies }()
	case <-ctx.Done():
		return made, ctx.Err()
	}
	started := time.Now() //nolint:forbidigo // for the log alone
	begins, err := r.begins(ctx)
	if err != nil {
		return made, err
	}
	if begins == 0 {
		return copied{at: journal.Start(r.node.log.ID())}, r.drop()
	}
	c := copier{
		shard: r.id, store: r.node.store, topic: r.node.log.ID(), client: &r.node.client, pause: copyPause,
		sources: func() []copySource { return r.node.sources(r.id) },
	}
	made.at, err = c.run(ctx)
	made.bytes, made.took = c.bytes, time.Since(started) //nolint:forbidigo // for the log alone
	return made, err
}

// begins asks where the shard's journal begins, until there is an answer.
func (r *replica) begins(ctx context.Context) (int64, error) {
	for {
		asked, cancel := context.WithTimeout(ctx, copyPatience)
		ranges, err := r.node.log.Ranges(asked)
		cancel()
		if err == nil {
			return ranges[r.id].Start, nil
		}
		if err := backoff.Sleep(ctx, copyPause); err != nil {
			return 0, err
		}
	}
}

// sources are the nodes that say that they have a copy of a shard, and then the rest: a copy that is not caught up will do. The order
// among them is random, so that many copies do not come from one node.
func (n *Node) sources(id graph.ShardID) (all []copySource) {
	others := n.others()
	rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	for _, ready := range []bool{true, false} {
		for _, p := range others {
			if place.Shards(p.member.Copies).Has(id) == ready {
				all = append(all, copySource{n.bulkOf(p), p.alive})
			}
		}
	}
	return all
}
