package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kindred-id/kindred/actors"
	"github.com/kindred-id/kindred/actors/catalog"
	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/cluster/proto"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/backoff"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// sharedRows are the rows that belong to no shard and are the same on every node. They have the last partition of the journal, and a
// replica of their own: its owner decides about the changes of all nodes, and every node writes what was decided.
//
//	Commit on any node ──► owner: control.State.Step ──► replica ──► journal ──► store of every node ──► watchers
//	   ▲                        │ a row has changed                                 │
//	   └── ErrConflict ◄────────┘                        Commit returns once it is here
//
// Dead letters are each node's own, since a node gives out their numbers by itself. They go to the log of the store. It implements catalog.Log.
type sharedRows struct {
	node    *Node
	secret  row.Secret
	replica *replica
	own     catalog.Log

	deciding sync.Mutex // held while a change is decided
	open     atomic.Bool
	changed  atomic.Bool // since the node looked at them

	mu   sync.Mutex      // guards the following
	news []chan struct{} // of one each: rows have changed
}

var (
	errElsewhere = errors.New("cluster: the rows of no shard are decided by another node")
	errNoOwner   = errors.New("cluster: no node decides about the rows of no shard now, so keys and settings can't be changed; try again once the nodes and the journal are well")
)

const (
	// changePatience bounds the search for the owner.
	changePatience = 10 * time.Second
	changeAgain    = 100 * time.Millisecond

	// takePatience bounds the wait of a shard for the definitions that it goes by. Then it is given up, and claimed again.
	takePatience = 2 * time.Second
	takeAgain    = 10 * time.Millisecond
)

// Commit implements catalog.Log.
func (s *sharedRows) Commit(ctx context.Context, b *storage.Batch, was catalog.Rows) error {
	own, shared := false, false
	for key := range b.Keys() {
		if row.OfNode(key) {
			own = true
		} else {
			shared = true
		}
	}
	switch {
	case own && shared:
		return errors.New("cluster: a change of rows of this node and of rows of all")
	case own:
		return s.own.Commit(ctx, b, was)
	}
	if !s.node.started.Load() {
		return errors.New("cluster: rows of no shard can't be changed before the node has joined the others")
	}
	c, err := s.conceal(b, was)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, changePatience)
	defer cancel()
	for {
		next, err := s.propose(ctx, c)
		switch {
		case err == nil:
			return s.await(ctx, next)
		case !errors.Is(err, errElsewhere):
			return err
		}
		if backoff.Sleep(ctx, changeAgain) != nil {
			return errNoOwner
		}
	}
}

