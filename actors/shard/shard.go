package shard

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/dedupe"
	"github.com/kindred-id/kindred/storage/hashset"
	"github.com/kindred-id/kindred/storage/row"
)

// Shard is the single writer of a slice of the key space. It takes inputs, lets the nodes that they are for handle them, and
// prepares one commit with everything that follows. It is a deterministic state machine: it has no goroutine, no lock
// and no clock; times are ms since 1970 and passed in.
//
//	Step ──► Batch is committed ──► Committed ──► Step ──► …
//	  └─ nothing changed ───────────────┘
//
// Invariants:
//   - A1: nothing that a step brings about leaves the shard before Committed: no answer, no acknowledgement, no message.
//   - A2: the record of a step holds all that its nodes took and all that they sent, so that memory can be built again from
//     rows and records.
//   - A6: memory is ahead of the store by one step at most. Reads may come between Step and Committed, another Step may not.
//   - After an error, memory is ahead of the store by an unknown part of a step: the shard must be closed and opened anew.
//   - A12: at most one process has a shard open, and it opens the shard only once no batch of an earlier opening is on its
//     way to the store. Nor are rows of another process written there before: such a batch would land on them. An input that
//     the shard did not answer before it was closed is answered Elsewhere, whatever became of its batch, so that its sender
//     sends it again.
//
// They force the order of a step: accept every input, let nodes handle it, collect what they send, close the record once. A
// handler that fails in the middle has changed nodes already, so the whole step is undone by a recovery, and done again
// without the input that failed.
//
// The obvious design, a transaction for each input, would sync for each input; and an undo log of nodes would have to know
// each field that a handler changes, which a recovery does not.
type Shard struct {
	config    Config
	codec     codec
	observers []Observer
	counting  counting
	residents residents
	pending   pending
	channels  channels
	external  external
	ids       messageIDs
	marking   marking
	groups    groups
	telling   telling
	log       logSpan
	step      step
	poisoned  poisonRate
	// sweeping is set while everything is judged again: evidence that moves is followed by a Recheck, or
	// it could slip from where that is still to come to where it was before.
	sweeping bool
}

// Config says what a shard runs on.
type Config struct {
	ID     graph.ShardID
	Shards int // of the deployment
	Store  storage.Store
	Rules  *graph.Rules
	Limits Limits
	Seen   dedupe.Limits
	Host   Host
	// Transit counts the messages between the shards of a process; nil counts none.
	Transit *Transit
	// Buffers is where the memory of records, batches and pending events comes from; nil is the allocator.
	Buffers *storage.Buffers
	// Channels are the external channels that are open; nil if all are.
	Channels *OpenChannels
	// Observers follow what steps make of components, in this order.
	Observers []Observer
	// Definitions are those by which events are marked, in the newest version that the process knows; nil if there are none.
	Definitions *signals.Definitions
	// Live are the audiences that serve; nil if none ever did.
	Live *audiences.Live
	// Due is where the shard says when a root is to be evaluated next because of the time, ms since 1970. It may be nil.
	Due *atomic.Int64
	// Between is called between the inputs of a step, and may be nil: then reads may run. They see the step half done.
	Between func()
}

// Limits bound what a shard holds. All are per shard.
type Limits struct {
	LogBytes   int64 // log that a recovery may have to replay
	ActorBytes int64 // resident nodes, components and actors
	FlushBytes int   // that one part of a Flush writes, about
	FillEvents int   // that one part of a fill reads, about; 0 is 1,024
}

// codec is what encodes and decodes for a shard, with memory that is used again.
type codec struct {
	enc *row.Encoder
	dec *row.Decoder
	// The following are scratch.
	body   []byte
	events [][]byte
}

// Open recovers a shard from the store: its rows, and the log records after them.
func Open(c Config) (*Shard, error) {
	s := &Shard{config: c, codec: codec{enc: row.NewEncoder(), dec: row.NewDecoder()}}
	s.counting.shard = s
	s.observe(c.Observers)
	s.channels = channels{id: c.ID, transit: c.Transit}
	s.residents = residents{id: c.ID, store: c.Store, host: c.Host, limit: c.Limits.ActorBytes, dec: s.codec.dec, channels: &s.channels}
	s.groups = groups{id: c.ID, store: c.Store}
	s.pending = newPending(&c)
	s.marking.definitions = c.Definitions
	s.telling.shard, s.telling.next = s, c.Live
	s.step.shard = s
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("recover shard %d: %w", c.ID, err)
	}
	return s, nil
}

