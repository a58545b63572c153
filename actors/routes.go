package actors

import (
	"slices"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/storage"
)

// routes take what a shard lets out to where it belongs: a batch to the store, an envelope to another shard, in this process
// or in another one. They decide nothing: a shard hands them an envelope only after its commit (A1).
type routes struct {
	runners   []*runner // by shard
	committer *committer
	journal   Journal // nil: the store decides
	network   Network // nil: all shards are here
	clock     *feed.Clock
	defined   *atomic.Pointer[audiences.State]
}

// commit puts a shard's batch on its way to the store, by the journal where there is one.
func (o *routes) commit(r *runner, b *storage.Batch) {
	if o.journal == nil {
		o.committer.submit(write{r, b})
		return
	}
	o.journal.Commit(r.id, b, func(err error) {
		if err != nil {
			r.inbox.PostUserMessage(void{err})
			return
		}
		o.committer.submit(write{r, b})
	})
}

// post gives an envelope to the shard that it is for.
func (o *routes) post(post shard.Post) {
	if o.network != nil && !o.runners[post.To].here() {
		post.Messages = slices.Clone(post.Messages) // the list is the shard's
		post.Clock, post.Edition = o.clock.Now(), o.defined.Load().Edition()
		o.network.Post(post)
		return
	}
	o.runners[post.To].inbox.postEnvelope(post.Envelope)
}

// Receive takes an envelope from another process. If the shard is not here, the envelope is dropped: its sender keeps the
// messages until they are acknowledged. So are messages from where more is defined than here: what they tell of audiences can't be
// understood yet, and people would be told that they left them.
func (o *routes) Receive(post shard.Post) {
	if int(post.To) >= len(o.runners) || int(post.From) >= len(o.runners) {
		return
	}
	o.clock.Raise(post.Clock) // first: what follows from the messages comes after what they follow from
	if post.Edition > o.defined.Load().Edition() {
		post.Messages = nil
	}
	o.runners[post.To].inbox.postEnvelope(post.Envelope)
}
