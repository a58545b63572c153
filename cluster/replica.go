package cluster

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/cluster/place"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// A replica is one shard on this node: it does what a journal.Owner says, and tells it what came of that. One goroutine runs it.
//
// Invariants:
//   - The engine's shard has a batch under way, or the replica writes rows, never both (A12): rows are written only while the
//     shard is not open, and engine.Lose returns only once nothing of it is on its way to the store.
//   - Rows are written in the order of the log, each with the position that it leads to (J3).
//   - A batch that the engine hands over is answered once: by the record that decides it, or when the shard is lost.
//
// The engine may hand over a batch at any moment, also while the replica waits until the engine has dropped the shard. So
// batches do not wait in the mailbox alone: once the shard is shut, they are refused at once. Otherwise the two would wait for each other.
type replica struct {
	node    *Node
	id      graph.ShardID
	tenant  tenant
	mailbox mailbox
	ticking atomic.Bool // a tick waits in the mailbox
	ending  atomic.Bool // so does the end of the partition

	// The following belong to the goroutine that runs the replica.
	owner   *journal.Owner
	wished  place.Wish // what the node should be to the shard
	encoder *row.Encoder
	rows    []*storage.Batch // to be written, in order
	reading *reading
	copying *copying
	opening chan struct{} // closed once the engine has opened the shard, or has failed to
	heard   *heard        // what others said last; nil before
	broken  error         // the store has failed, or the log has a record that this program cannot read
	strong  []strongRead

	next     atomic.Int64 // the offset that is to be read next
	fresh    atomic.Int64 // until when a local read may be answered (J6)
	standing atomic.Pointer[standing]

	mu      sync.Mutex // guards the following
	open    bool       // the shard may commit
	pending *pending
}

// standing is what others may know of a replica.
type standing struct {
	state journal.State
	owner string // the node of the claim in force; "" if none is, or it is not known
	owned bool   // by the log: the owner is known, or somebody appends
	ready bool
	due   bool // the node should own the shard, and does not yet
	voids uint64
	tail  uint64 // the handlers that have to finish its log, if this program has others; else 0
	err   error  // why the shard has stopped here
}

// pending is a batch of the engine that waits for the journal.
type pending struct {
	batch *storage.Batch
	done  func(error)
}

// strongRead is a read that waits until the owner has had so many appends that count.
type strongRead struct {
	decided uint64
	done    chan<- error
}

// errNotHere is told to the engine of a batch that does not count, or whose outcome nobody knows.
var errNotHere = errors.New("cluster: the shard is another node's, or the journal did not answer")

// newReplica is a shard as the node finds it at its start.
func newReplica(n *Node, id graph.ShardID, of tenant) (*replica, error) {
	r := &replica{node: n, id: id, tenant: of, encoder: row.NewEncoder(), mailbox: mailbox{news: make(chan struct{}, 1)}}
	var at *journal.Position
	switch p, err := row.ReadJournalPosition(n.store, id); {
	case err == nil:
		at = &journal.Position{Topic: p.Topic, Next: p.Next, Claim: p.Claim, Seq: p.Seq, Sum: p.Sum, Rules: p.Rules, Handlers: p.Handlers}
	case !errors.Is(err, storage.ErrNotFound):
		return nil, err
	}
	r.owner = journal.NewOwner(journal.Config{
		Shard: id, Deployment: journal.Deployment{ID: n.deployment.ID, Shards: uint32(n.deployment.Shards)}, Topic: n.log.ID(),
		Node: n.config.Name, Boot: n.boot, Written: n.written, Readable: generation, Rules: n.deployment.Rules, Handlers: handlers,
		Tailless: int(id) == n.deployment.Shards, Random: rand.Float64,
	}, at)
	r.publish()
	return r, nil
}

func (r *replica) run() { r.mailbox.run(r.node.ctx) }

func (r *replica) now() int64 { return r.node.now() }

func (r *replica) state() journal.State { return r.standing.Load().state }

// tick lets time pass, unless the replica has not got to the last tick yet.
func (r *replica) tick() {
	if !r.ticking.CompareAndSwap(false, true) {
		return
	}
	r.mailbox.post(func() {
		r.ticking.Store(false)
		if r.broken != nil {
			return
		}
		now := r.now()
		switch owning := r.owner.State() == journal.Owning; {
		case owning && isClosed(r.opening) && !r.tenant.has(): // it failed alone
			r.do(r.owner.Lose(now))
		case owning && !r.owner.Fresh(now): // somebody else may have committed: nothing may be read any more (J6)
			r.do(r.owner.Lose(now))
		}
		r.do(r.owner.Tick(now))
		r.wished = r.wish(now)
		r.do(r.owner.Placed(r.wished, now))
		if from, to, needed := r.owner.Reading(); needed && r.reading == nil { // it broke off
			r.read(from, to)
		}
		r.publish()
	})
}

