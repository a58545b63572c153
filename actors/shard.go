package actors

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// Outcome is what became of an input from outside.
type Outcome uint8

// The outcomes. They are valid once the input's commit is durable.
const (
	Pending     Outcome = iota
	Accepted            // handled
	Duplicate           // its message id was taken before
	Quarantined         // its handler failed; it is kept aside with the reason
	OutOfTurn           // it is not the next of its external channel: nothing was done
)

// Input is one thing for a shard to take: an event, or another message, from outside, with Outcome; or
// a message of a channel between shards, with From and Seq. An event of an external channel has
// Channel, Prev and Seq; without an event, it sets the position of shard From to Seq.
type Input struct {
	Event   *graph.Event
	Message *graph.Message
	Tell    bool   // shard From is to tell what it noted, see notes
	Body    []byte // the event or the message, encoded
	Outcome *Outcome
	From    graph.ShardID
	Channel row.ChannelID
	Seq     uint64
	Epoch   uint64 // of a message of a channel, as its Wire has it
	Prev    int64

	delivery *Delivery
	poison   error // why it was set aside
}

// Limits bound what a shard holds. All are per shard.
type Limits struct {
	LogBytes   int64 // log that a recovery may have to replay
	ActorBytes int64 // resident nodes, components and actors
	FlushBytes int   // that one part of a Flush writes, about
}

// Counters count what a shard has committed since the deployment began.
type Counters struct {
	Accepted    uint64 // distinct events
	Duplicates  uint64
	Conflicting uint64 // events whose message id had another content before: events less ids
	Splits      uint64 // as they came about: in another order there may be others
	Generic     uint64
	Quarantined uint64
	Identities  int64 // that have at least one event
	Active      int64 // identifiers under which at least one event came in
}

// Shard is the single writer of a slice of the key space. It is a state machine: Step takes inputs
// and prepares a commit, Batch is what to commit, Committed is called when that is durable. Between
// Step and Committed no other Step may come; reads may. It has no goroutine and no clock: times are
// ms since 1970, passed in.
//
// After an error its memory is not to be trusted: open the shard anew, from the store.
type Shard struct {
	id      graph.ShardID
	shards  int
	store   storage.Store
	rules   *graph.Rules
	limits  Limits
	host    host
	flights *flights
	// between is called between the inputs of a step, may be nil: then reads may run. They see the step
	// half done.
	between func()

	enc        *row.Encoder
	dec        *row.Decoder
	seen       *dedupe.Memory
	ids        *dedupe.Memory // message ids that belong here, see notes
	notes      notes
	byShard    [][]uint64 // scratch of tellNotes
	seenLimits dedupe.Limits
	// known holds the nodes that were ever stored, as fingerprints: a new node costs no read. Until
	// it was gathered (nil) the store is asked, and fresh lists the nodes made meanwhile.
	known *hashset.Fingerprints
	fresh []graph.NodeKey

	nodes     nodeTable
	seq       uint64   // of the last record
	positions []uint64 // by shard: the last message taken
	external  external
	feed      *shardFeed // nil: the deployment has none
	outboxes  []outbox   // by shard
	counters  Counters
	log       logSpan
	dirty     dirtyQueue
	leaving   []*resident // what makeRoom has found, until it is durable
	poisoned  poisonRate
	// sweeping is set while everything is judged again: evidence that moves is followed by a Recheck, or
	// it could slip from where that is still to come to where it was before.
	sweeping bool

	// The step under way, until Committed.
	now     int64
	record  row.RecordWriter
	begun   bool // the record holds something
	batch   storage.Batch
	queue   []graph.Message // to nodes of this shard
	outside graph.Message   // being handled: from outside the shard
	local   graph.Message   // being handled: from the queue
	out     graph.Outbox
	changes []graph.Change
	open    []*resident // large components that the step changed, to be closed with it
	logged  []loggedEvent
	sending []sending
	epoch   uint64          // of the input being handled
	heard   []graph.ShardID // channels touched, to be acknowledged
	body    []byte          // scratch
	key     []byte          // scratch
	packed  []byte          // scratch
}

// loggedEvent is where an event of this step stands in the record, for its node's timeline.
type loggedEvent struct {
	r          *resident
	start, end int
}

// sending is where a message of this step stands in the record.
type sending struct {
	to         graph.ShardID
	seq        uint64
	start, end int
	epoch      uint64
}

// errPoison says which input's handler failed.
type errPoison struct {
	input int
	cause error
}

func (e *errPoison) Error() string { return fmt.Sprintf("input %d: %v", e.input, e.cause) }
func (e *errPoison) Unwrap() error { return e.cause }

// errTooMuchPoison stops a shard whose handlers keep failing: that is a bug, not data.
var errTooMuchPoison = errors.New("more than 100 inputs a minute had to be set aside: this is a defect of Kindred; the shard stops before it does harm")

