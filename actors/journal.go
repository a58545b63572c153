package actors

import (
	"slices"

	"github.com/kindred-id/kindred/actors/shard"
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
type Journal interface {
	Commit(id graph.ShardID, b *storage.Batch, done func(error))
}

// A Network carries envelopes to shards that are with other processes. It may lose, repeat, delay and reorder them. Post is
// called on goroutines that run shards, must not block, and may keep the envelope; the process that has the shard hands the envelope to Engine.Receive.
type Network interface {
	Post(shard.Post)
}

// commit puts a shard's batch on its way to the store, by the journal where there is one.
func (p *pool) commit(r *runner, b *storage.Batch) {
	if p.journal == nil {
		p.committer.submit(write{r, b})
		return
	}
	p.journal.Commit(r.id, b, func(err error) {
		if err != nil {
			r.inbox.PostUserMessage(void{err})
			return
		}
		p.committer.submit(write{r, b})
	})
}

// post gives an envelope to the shard that it is for.
func (p *pool) post(post shard.Post) {
	if p.network != nil && !p.Has(post.To) {
		post.Messages = slices.Clone(post.Messages) // the list is the shard's
		p.network.Post(post)
		return
	}
	p.runners[post.To].inbox.postEnvelope(post.Envelope)
}

// Receive takes an envelope from another process. If the shard is not here, the envelope is dropped: its sender keeps the
// messages until they are acknowledged.
func (p *pool) Receive(post shard.Post) {
	post.Messages = slices.Clone(post.Messages)
	for i := range post.Messages {
		post.Messages[i].Epoch = 0 // epochs of another process mean nothing here
	}
	p.runners[post.To].inbox.postEnvelope(post.Envelope)
}
