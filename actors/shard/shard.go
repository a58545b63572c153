package shard

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

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

	Delivery any // whose it is: for the caller

	poison error // why it was set aside
}

// Shard is the shard that an input from outside is for.
func (in *Input) Shard(shards int) graph.ShardID {
	switch {
	case in.Event != nil:
		return in.Event.Route().Shard(shards)
	case in.Message != nil:
		return in.Message.To.Shard(shards)
	default:
		return in.From
	}
}

// Limits bound what a shard holds. All are per shard.
type Limits struct {
	LogBytes   int64 // log that a recovery may have to replay
	ActorBytes int64 // resident nodes, components and actors
	FlushBytes int   // that one part of a Flush writes, about
}

// Shard is the single writer of a slice of the key space. It is a state machine: Step takes inputs
// and prepares a commit, Batch is what to commit, Committed is called when that is durable. Between
// Step and Committed no other Step may come; reads may. It has no goroutine and no clock: times are
// ms since 1970, passed in.
//
// After an error its memory is not to be trusted: open the shard anew, from the store.
type Shard struct {
	id        graph.ShardID
	shards    int
	store     storage.Store
	rules     *graph.Rules
	limits    Limits
	host      Host
	flights   *Flights
	between   func()
	observers []Observer

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
	outboxes  []outbox // by shard
	counting  counting
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
	diff    graph.Diff // of the component that is being closed
	visit   Visit
	touched touched
	logged  []loggedEvent
	sending []sending
	epoch   uint64          // of the input being handled
	heard   []graph.ShardID // channels touched, to be acknowledged
	body    []byte          // scratch
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

// ErrTooMuchPoison stops a shard whose handlers keep failing: that is a bug, not data.
var ErrTooMuchPoison = errors.New("more than 100 inputs a minute had to be set aside: this is a defect of Kindred; the shard stops before it does harm")

// Config says what a shard runs on.
type Config struct {
	ID     graph.ShardID
	Shards int // of the deployment
	Store  storage.Store
	Rules  *graph.Rules
	Limits Limits
	Seen   dedupe.Limits
	Host   Host
	// Flights counts the messages between the shards of a process; nil counts none.
	Flights *Flights
	// Observers follow what steps make of components, in this order.
	Observers []Observer
	// Between is called between the inputs of a step, and may be nil: then reads may run. They see the step half done.
	Between func()
}

// Open recovers a shard from the store: its rows, and the log records after them.
func Open(c Config) (*Shard, error) {
	s := &Shard{
		id: c.ID, shards: c.Shards, store: c.Store, rules: c.Rules, limits: c.Limits, host: c.Host, flights: c.Flights, between: c.Between,
		enc: row.NewEncoder(), dec: row.NewDecoder(), seenLimits: c.Seen,
	}
	s.counting.shard = s
	s.observers = append(slices.Clone(c.Observers), &s.counting)
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("recover shard %d: %w", s.id, err)
	}
	return s, nil
}

// Sweep says whether everything is being judged again. While it is, evidence that moves is followed by a Recheck.
func (s *Shard) Sweep(on bool) { s.sweeping = on }

// Sweeping reports what Sweep said.
func (s *Shard) Sweeping() bool { return s.sweeping }

// Record is the number of the last log record.
func (s *Shard) Record() uint64 { return s.seq }

// Counters is what the shard has counted.
func (s *Shard) Counters() Counters { return s.counting.Counters }

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
			return false, fmt.Errorf("%w; the last one: %w", ErrTooMuchPoison, poison.cause)
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

// StepInputs is how many inputs a step may have at most.
const StepInputs = 512

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
	s.queue = s.queue[:0]
	s.logged, s.sending, s.heard = s.logged[:0], s.sending[:0], s.heard[:0]
	s.external.begin()
	s.forgetTouched()
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
		s.counting.Duplicates++
		return nil
	}
	s.seen.Add(e.Seen, s.now)
	*in.Outcome = Accepted
	s.counting.Accepted++
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
	s.addInput(SourceSkipped, in.Seq, s.body)
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
	if err := s.observed(r, m, false); err != nil {
		return err
	}
	if m.Kind == graph.KindRepoint {
		r.moved = 0 // it answers an event that went the way of the evidence, behind all of it
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
	return nil
}

// observed changes a node by a message, before the eyes of the observers.
func (s *Shard) observed(r *resident, m *graph.Message, replay bool) error {
	was := r.Component
	v := &s.visit
	*v = Visit{Node: &r.Node, Message: m, Replay: replay}
	s.place(r)
	for _, o := range s.observers {
		if err := o.Before(v); err != nil {
			return err
		}
	}
	if err := s.apply(r, m, &s.out); err != nil {
		return err
	}
	if was != nil && r.Component == nil && !replay { // its evidence leaves, and still is as it was
		s.changed(was)
	}
	v.Was, v.Out, v.First = was, &s.out, false
	s.place(r)
	for _, o := range s.observers {
		o.After(v)
	}
	if r.Component == nil {
		r.touched = 0
	}
	return nil
}

// place gives a root that the step touches for the first time its place.
func (s *Shard) place(r *resident) {
	if r.Component != nil && r.touched == 0 {
		s.touched = append(s.touched, r)
		r.touched = int32(len(s.touched))
		s.visit.First = true
	}
	s.visit.Place = int(r.touched) - 1
}

func (s *Shard) forgetTouched() {
	for _, r := range s.touched {
		r.touched = 0
	}
	clear(s.touched)
	s.touched = s.touched[:0]
}

// closeRoots ends the step, or the replay of the log, for the components that it touched: they are divided anew where they
// changed, and measured. What a replay made of identities was told when it was made.
func (s *Shard) closeRoots(replay bool) {
	for _, r := range s.touched {
		switch {
		case r.Component == nil: // it left, and that was told
			continue
		case replay:
			r.Component.Close(s.rules, &s.diff)
		default:
			s.changed(r.Component)
		}
		s.measure(r)
	}
}

// changed shows observers what the step made of the identities of a component.
func (s *Shard) changed(c *graph.Component) {
	if !c.Unclosed() {
		return
	}
	c.Close(s.rules, &s.diff)
	for _, o := range s.observers {
		o.Changed(&s.diff)
	}
}

// measure brings the estimate of a root's memory up to date, where it has grown or shrunk by much.
func (s *Shard) measure(r *resident) {
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
			s.start(r)
		}
	} else if err := s.host.Handle(r.actor, &r.Node, m, out); err != nil {
		return err
	}
	if r.Component == nil && r.actor != nil {
		s.stop(r)
		s.nodes.measure(r)
	}
	return nil
}

func (s *Shard) start(r *resident) { r.actor = s.host.Start(&r.Node) }

func (s *Shard) stop(r *resident) {
	s.host.Stop(r.actor)
	r.actor = nil
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
		s.start(r)
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
	n, applied, err := s.dec.GetNode(s.store, s.id, r.Key)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	r.Node, r.applied, r.handed = *n, applied, applied
	return true, nil
}

// touch notes that a node's row is about to lack this record.
func (s *Shard) touch(r *resident) {
	if r.dirtySince == 0 {
		r.dirtySince = s.seq + 1
		s.dirty.push(r)
	}
}
