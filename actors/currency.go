package actors

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/graph"
)

// A read is either
//
//   - local, which costs nothing: it shows all that this process has answered for the shard. Another process may have taken the shard over
//     a few seconds ago, and a commit that is on its way may never count.
//   - strong: it shows all that any process has answered before the read began, and nothing that a crash could take back. It waits for the
//     commit under way, and then for the journal.
//
// The question is put after the shard was read: a process that was paused in between would otherwise show what is old.

type strongKey struct{}

// Strong returns a context whose reads of people are strong. The function that is given to such a read may run more than once.
func Strong(ctx context.Context) context.Context { return context.WithValue(ctx, strongKey{}, true) }

func isStrong(ctx context.Context) bool { return ctx.Value(strongKey{}) != nil }

// settling is answered once what the shard held when it was sent is durable.
type settling struct{ done chan error }

// current reports whether what was read of a shard here may be shown: it fails with ErrLost if another process may have the shard.
func (p *pool) current(ctx context.Context, id graph.ShardID) error {
	if !isStrong(ctx) {
		if p.journal != nil && !p.journal.Fresh(id) {
			return &lostError{id: id}
		}
		return nil
	}
	m := &settling{make(chan error, 1)}
	p.runners[id].inbox.PostUserMessage(m)
	if err := p.placed(ctx, m.done); err != nil || p.journal == nil {
		return err
	}
	if err := p.journal.Confirm(ctx, id); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("shard %d: %w: %w", id, ErrLost, err)
	}
	return nil
}

// shown returns the error of a read of a shard here, or, if it has none, that of current.
func (p *pool) shown(ctx context.Context, id graph.ShardID, err error) error {
	if err != nil {
		return err
	}
	return p.current(ctx, id)
}
