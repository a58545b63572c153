package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kindred-id/kindred/actors/catalog"
	moments "github.com/kindred-id/kindred/actors/hold"
	"github.com/kindred-id/kindred/cluster/bulk"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A backup of a cluster is a data directory of one process. It has the rows of all shards at a moment of a hold (J13), and those of no
// shard as they were then.
//
//	hold ──► each node: a snapshot of its store ──► held until then, on no shard any more ──► rows ═══► directory
//	         here: what all had decided of rows of no shard, first
//
// Rows of no shard are read of a copy that has all that was decided before: a row that was written before a shard went by it, such as
// the channel of a partition, is there. Where they say how far something is, such as a floor, they say no more than the shards, which stand
// still.
//
// The obvious design asks each node for a copy of its own. A person whose shards are on two nodes would be in both, or in none.

// momentKind names on the wire the rows of all shards that a node has.
const momentKind = "moment"

const (
	backupTries = 5
	backupAgain = time.Second
	backupBatch = 1 << 20 // bytes that are written at once
)

// backup is a backup under way, or the last one.
type backup struct {
	running     atomic.Bool
	rows, bytes atomic.Int64
}

// errBackupRunning is the answer to a second backup.
var errBackupRunning = errors.New("a backup is running on this node; wait until it has ended")

// BackupMade says what a backup has.
type BackupMade struct {
	Nodes, Shards int
	Rows, Bytes   int64
	Held          time.Duration // how long events waited
}

// BackupProgress is how far the backup is that runs on this node, or how large the last one was.
func (n *Node) BackupProgress() (running bool, rows, bytes int64) {
	b := &n.backup
	return b.running.Load(), b.rows.Load(), b.bytes.Load()
}

// Backup writes a data directory of one process with all that the cluster has, at one moment. The directory must be empty or absent.
// Events wait for a moment only, and not while rows are copied. REQUIRES: started
func (n *Node) Backup(ctx context.Context, dir string) (made BackupMade, err error) {
	b := &n.backup
	if !b.running.CompareAndSwap(false, true) {
		return made, errBackupRunning
	}
	defer b.running.Store(false)
	b.rows.Store(0)
	b.bytes.Store(0)
	err = storage.Fill(storage.Options{Dir: dir, BlockCacheBytes: 1 << 20, MemtableBytes: 16 << 20, Logger: n.logger}, func(to storage.Store) error {
		at, held, err := n.anyMoment(ctx)
		if err != nil {
			return err
		}
		defer at.close()
		made = BackupMade{Nodes: len(at.parts), Shards: n.deployment.Shards, Held: held}
		return at.copy(ctx, to, b)
	})
	if err != nil {
		return made, err
	}
	made.Rows, made.Bytes = b.rows.Load(), b.bytes.Load()
	n.logger.Info("a backup of the cluster is written", "rows", made.Rows, "bytes", made.Bytes, "held", made.Held)
	return made, nil
}

// moment is the rows of the deployment at one moment.
type moment struct {
	parts  []momentPart
	shared storage.Snapshot // has the rows of no shard
}

// momentPart is the rows of the shards of one node.
type momentPart interface {
	// each calls fn with each row.
	each(ctx context.Context, fn func(key, value []byte) error) error
	close()
}

// anyMoment tries to get a moment until there is one.
func (n *Node) anyMoment(ctx context.Context) (at *moment, held time.Duration, err error) {
	for range backupTries {
		if at, held, err = n.oneMoment(ctx); err == nil || ctx.Err() != nil {
			return at, held, err
		}
		n.logger.Warn("a backup has to try again: the cluster was not at rest for a moment", "error", err)
		if err := backoff.Sleep(ctx, backupAgain); err != nil {
			return nil, 0, err
		}
	}
	return nil, 0, fmt.Errorf("%w; try again once the nodes and the journal are well", err)
}

// oneMoment holds all shards, and gets a snapshot of each.
func (n *Node) oneMoment(ctx context.Context) (*moment, time.Duration, error) {
	at := &moment{}
	held, err := n.engine.Load().Hold(ctx, func(ctx context.Context) error { return at.take(ctx, n) })
	if err != nil {
		at.close()
		return nil, 0, err
	}
	return at, held.Took, nil
}