// OpenShard recovers a shard from the store: its rows, and the log records after them.
func OpenShard(id graph.ShardID, shards int, store storage.Store, seen dedupe.Limits, rules *graph.Rules, limits Limits, feed *feedOutput, h host, f *flights) (*Shard, error) {
	s := &Shard{
		id: id, shards: shards, store: store, rules: rules, limits: limits, host: h, flights: f,
		enc: row.NewEncoder(), dec: row.NewDecoder(), seenLimits: seen,
	}
	if feed != nil {
		s.feed = &shardFeed{shared: feed, sweeping: feed.sweeping}
	}
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("recover shard %d: %w", id, err)
	}
	return s, nil
}

// Sweep says whether everything is being judged again. See Engine.Recheck.
func (s *Shard) Sweep(on bool) { s.sweeping = on }

// Counters is what the shard has counted.
func (s *Shard) Counters() Counters { return s.counters }

// ActorBytes is the memory of the shard's residents, by estimate.
func (s *Shard) ActorBytes() int64 { return s.nodes.bytes }

// Residents is how many nodes are in memory.
func (s *Shard) Residents() int { return len(s.nodes.ring) }

// LogBytes is the size of the log that a recovery would replay.
func (s *Shard) LogBytes() int64 { return s.log.bytes }

// Step takes inputs and handles them. It returns whether there is something to commit; if not, the
// inputs were duplicates of what is durable already, and Committed may be called at once.
//
// An input whose handler fails is set aside, after what the step did was undone by a recovery.
// An error stops the shard.
func (s *Shard) Step(inputs []Input, now int64) (bool, error) {
	for {
		err := s.try(inputs, now)
		var poison *errPoison
		switch {
		case err == nil:
			return s.prepare()
		case !errors.As(err, &poison):
			return false, err
		case !s.poisoned.allow(now):
			return false, fmt.Errorf("%w; the last one: %w", errTooMuchPoison, poison.cause)
		}
		inputs[poison.input].poison = poison.cause
		if err := s.recover(); err != nil {
			return false, fmt.Errorf("recover after a failed handler (%w): %w", poison.cause, err)
		}
	}
}

func (s *Shard) try(inputs []Input, now int64) (err error) {
	size := recordRoom
	for i := range inputs {
		size += len(inputs[i].Body) + recordRoomEach
	}
	s.begin(now, size)
	at := 0
	defer func() {
		if cause := recover(); cause != nil {
			err = &errPoison{at, fmt.Errorf("handler panicked: %v", cause)}
		}
	}()
	for at = range inputs {
		if s.between != nil {
			s.between()
		}
		if err := s.take(&inputs[at]); err != nil {
			if errors.Is(err, graph.ErrCorrupt) || errors.Is(err, errUndecodable) {
				return &errPoison{at, err}
			}
			return err
		}
	}
	return nil
}

// Room in a record beside its inputs: for what they send. A record that needs more grows.
const (
	recordRoom     = 512
	recordRoomEach = 64
)

// batchShare is the part of the log limit that the memory of a batch may take while the shard is at rest.
const batchShare = 2

// begin starts a step whose record will take about size bytes. The record gets memory of its own:
// timelines and outboxes keep slices of it.
func (s *Shard) begin(now int64, size int) {
	s.now = now
	s.record.Reset(make([]byte, 0, size), s.seq+1, now)
	s.begun, s.notes.now = false, false
	s.batch.ResetTo(int(s.limits.LogBytes / batchShare))
	s.queue, s.changes = s.queue[:0], nil
	clear(s.open)
	s.open = s.open[:0]
	s.logged, s.sending, s.heard = s.logged[:0], s.sending[:0], s.heard[:0]
	s.external.begin()
	if s.feed != nil {
		s.feed.begin()
	}
}

// errUndecodable marks a message that can't be read.
var errUndecodable = errors.New("message can't be read")

func (s *Shard) take(in *Input) error {
	s.epoch = in.Epoch
	switch {
	case in.Outcome == nil:
		return s.takeMessage(in)
	case in.Channel != 0 && !s.inTurn(in):
		return nil
	case in.poison != nil:
		*in.Outcome = Quarantined
		s.quarantine(in)
		return nil
	case in.Event != nil:
		return s.takeEvent(in)
	case in.Tell:
		*in.Outcome = Accepted
		s.notes.now = true
		return nil
	default:
		*in.Outcome = Accepted
		s.addInput(row.ExternalMessage, 0, in.Body)
		s.outside = *in.Message
		return s.handleAll(nil, &s.outside)
	}
}

