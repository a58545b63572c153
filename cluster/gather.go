package cluster

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// Gathered says what a directory has that was made of directories of nodes.
type Gathered struct {
	Shards      int
	From        []int // by directory, how many of its copies were the newest
	Rows, Bytes int64
}

// Gather writes a data directory of one process with the newest copy of each shard that directories of nodes have, and the newest rows of
// no shard. It is the way on once the journal is lost: what it acknowledged, and no copy has, is lost with it. told is called with the
// bytes that are written so far.
//
// No node may run: each directory is read, locked, and not changed. The directory to must be empty or absent.
func Gather(from []string, to string, told func(bytes int64)) (made Gathered, err error) {
	g := gathering{}
	defer func() {
		for i := range g.nodes {
			err = errors.Join(err, g.nodes[i].store.Close())
		}
	}()
	for _, dir := range from {
		if err := g.open(dir); err != nil {
			return made, err
		}
	}
	newest, err := g.newest()
	if err != nil {
		return made, err
	}
	made = Gathered{Shards: len(newest) - 1, From: make([]int, len(from))}
	var count backup
	err = storage.Fill(storage.Options{Dir: to, BlockCacheBytes: 1 << 20, MemtableBytes: 16 << 20}, func(into storage.Store) error {
		w := batchWriter{to: into, count: &count}
		for id, at := range newest {
			if err := g.copy(&w, id, at); err != nil {
				return err
			}
			made.From[at]++
			told(count.bytes.Load())
		}
		return w.flush()
	})
	made.Rows, made.Bytes = count.rows.Load(), count.bytes.Load()
	return made, err
}

// gathering are the directories that are gathered from.
type gathering struct {
	nodes []gathered
	of    row.Deployment // of the first
}

type gathered struct {
	dir   string
	store *storage.Pebble
}

// open opens the directory of a node.
func (g *gathering) open(dir string) error {
	is, err := storage.NodeOf(dir)
	if err != nil {
		return err
	}
	if is == "" {
		return fmt.Errorf("%s is no directory of a node: name those that nodes of the cluster had with --data", dir)
	}
	store, err := storage.Open(storage.Options{Dir: dir, Node: is, ReadOnly: true})
	if err != nil {
		return err
	}
	g.nodes = append(g.nodes, gathered{dir, store})
	of, err := row.ReadDeployment(store)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", dir, err)
	case len(g.nodes) == 1:
		g.of = of
	case of.Secret != g.of.Secret || of.Shards != g.of.Shards:
		return fmt.Errorf("%s is of another deployment than %s: name the directories of one cluster", dir, g.nodes[0].dir)
	}
	return nil
}

// newest finds the directory with the newest copy of each shard, and of the rows of no shard, by their positions in the journal.
func (g *gathering) newest() ([]int, error) {
	var topic *[16]byte
	var followed string // the directory that topic is of
	newest := make([]int, g.of.Shards+1)
	for id := range newest {
		best := row.JournalPosition{Next: -1}
		for i := range g.nodes {
			is, err := row.ReadJournalPosition(g.nodes[i].store, graph.ShardID(id))
			if errors.Is(err, storage.ErrNotFound) {
				continue // no copy, or one that is not whole (J8)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", g.nodes[i].dir, err)
			}
			if topic == nil {
				topic, followed = &is.Topic, g.nodes[i].dir
			}
			if is.Topic != *topic {
				return nil, fmt.Errorf("%s followed another journal than %s: name the directories of nodes that followed the same one, the last", g.nodes[i].dir, followed)
			}
			if is.Next > best.Next {
				best, newest[id] = is, i
			}
		}
		control := id == g.of.Shards
		switch {
		case best.Next < 0 && control:
			return nil, errors.New("no directory has the rows of no shard: name the directories of all nodes")
		case best.Next < 0:
			return nil, fmt.Errorf("no directory has a copy of shard %d: name the directories of all nodes; if there are no others, begin with the last backup", id)
		case best.Handlers != 0 && best.Handlers != handlers && !control: // J5
			return nil, fmt.Errorf("%s: the log of shard %d was left by handlers %d, and this program has %d: use the version that the node ran", g.nodes[newest[id]].dir, id, best.Handlers, handlers)
		}
	}
	return newest, nil
}

// copy writes the rows of a shard, or those of no shard, from a directory.
func (g *gathering) copy(w *batchWriter, id, from int) error {
	store := g.nodes[from].store
	if id == g.of.Shards {
		return row.ScanCatalog(store, w.putCatalog)
	}
	ranges, _ := row.CopyRanges(graph.ShardID(id))
	for _, r := range ranges {
		if err := store.Iterate(r[0], r[1], w.put); err != nil {
			return err
		}
	}
	return nil
}