// take gets the snapshots, of all nodes at once.
func (at *moment) take(ctx context.Context, n *Node) error {
	if err := n.catchUp(ctx); err != nil {
		return err
	}
	here, err := n.openMoment()
	if err != nil {
		return err
	}
	at.parts, at.shared = []momentPart{localMoment{here}}, here.Snapshot
	others := n.others()
	there := make([]*bulk.Rows, len(others))
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range others {
		group.Go(func() (err error) {
			if there[i], err = n.client.Open(ctx, n.bulkOf(p), momentKind, 0); err != nil {
				err = fmt.Errorf("node %s: %w", p.member.Name, err)
			}
			return err
		})
	}
	err = group.Wait()
	has := [][]byte{here.Head()}
	for i, rows := range there {
		if rows != nil {
			at.parts, has = append(at.parts, farMoment{rows, others[i].alive}), append(has, rows.Head)
		}
	}
	if err != nil {
		return err
	}
	return eachOnce(has, n.deployment.Shards)
}

// catchUp returns once all rows of no shard are here that any node had decided before: a change is decided after them, which writes the
// row of this node as it is.
func (n *Node) catchUp(ctx context.Context) error {
	return catalog.New(n.store, n.shared).Change(ctx, func(c *catalog.Change) error {
		is, err := row.ReadClusterNode(c, n.config.Name)
		if err == nil {
			is.Put(c.Batch())
		}
		return err
	})
}

// copy writes all rows to a store.
func (at *moment) copy(ctx context.Context, to storage.Store, count *backup) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range at.parts {
		group.Go(func() error {
			w := batchWriter{to: to, count: count}
			err := part.each(ctx, w.put)
			if err == nil {
				err = w.flush()
			}
			return err
		})
	}
	group.Go(func() error {
		w := batchWriter{to: to, count: count}
		err := row.ScanCatalog(at.shared, w.putCatalog)
		if err == nil {
			err = w.flush()
		}
		return err
	})
	return group.Wait()
}

func (at *moment) close() {
	for _, part := range at.parts {
		part.close()
	}
}

// batchWriter writes rows a batch at a time.
type batchWriter struct {
	to    storage.Store
	batch storage.Batch
	count *backup
}

func (w *batchWriter) put(key, value []byte) error {
	w.batch.Set(key, value)
	w.count.rows.Add(1)
	w.count.bytes.Add(int64(len(key) + len(value)))
	if w.batch.Size() < backupBatch {
		return nil
	}
	return w.flush()
}

// putCatalog puts a row of no shard, unless it is of one node, or of nodes.
func (w *batchWriter) putCatalog(key, value []byte) error {
	if row.OfNode(key) || row.IsClusterNode(key) {
		return nil
	}
	return w.put(key, value)
}

func (w *batchWriter) flush() error {
	if w.batch.Empty() {
		return nil
	}
	err := w.to.Commit(&w.batch)
	w.batch.Reset()
	return err
}

// momentRows are the rows of all shards that a node has, at one moment. Their head is which those are, a bit each.
type momentRows struct{ shardRows }

// openMoment opens the rows of the shards that the engine has. The hold shows whether it had them at the moment.
func (n *Node) openMoment() (*momentRows, error) {
	at, err := n.store.Snapshot()
	if err != nil {
		return nil, err
	}
	m := &momentRows{shardRows{Snapshot: at, position: make([]byte, (n.deployment.Shards+7)/8)}}
	for id := range graph.ShardID(n.deployment.Shards) {
		if n.engine.Load().Has(id) {
			ranges, _ := row.CopyRanges(id)
			m.ranges = append(m.ranges, ranges...)
			m.position[id/8] |= 1 << (id % 8)
		}
	}
	slices.SortFunc(m.ranges, func(a, b [2][]byte) int { return bytes.Compare(a[0], b[0]) })
	return m, nil
}

// eachOnce reports, with moments.ErrLost, that a shard is not with one node, as the nodes say in bits.
func eachOnce(has [][]byte, shards int) error {
	for id := range shards {
		nodes := 0
		for _, bits := range has {
			if id/8 < len(bits) && bits[id/8]>>(id%8)&1 == 1 {
				nodes++
			}
		}
		if nodes != 1 {
			return fmt.Errorf("%w: %d nodes have shard %d", moments.ErrLost, nodes, id)
		}
	}
	return nil
}

// localMoment are rows of this node.
type localMoment struct{ *momentRows }

func (m localMoment) each(ctx context.Context, fn func(key, value []byte) error) error {
	return m.momentRows.Rows(nil, func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return fn(key, value)
	})
}

func (m localMoment) close() { _ = m.Snapshot.Close() }

// farMoment are rows of another node.
type farMoment struct {
	*bulk.Rows
	alive context.Context //nolint:containedctx // it ends with the node
}

func (m farMoment) each(ctx context.Context, fn func(key, value []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.alive, cancel)()
	return m.After(ctx, nil, fn)
}

func (m farMoment) close() { m.Close() }