// takeEvent takes an event from outside, once. Its memory is here, in the shard of its route,
// before anything is passed on.
func (s *Shard) takeEvent(in *Input) error {
	e := in.Event
	known, err := s.seen.Has(e.Seen)
	if err == nil && !known && e.Former != 0 {
		known, err = s.seen.Has(e.Former)
	}
	if err != nil {
		return err
	}
	if known {
		*in.Outcome = Duplicate
		s.counters.Duplicates++
		return nil
	}
	s.seen.Add(e.Seen, s.now)
	*in.Outcome = Accepted
	s.counters.Accepted++
	s.note(e, s.seq+1, len(in.Body))
	start, end := s.addInput(row.ExternalInput, 0, in.Body)
	r, err := s.node(e.Route())
	if err != nil {
		return err
	}
	s.touch(r)
	s.logged = append(s.logged, loggedEvent{r, start, end})
	s.outside = graph.Message{Kind: graph.KindObserve, To: e.Route(), Event: e}
	return s.handleAll(r, &s.outside)
}

// takeMessage takes a message of another shard if it is the next one (A3).
func (s *Shard) takeMessage(in *Input) error {
	s.hear(in.From)
	if taken := s.positions[in.From]; in.Seq != taken+1 {
		return nil
	}
	s.positions[in.From] = in.Seq
	if in.poison != nil {
		s.quarantine(in)
		return nil
	}
	if row.AreNotes(in.Body) {
		return s.takeNotes(in)
	}
	if err := s.dec.MessageInto(in.Body, &s.outside); err != nil {
		return fmt.Errorf("%w: %w", errUndecodable, err)
	}
	ahead, err := s.ahead(&s.outside)
	if err != nil {
		return err
	}
	if ahead {
		s.skip(in)
		return nil
	}
	s.addInput(uint16(in.From), in.Seq, in.Body)
	return s.handleAll(nil, &s.outside)
}

// ahead tells whether a Repoint answers an event that passed its forward ahead of evidence, or in the same record: the
// evidence may still be on its way along forwards that the Repoint leaves out, and who looked up would miss it (A10). It is
// not taken then; another follows the next event. It is decided once: a log has what was taken.
func (s *Shard) ahead(m *graph.Message) (bool, error) {
	if m.Kind != graph.KindRepoint {
		return false, nil
	}
	r, err := s.node(m.To)
	return err == nil && !r.Parent.IsZero() && m.Passed <= r.handed, err
}

// skip notes that a message was passed over.
func (s *Shard) skip(in *Input) {
	s.body = binary.AppendUvarint(s.body[:0], uint64(in.From))
	s.addInput(sourceSkipped, in.Seq, s.body)
}

// hear notes that a channel was touched, so that it is acknowledged, taken or not.
func (s *Shard) hear(from graph.ShardID) {
	for _, h := range s.heard {
		if h == from {
			return
		}
	}
	s.heard = append(s.heard, from)
}

func (s *Shard) addInput(source uint16, seq uint64, body []byte) (start, end int) {
	s.begun = true
	return s.record.AddInput(source, seq, body)
}

// handleAll hands a message to its node r, and then what follows from it to nodes of this shard. Where
// r is nil it is looked up.
func (s *Shard) handleAll(r *resident, m *graph.Message) error {
	if err := s.handle(r, m); err != nil {
		return err
	}
	for i := 0; i < len(s.queue); i++ {
		s.local = s.queue[i] // the queue may move while the message is handled
		if ahead, err := s.ahead(&s.local); err != nil {
			return err
		} else if ahead {
			continue
		}
		s.body = s.enc.Message(s.body[:0], &s.local)
		s.addInput(uint16(s.id), 0, s.body)
		if err := s.handle(nil, &s.local); err != nil {
			return err
		}
	}
	clear(s.queue)
	s.queue = s.queue[:0]
	return nil
}

// handle hands a message to its node and takes in what follows.
func (s *Shard) handle(r *resident, m *graph.Message) (err error) {
	if r == nil {
		if r, err = s.node(m.To); err != nil {
			return err
		}
	}
	s.touch(r)
	s.out.Reset()
	component := r.Component
	if s.feed != nil {
		if err := s.feedBefore(r, m); err != nil {
			return err
		}
	}
	if err := s.apply(r, m, &s.out); err != nil {
		return err
	}
	if m.Kind == graph.KindRepoint {
		r.moved = 0 // it answers an event that went the way of the evidence, behind all of it
	}
	if s.feed != nil {
		s.feedAfter(r, component)
	}
	for i := range s.out.Messages {
		if next := &s.out.Messages[i]; next.Kind == graph.KindObserve && m.Via.IsZero() {
			next.Passed = s.seq + 1 // r is its Via
		}
		s.send(&s.out.Messages[i])
	}
	moved := r.handsOn(&s.out)
	if moved {
		r.moved, r.handed = s.outboxes[r.Parent.Shard(s.shards)].sent, s.seq+1
	}
	if moved && s.sweeping {
		s.send(&graph.Message{Kind: graph.KindRecheck, To: r.Parent})
	}
	s.tell()
	return nil
}

