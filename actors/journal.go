package actors

import (
	"context"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// A Journal orders the batches of shards beyond one process, and decides which of them count. A batch is written to the store
// once the journal has taken it; without a journal, that is at once.
//
//	Step ──► Journal.Commit ──► done(nil) ──► committer, store ──► answers, messages
//	                        └─► done(err) ──► the shard is lost
//
// Commit is called on the goroutine that runs the shard and must not block. A shard has one batch in the journal at a time, and
// the batch stays as it is until done is called, once, from any goroutine. An error means that the batch does not count, or that
// nobody knows: the shard is lost, and its inputs are answered Elsewhere. A batch that the journal takes after its shard was
// lost is written all the same (A12): the log has it, so the rows must, too.
//
// Two more methods say how current the memory of a shard is, since a process that was paused has not noticed yet that another one
// took its shard over.
type Journal interface {
	Commit(id graph.ShardID, b *storage.Batch, done func(error))
	// Fresh reports whether what the shard holds may be shown: it was the newest a few seconds ago. It is called for each read, on
	// any goroutine, and must not block.
	Fresh(id graph.ShardID) bool
	// Confirm returns once the journal has shown that no other process had taken the shard when Confirm was called. An error means
	// that one may have.
	Confirm(ctx context.Context, id graph.ShardID) error
}
