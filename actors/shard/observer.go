package shard

import (
	"iter"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// An Observer follows what the steps of one shard make of its components: counters and the change feed are observers. A
// shard knows its observers as a list alone, so that a new consequence of a change is a new Observer and no line in the
// shard.
//
//	Recover ──► Before ──► After ──► … ──► Changed … ──► Close ──► Committed ──► Before ──► …
//	   ▲                     │ a handler failed: the step is discarded
//	   └─────────────────────┘
//
// Invariants:
//   - The shard makes all calls, on its own goroutine, one at a time, in the order in which observers are registered.
//     An observer must not block, and must not change a component.
//   - What an observer keeps, it writes in Close, into the batch and the record of the step: it becomes durable with the step
//     or not at all. Nothing that it tells anybody may leave before Committed.
//   - Recover may come at any moment, and every time an observer's memory must become what the store says: a step that
//     fails is undone by a recovery, not by a call that takes back.
//
// An observer keeps what it remembers of a component for the length of a step by the component's Place, in a slice: a map
// by node would cost more than most observers do.
type Observer interface {
	// Recover forgets everything and reads what the observer keeps in the store. It is called when the log has been
	// replayed. It fails where that does not go together.
	Recover(r *Recovery) error
	// Before is called before a node takes a message.
	Before(v *Visit) error
	// After is called when the node has taken it. Of evidence that leaves with the message, it is the last call in
	// which the component can be looked at as it was.
	After(v *Visit)
	// Changed is called with what the step made of the identities of one component: before After where its evidence leaves,
	// and of the others before Close. It is not called while the log is replayed. The lists of d are reused.
	Changed(d *graph.Diff)
	// Close is called when all inputs of the step were handled, before the record of the step ends.
	Close(c *Closing)
	// Committed is called when the step is durable, before anything that follows from it leaves the shard.
	Committed()
}

// A replayer is an Observer that adds inputs of a source of its own to records, and takes them again when the log is
// replayed, before Recover is called.
type replayer interface {
	Observer
	// Source is that of its inputs: one of those below the highest, which the shard keeps for its own.
	Source() uint16
	// Replay takes an input again.
	Replay(in *row.Input) error
}

// A tidier is an Observer that deletes rows which it has written and keeps no more, when a step is asked to (Input.Tidy). The
// deletions are in the batch of the step, and the record says nothing of them: a recovery must not need these rows.
type tidier interface {
	Observer
	// Tidy adds to the batch of the step what is to be deleted. Recover comes next if the step is undone, else Committed.
	Tidy(b *storage.Batch)
}

// A Visit is that of a message to a node.
type Visit struct {
	Node    *graph.Node
	Message *graph.Message
	// Place is that of the node's component among those which the step has touched, from 0 on without a gap; -1 where the
	// node is no root. A component that leaves for another root loses its place.
	Place int
	// First is set in the first call that the step makes with this place.
	First bool
	// Replay is set while the log is replayed: the visit was observed when it was made.
	Replay bool

	Was *graph.Component // in After: the component that the node had before; nil where it was no root
	Out *graph.Outbox    // in After: what the message brought about
}

// Closing is the end of a step.
type Closing struct {
	Record uint64         // number of the record that commits the step
	Now    int64          // ms since 1970
	Batch  *storage.Batch // takes rows of observers
	Log    *row.RecordWriter
	// Memberships are who entered and who left audiences, for the change feed.
	Memberships []graph.FeedEntry

	touched
}

// observed is what observers are shown of the step under way.
type observed struct {
	visit   Visit
	touched touched
}

// show changes a node by a message, before the eyes of the observers.
func (t *step) show(r *resident, m *graph.Message, replay bool) error {
	v, was := &t.observed.visit, r.Component
	*v = Visit{Node: &r.Node, Message: m, Replay: replay}
	t.observed.place(r)
	if err := t.shard.telling.before(v); err != nil {
		return err
	}
	for _, o := range t.shard.observers {
		if err := o.Before(v); err != nil {
			return err
		}
	}
	t.out.Reset()
	if err := t.shard.residents.handle(r, m, t.shard.config.Rules, &t.out); err != nil {
		return err
	}
	if was != nil && r.Component == nil && !replay { // its evidence leaves, and still is as it was
		t.changed(was)
	}
	v.Was, v.Out, v.First = was, &t.out, false
	t.observed.place(r)
	t.shard.telling.after(v)
	for _, o := range t.shard.observers {
		o.After(v)
	}
	if r.Component == nil {
		r.touched = 0
	}
	return nil
}

// place gives a root that is touched for the first time its place.
func (o *observed) place(r *resident) {
	if r.Component != nil && r.touched == 0 {
		o.touched = append(o.touched, r)
		r.touched = int32(len(o.touched))
		o.visit.First = true
	}
	o.visit.Place = int(r.touched) - 1
}

func (o *observed) forget() {
	for _, r := range o.touched {
		r.touched = 0
	}
	clear(o.touched)
	o.touched = o.touched[:0]
}

// touched are the residents whose components the step under way, or the replay of the log, has touched.
type touched []*resident

// Roots are the components that were touched and have not left, by their places.
func (t touched) Roots() iter.Seq2[int, *graph.Node] {
	return func(yield func(int, *graph.Node) bool) {
		for i, r := range t {
			if r.touched == int32(i+1) && !yield(i, &r.Node) {
				return
			}
		}
	}
}

// Recovery is the end of a recovery.
type Recovery struct {
	Record uint64 // the last one of the log
	touched
}