// tell counts the changes in the outbox, and keeps them for when the step is durable.
func (s *Shard) tell() {
	for i := range s.out.Changes {
		switch s.out.Changes[i].Kind {
		case graph.ChangeSplit:
			s.counters.Splits++
		case graph.ChangeGeneric:
			s.counters.Generic++
		}
	}
	s.changes = append(s.changes, s.out.Changes...)
}

// closeOpen ends the step for large components: they are divided anew once, tell what became of identities, and
// are measured.
func (s *Shard) closeOpen() {
	for _, r := range s.open {
		r.open = false
		if r.Component == nil {
			continue // it left, and told that
		}
		s.out.Reset()
		r.Component.Close(s.rules, &s.out)
		s.tell()
		s.count(r)
	}
	clear(s.open)
	s.open = s.open[:0]
}

// count brings what is counted and measured of a node up to date.
func (s *Shard) count(r *resident) {
	identities := r.Component.Identities(s.rules)
	s.counters.Identities += int64(identities - r.Counted)
	r.Counted = identities
	active := r.Component.Active()
	s.counters.Active += int64(active - r.active)
	r.active = active
	if n := r.Component.Breadth(); n != r.evidence && r.Component.Outgrew(r.evidence) {
		r.evidence = n
		s.nodes.measure(r)
	}
}

// apply changes a node by a message. Roots are changed by their identity actors; a node that was
// never seen and becomes a root gets its actor first.
func (s *Shard) apply(r *resident, m *graph.Message, out *graph.Outbox) error {
	if r.Component == nil {
		unseen := r.Parent.IsZero()
		if err := r.Handle(m, s.rules, out); err != nil {
			return err
		}
		if unseen && r.Component != nil {
			s.host.start(r)
		}
	} else if err := s.host.handle(r, m, out); err != nil {
		return err
	}
	switch {
	case r.Component != nil && r.Component.Unclosed():
		if !r.open {
			r.open = true
			s.open = append(s.open, r)
		}
		return nil
	case r.Component != nil:
		s.count(r)
		return nil
	case r.actor != nil || r.size > 0:
		s.host.stop(r)
		s.nodes.measure(r)
	}
	s.counters.Identities -= int64(r.Counted)
	s.counters.Active -= int64(r.active)
	r.Counted, r.active = 0, 0
	return nil
}

// send queues a message to a node of this shard, or numbers one to another shard.
func (s *Shard) send(m *graph.Message) {
	to := m.To.Shard(s.shards)
	if to == s.id {
		s.queue = append(s.queue, *m)
		return
	}
	s.begun = true
	s.body = s.enc.Message(s.body[:0], m)
	o := &s.outboxes[to]
	o.sent++
	start, end := s.record.AddOutput(uint16(to), o.sent, s.body)
	s.sending = append(s.sending, sending{to, o.sent, start, end, s.epoch})
}

// node finds a node, in memory or in the store; one that was never seen is made.
func (s *Shard) node(key graph.NodeKey) (*resident, error) {
	if r := s.nodes.get(key); r != nil {
		r.used = true
		return r, nil
	}
	r := &resident{Node: graph.Node{Key: key}, used: true}
	stored, err := s.load(r)
	if err != nil {
		return nil, err
	}
	switch {
	case stored:
	case s.known != nil:
		s.known.Add(key)
	default:
		s.fresh = append(s.fresh, key)
	}
	s.nodes.add(r)
	if r.Component != nil {
		s.host.start(r)
		r.evidence = r.Component.Breadth()
	}
	return r, nil
}

// peek finds a node without making one; nil when it was never seen.
func (s *Shard) peek(key graph.NodeKey) (*resident, error) {
	if r := s.nodes.get(key); r == nil {
		stored, err := s.load(&resident{Node: graph.Node{Key: key}})
		if err != nil || !stored {
			return nil, err
		}
	}
	return s.node(key)
}

// load reads a node's row, if it has one.
func (s *Shard) load(r *resident) (bool, error) {
	if s.known != nil && !s.known.Has(r.Key) {
		return false, nil
	}
	s.key = row.AppendNodeKey(s.key[:0], s.id, r.Key)
	encoded, err := s.store.Get(nil, s.key)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	n, applied, err := s.dec.Node(r.Key, encoded)
	if err != nil {
		return false, fmt.Errorf("row of node %s: %w", r.Key, err)
	}
	r.Node, r.applied, r.handed = *n, applied, applied
	if r.Component != nil {
		r.active = r.Component.Active()
	}
	return true, nil
}

// touch notes that a node's row is about to lack this record.
func (s *Shard) touch(r *resident) {
	if r.dirtySince == 0 {
		r.dirtySince = s.seq + 1
		s.dirty.push(r)
	}
}
