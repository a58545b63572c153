package journaltest

import (
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// A Machine is what runs on a shard while a node owns it. It is built from the rows of the node, and from nothing else.
type Machine interface {
	// Step prepares a batch; nil if there is nothing to commit. Until Committed or Close nothing else is asked of it but Read.
	Step(now int64) *storage.Batch
	// Committed says that the batch counts, and is written.
	Committed(now int64)
	// Flush prepares a batch that lets other handlers go on from the rows; nil once they can.
	Flush(now int64) *storage.Batch
	// Close ends it, at any moment.
	Close()
}

// A Reader is a machine that is read, by somebody who knows what was answered before.
type Reader interface {
	// Strong begins a strong read, and returns what checks its answer: it sees all that was answered before it began.
	Strong() (check func())
	// Local is a local read: it sees all that was answered more than LocalAge before.
	Local()
}

// LocalAge is how old a local read may be at most, in ms.
const LocalAge = journal.FreshFor

// A Program makes the machines of a world and the work for them, and checks what they answer.
type Program interface {
	// Open builds a shard from the rows of a node.
	Open(w *World, node int, shard graph.ShardID, handlers uint64, store storage.Store) (Machine, error)
	// Work hands something to a random machine, and reports whether it could.
	Work(w *World) bool
	// Done reports whether all work is answered.
	Done(w *World) bool
	// Check checks all once all is at rest.
	Check(w *World)
}