// wish is what the node should be to the shard.
func (r *replica) wish(now int64) place.Wish {
	view := r.node.peers.view.Load()
	stand := r.owner.Stand(now)
	if h := r.heard; h != nil {
		stand.Surplus = journal.Surplus(h.reports, r.owners(view), h.begins, now)
	}
	wish := place.Decide(r.id, view, r.node.config.Name, stand, now)
	if wish == place.Absent && int(r.id) == r.node.deployment.Shards { // every node has the rows of no shard
		wish = place.Follow
	}
	return wish
}

// owners are the nodes that should have a copy.
func (r *replica) owners(view *place.View) (names []string) {
	for _, n := range place.Owners(r.id, view, 2) {
		names = append(names, n.Name)
	}
	return names
}

// report is what this node says of its copy when it is asked. It counts once the store has been synced.
func (r *replica) report() journal.Report {
	if r.broken != nil {
		return journal.Report{Node: r.node.config.Name}
	}
	var at *journal.Position
	if p, err := row.ReadJournalPosition(r.node.store, r.id); err == nil {
		position := journal.Position(p)
		at = &position
	}
	return r.owner.Report(at, r.now())
}

// hear takes in what other nodes say of their copies.
func (r *replica) hear(h *heard) {
	r.mailbox.post(func() {
		r.heard = h
		if r.broken == nil {
			r.do(r.owner.Heard(h.reports, r.owners(r.node.peers.view.Load()), h.begins, r.now()))
			r.publish()
		}
	})
}

// ends says where the partition ends, by an answer to a question that was asked when before had been read.
func (r *replica) ends(before int64, at kafka.Range) {
	if !r.ending.CompareAndSwap(false, true) {
		return
	}
	r.mailbox.post(func() {
		r.ending.Store(false)
		switch {
		case r.broken != nil || r.owner.State() != journal.Following:
			return
		case at.End < before: // what was read is not there any more
			r.do(r.owner.End(at.End, r.now()))
		case r.owner.Next() >= at.End:
			r.do(r.owner.End(r.owner.Next(), r.now()))
		}
		r.publish()
	})
}

// publish shows others where the replica stands.
func (r *replica) publish() {
	now := r.now()
	stand := r.owner.Stand(now)
	r.next.Store(r.owner.Next())
	r.fresh.Store(r.owner.FreshUntil())
	r.answerStrong()
	here := r.owner.State() == journal.Owning
	tail, _ := r.owner.Misfit()
	r.standing.Store(&standing{
		state: r.owner.State(), owner: stand.Owner, ready: r.broken == nil && r.owner.Ready(now), due: r.wished == place.Own && !here,
		owned: stand.Owner != "" || stand.Standing,
		voids: r.owner.Voids(), tail: tail, err: cmp.Or(r.broken, r.owner.Err()),
	})
}

// do does what the owner says, in its order.
func (r *replica) do(todo []journal.Do) {
	if r.broken != nil {
		return // what follows would rest on what is missing
	}
	for i := range todo {
		if err := r.one(&todo[i]); err != nil {
			r.stopAt(err)
			return
		}
	}
	if err := r.write(); err != nil {
		r.stopAt(err)
		return
	}
	if _, _, needed := r.owner.Reading(); !needed {
		r.endReading()
	}
}

// stopAt stops the replica: an error of the store, or a record that cannot be read. The shard is lost here, and goes on elsewhere.
func (r *replica) stopAt(err error) {
	if r.broken != nil {
		return
	}
	r.broken = r.withNewest(err)
	r.node.logger.Error("a shard stops on this node", "shard", r.id, "error", r.broken)
	r.endReading()
	r.endCopying()
	r.lost()
	r.publish()
}

// withNewest adds to an error which node has the newest copy, as far as it is known, where the journal lacks what it acknowledged: an
// operator has to go on from that one.
func (r *replica) withNewest(err error) error {
	if !errors.Is(err, journal.ErrGap) || r.heard == nil {
		return err
	}
	newest := journal.Report{Node: r.node.config.Name, Durable: r.owner.Next()}
	for _, is := range r.heard.reports {
		if is.Durable > newest.Durable {
			newest = is
		}
	}
	return fmt.Errorf("%w; node %s has the newest copy that is known here, up to %d", err, newest.Node, newest.Durable)
}

func (r *replica) one(d *journal.Do) error {
	if d.Apply != nil {
		if err := r.apply(d); err != nil {
			return err
		}
	}
	if d.Lost || d.Drop || d.Open {
		if err := r.write(); err != nil {
			return err
		}
	}
	switch {
	case d.Lost:
		r.lost()
	case d.Drop:
		r.endReading()
		r.endCopying()
		return r.drop()
	}
	if d.Halt != nil {
		return d.Halt
	}
	switch {
	case d.Copy:
		r.endReading()
		r.copy()
	case d.Open:
		r.take()
	case d.Yield:
		r.yield()
	}
	if d.Append != nil {
		r.append(d.Append, d.Ticket)
	}
	if d.Read {
		r.read(d.From, d.To)
	}
	return nil
}