// conceal makes the change that leaves this node.
func (s *sharedRows) conceal(b *storage.Batch, was catalog.Rows) (*control.Change, error) {
	concealed, err := row.Concealed(b)
	if err != nil {
		return nil, err
	}
	c := &control.Change{Batch: concealed, Was: control.Rows{}}
	for key, value := range was {
		if c.Was[key], err = row.ConcealedValue([]byte(key), value); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// propose brings a change to the owner, and returns the offset up to which a copy has it. It fails with errElsewhere if it was
// not decided.
func (s *sharedRows) propose(ctx context.Context, c *control.Change) (next int64, err error) {
	if s.open.Load() {
		return s.decide(c)
	}
	p := s.node.of(s.replica.id)
	if p == nil {
		return 0, errElsewhere
	}
	asking, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	defer context.AfterFunc(p.alive, cancel)()
	answer, err := s.node.wires.Ask(asking, p.member.Remote, uint32(s.replica.id), proto.KindQuery, appendChange(nil, c))
	if err != nil {
		s.node.hint(s.replica.id, p, false)
		return 0, fmt.Errorf("cluster: node %s did not say what became of a change of rows of no shard; look whether it was made: %w", p.member.Name, err)
	}
	next, err = parseAnswer(answer)
	s.node.hint(s.replica.id, p, !errors.Is(err, errElsewhere))
	return next, err
}

// await waits until the rows are in the store here.
func (s *sharedRows) await(ctx context.Context, next int64) error {
	for s.replica.next.Load() < next {
		if err := backoff.Sleep(ctx, changeAgain/10); err != nil {
			return fmt.Errorf("cluster: a change was made, and is not here yet: %w", err)
		}
	}
	return nil
}

// decide decides about a change, as the owner.
func (s *sharedRows) decide(c *control.Change) (next int64, err error) {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	if !s.open.Load() {
		return 0, errElsewhere
	}
	batch, refused, err := control.New(concealing{s.node.store}).Step([]control.Change{*c})
	if err != nil {
		return 0, err
	}
	if errors.Is(refused[0], control.ErrConflict) {
		return 0, catalog.ErrConflict
	}
	if refused[0] != nil {
		return 0, refused[0]
	}
	done := make(chan error, 1)
	s.replica.commit(batch, func(failed error) {
		if failed == nil { // on the replica's goroutine, in the order of the log
			next = s.replica.owner.Next()
			failed = s.replica.commitRows(batch, s.secret)
		}
		done <- failed
	})
	if err := <-done; err != nil {
		return 0, fmt.Errorf("cluster: what became of a change of rows of no shard is not known; look whether it was made: %w", err)
	}
	return next, nil
}

// concealing reads rows as they leave a node.
type concealing struct{ storage.Reader }

// Get implements storage.Reader.
func (c concealing) Get(dst, key []byte) ([]byte, error) {
	value, err := c.Reader.Get(nil, key)
	if err != nil {
		return dst, err
	}
	if value, err = row.ConcealedValue(key, value); err != nil {
		return dst, err
	}
	return append(dst, value...), nil
}

// answer answers a change of another node.
func (s *sharedRows) answer(body []byte) []byte {
	c, err := parseChange(body)
	if err != nil {
		return appendAnswer(0, err)
	}
	return appendAnswer(s.decide(c))
}

// The following implement tenant.

func (s *sharedRows) has() bool { return s.open.Load() }

func (s *sharedRows) take() error {
	s.open.Store(true)
	return nil
}

func (s *sharedRows) yield(context.Context) error {
	s.deciding.Lock() // what is under way ends first
	defer s.deciding.Unlock()
	s.open.Store(false)
	return nil
}

func (s *sharedRows) lose() { s.open.Store(false) }

func (s *sharedRows) parse(ops []byte, count uint32) (*storage.Batch, error) {
	return row.CatalogOf(ops, count, s.secret)
}

func (s *sharedRows) written() {
	s.changed.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, news := range s.news {
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// watch returns what is sent to when rows have changed.
func (s *sharedRows) watch() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := make(chan struct{}, 1)
	s.news = append(s.news, news)
	return news
}

// tenant is what a replica has in the rest of the process: a shard of the engine, or the rows of no shard.
type tenant interface {
	has() bool
	take() error
	yield(context.Context) error
	lose()
	// parse reads a batch of the journal.
	parse(ops []byte, count uint32) (*storage.Batch, error)
	// written says that rows of other nodes were written.
	written()
}

// engineShard is a shard of the engine.
type engineShard struct {
	node *Node
	id   graph.ShardID
}

func (e engineShard) has() bool                       { return e.node.engine.Load().Has(e.id) }
func (e engineShard) yield(ctx context.Context) error { return e.node.engine.Load().Yield(ctx, e.id) }
func (e engineShard) lose()                           { e.node.engine.Load().Lose(e.id) }
func (e engineShard) written()                        {}

// take opens the shard. Definitions that it goes by may be on their way here: the journal of the rows of no shard has them.
func (e engineShard) take() error {
	ctx, cancel := context.WithTimeout(e.node.ctx, takePatience)
	defer cancel()
	for {
		err := e.node.engine.Load().Take(e.id)
		if !errors.Is(err, actors.ErrBehind) || backoff.Sleep(ctx, takeAgain) != nil {
			return err
		}
	}
}

func (e engineShard) parse(ops []byte, count uint32) (*storage.Batch, error) {
	return row.OpsOf(ops, count, e.id)
}