func (s *Shard) observe(observers []Observer) {
	s.observers = append(slices.Clone(observers), &s.counting)
}

// ChangeRules lets the shard judge by other rules, with other observers, as if it were opened anew. It fails if there is anything
// left that was decided under the rules before: a record that rows lack would be replayed under the new ones (N5), and a message
// under way would arrive where those are in force.
//
// REQUIRES: no step is under way
func (s *Shard) ChangeRules(rules *graph.Rules, host Host, observers []Observer) error {
	if s.residents.dirty.head() != nil || s.channels.waiting() > 0 {
		return fmt.Errorf("shard %d still has what was decided under the rules %q, and %q are to follow: flush it first", s.config.ID, s.config.Rules.Name, rules.Name)
	}
	s.residents.clear()
	s.config.Rules, s.config.Host, s.residents.host = rules, host, host
	s.observe(observers)
	for _, o := range observers {
		if err := o.Recover(&Recovery{Record: s.log.last()}); err != nil {
			return fmt.Errorf("shard %d: %w", s.config.ID, err)
		}
	}
	return nil
}

// Close drops the memory of the shard and ends its actors. Its messages in transit stay counted until the shard
// is opened again: the messages are in the log, and arrive then. Callers that wait for one of them are told ErrLost.
//
// It may be called at any moment between two calls, with a batch on its way to the store, too. The shard is not used again.
func (s *Shard) Close() {
	s.residents.clear()
	s.pending.forget()
	for i := range s.channels.outboxes {
		s.channels.outboxes[i].abandon(s.config.ID)
	}
}

// Refuse answers inputs that a shard did not take, or took and was closed before it could answer: Elsewhere.
func Refuse(inputs []Input) {
	for i := range inputs {
		if inputs[i].Outcome != nil {
			*inputs[i].Outcome = Elsewhere
		}
	}
}

// Acked notes how far another shard has taken this one's messages, and returns what may follow.
func (s *Shard) Acked(from graph.ShardID, seq uint64, now int64) []Post {
	return s.channels.acknowledged(from, seq, now)
}

// Tick resends what was not acknowledged for too long.
func (s *Shard) Tick(now int64) []Post { return s.channels.tick(now) }

// Sweep sets whether a sweep judges everything again. While it is, evidence that moves is followed by a Recheck.
func (s *Shard) Sweep(on bool) { s.sweeping = on }

// Limits are what the shard may hold.
func (s *Shard) Limits() Limits { return s.config.Limits }

// Limit changes what the shard may hold, from the next step on.
func (s *Shard) Limit(l Limits, seen dedupe.Limits) {
	s.config.Limits, s.config.Seen, s.residents.limit = l, seen, l.ActorBytes
	s.ids.limit(seen.Bytes)
}

// TakeIndex takes the fingerprints of all nodes that have a row, gathered while the shard worked: from then on a node that
// was never seen costs no read of the store. The shard owns rows from here on, and adds the nodes that it makes.
func (s *Shard) TakeIndex(rows *hashset.Fingerprints) { s.residents.index.gathered(rows) }

// Stats is what a shard holds and has done.
type Stats struct {
	Counters
	Record     uint64 // number of the last log record
	Residents  int    // nodes in memory
	ActorBytes int64  // their memory, by estimate
	LogBytes   int64  // log that a recovery would replay
	Waiting    int    // messages to other shards that are not acknowledged
}

// Stats tells what the shard holds and has done.
func (s *Shard) Stats() Stats {
	return Stats{
		Counters: s.counting.Counters, Record: s.log.last(), Residents: len(s.residents.ring), ActorBytes: s.residents.bytes,
		LogBytes: s.log.bytes, Waiting: s.channels.waiting(),
	}
}

// ErrLost is returned to callers who wait for a shard that this process does not have, or no longer.
var ErrLost = errors.New("shard: not with this process, or stopped by a failure; see the log, and start again")