// apply writes what the log says. A batch of the engine is written by the engine, which waits for that: the batch gets the position.
func (r *replica) apply(d *journal.Do) error {
	at := positionOf(&d.Apply.Position)
	if d.Decided {
		if p := r.decided(); p != nil {
			r.encoder.PutJournalPosition(p.batch, r.id, &at)
			p.done(nil)
			return nil
		}
	}
	b, err := r.tenant.parse(d.Apply.Ops, d.Apply.Count)
	if err != nil {
		return err
	}
	r.encoder.PutJournalPosition(b, r.id, &at)
	r.rows = append(r.rows, b)
	return nil
}

// write writes the rows that wait.
func (r *replica) write() error {
	if len(r.rows) == 0 {
		return nil
	}
	err := r.node.store.Commit(r.rows...)
	clear(r.rows)
	r.rows = r.rows[:0]
	if err == nil {
		r.tenant.written()
	}
	return err
}

// commitRows writes a batch of rows of no shard that was decided here, with its position. It runs on the replica's goroutine.
func (r *replica) commitRows(b *storage.Batch, secret row.Secret) error {
	own, err := row.Revealed(b, secret)
	if err == nil {
		err = r.node.store.Commit(own)
	}
	if err == nil {
		r.tenant.written()
	}
	return err
}

// drop deletes the copy.
func (r *replica) drop() error {
	var b storage.Batch
	for _, ranges := range row.ShardRanges(r.id) {
		b.DeleteRange(ranges.Lower, ranges.Upper)
	}
	return r.node.store.Commit(&b)
}

// commit appends a batch of the engine to the journal.
func (r *replica) commit(b *storage.Batch, done func(error)) {
	r.mu.Lock()
	if !r.open {
		r.mu.Unlock()
		done(errNotHere)
		return
	}
	p := &pending{b, done}
	r.pending = p
	r.mu.Unlock()
	r.mailbox.post(func() {
		r.mu.Lock()
		waits := r.pending == p
		r.mu.Unlock()
		if !waits {
			return // it was lost meanwhile, and answered
		}
		ops, count := b.Ops()
		r.do(r.owner.Commit(ops, count, r.now()))
		r.publish()
	})
}

// confirm appends a record, or waits for one, that shows whether another node had claimed the shard when confirm was called.
func (r *replica) confirm(done chan<- error) {
	r.mailbox.post(func() {
		if r.broken != nil || r.owner.State() != journal.Owning {
			done <- errNotHere
			return
		}
		decided, todo := r.owner.Strong(r.now())
		r.strong = append(r.strong, strongRead{decided, done})
		r.do(todo)
		r.publish()
	})
}

// answerStrong answers the strong reads that need not wait any more.
func (r *replica) answerStrong() {
	r.strong = slices.DeleteFunc(r.strong, func(s strongRead) bool {
		switch owns := r.owner.State() == journal.Owning || r.owner.State() == journal.Yielding; {
		case r.broken != nil || !owns:
			s.done <- errNotHere
		case r.owner.Decided() >= s.decided:
			s.done <- nil
		default:
			return false
		}
		return true
	})
}

// decided takes the batch that was decided.
func (r *replica) decided() *pending {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.pending
	r.pending = nil
	return p
}

// lost drops the shard: nothing of it is on its way to the store from then on.
func (r *replica) lost() {
	r.mu.Lock()
	r.open = false
	p := r.pending
	r.pending = nil
	r.mu.Unlock()
	if p != nil {
		p.done(errNotHere)
	}
	if r.opening != nil {
		<-r.opening
		r.opening = nil
		r.node.counted.losses.Add(1)
		r.node.logger.Info("a shard is lost", "shard", r.id)
		r.tenant.lose()
	}
}

// take opens the shard, and lets the owner go on meanwhile: a recovery may take longer than a claim may be silent.
func (r *replica) take() {
	r.mu.Lock()
	r.open = true
	r.mu.Unlock()
	opened := make(chan struct{})
	r.opening = opened
	r.node.counted.claims.Add(1)
	r.node.logger.Info("a shard is owned", "shard", r.id)
	r.node.tasks.Go(func() {
		defer close(opened)
		if err := r.tenant.take(); err != nil { // the next tick gives the shard up
			r.node.logger.Error("a shard cannot be opened", "shard", r.id, "error", err)
		}
	})
}

// yield lets the shard write all that it holds, commit by commit, and then seals its log.
func (r *replica) yield() {
	opened := r.opening
	r.node.tasks.Go(func() {
		<-opened
		err := r.tenant.yield(r.node.ctx)
		r.mailbox.post(func() {
			if r.owner.State() != journal.Yielding {
				return
			}
			if err != nil {
				r.do(r.owner.Lose(r.now()))
			} else {
				r.mu.Lock()
				r.open = false
				r.mu.Unlock()
				r.opening = nil
				r.node.logger.Info("a shard is handed over", "shard", r.id)
				r.do(r.owner.Seal(r.now()))
			}
			r.publish()
		})
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// append appends a record to the shard's log.
func (r *replica) append(value []byte, ticket uint64) {
	r.node.log.Append(partition(r.id), value, func(offset int64, err error) {
		r.mailbox.post(func() {
			r.do(r.owner.Appended(ticket, offset, err, r.now()))
			r.publish()
		})
	})
}
