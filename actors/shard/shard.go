package shard

import (
	"errors"
	"fmt"
	"slices"

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
//   - After an error, memory is ahead of the store by an unknown part of a step: the shard must be opened anew.
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
	channels  channels
	external  external
	ids       messageIDs
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
	// Flights counts the messages between the shards of a process; nil counts none.
	Flights *Flights
	// Observers follow what steps make of components, in this order.
	Observers []Observer
	// Between is called between the inputs of a step, and may be nil: then reads may run. They see the step half done.
	Between func()
}

// Limits bound what a shard holds. All are per shard.
type Limits struct {
	LogBytes   int64 // log that a recovery may have to replay
	ActorBytes int64 // resident nodes, components and actors
	FlushBytes int   // that one part of a Flush writes, about
}

// codec is what encodes and decodes for a shard, with memory that is used again.
type codec struct {
	enc  *row.Encoder
	dec  *row.Decoder
	body []byte // scratch
}

// Open recovers a shard from the store: its rows, and the log records after them.
func Open(c Config) (*Shard, error) {
	s := &Shard{config: c, codec: codec{enc: row.NewEncoder(), dec: row.NewDecoder()}}
	s.counting.shard = s
	s.observers = append(slices.Clone(c.Observers), &s.counting)
	s.channels = channels{id: c.ID, flights: c.Flights}
	s.residents = residents{id: c.ID, store: c.Store, host: c.Host, limit: c.Limits.ActorBytes, dec: s.codec.dec, channels: &s.channels}
	s.step.shard = s
	if err := s.recover(); err != nil {
		return nil, fmt.Errorf("recover shard %d: %w", c.ID, err)
	}
	return s, nil
}

// Step takes inputs and handles them. It reports whether there is something to commit; if not, the inputs were duplicates of
// what is durable already, and Committed may be called at once.
//
// An input whose handler fails is set aside, after what the step did was undone by a recovery. An error stops the shard.
func (s *Shard) Step(inputs []Input, now int64) (changed bool, err error) {
	for {
		err := s.take(inputs, now)
		if err == nil {
			return s.step.close()
		}
		if err := s.setAside(inputs, now, err); err != nil {
			return false, err
		}
	}
}

// take lets each input be handled: by the node that it is for, and what follows in this shard by the nodes after it.
func (s *Shard) take(inputs []Input, now int64) (err error) {
	t := &s.step
	t.begin(now, inputs)
	at := 0
	defer func() {
		if cause := recover(); cause != nil {
			err = &errPoison{at, fmt.Errorf("handler panicked: %v", cause)}
		}
	}()
	for at = range inputs {
		if s.config.Between != nil {
			s.config.Between()
		}
		r, m, err := t.accept(&inputs[at])
		for err == nil && m != nil {
			if r, err = t.handle(r, m); err == nil {
				t.collect(r, m)
				r, m, err = t.next()
			}
		}
		if errors.Is(err, graph.ErrCorrupt) || errors.Is(err, errUndecodable) {
			return &errPoison{at, err}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setAside undoes a step whose handler failed, and marks the input, so that the next try passes it over. Any other error it
// returns.
func (s *Shard) setAside(inputs []Input, now int64, err error) error {
	var poison *errPoison
	switch {
	case !errors.As(err, &poison):
		return err
	case !s.poisoned.allow(now):
		return fmt.Errorf("%w; the last one: %w", ErrTooMuchPoison, poison.cause)
	}
	inputs[poison.input].poison = poison.cause
	if err := s.recover(); err != nil {
		return fmt.Errorf("recover after a failed handler (%w): %w", poison.cause, err)
	}
	return nil
}

// Batch is what the step under way writes. It is valid until the next Step.
func (s *Shard) Batch() *storage.Batch { return &s.step.batch }

// Committed is called when the batch is durable. It returns what may leave the shard now: messages
// to other shards, with acknowledgements.
func (s *Shard) Committed(now int64) []Post {
	posts := s.channels.committed(now)
	s.external.committed()
	for _, o := range s.observers {
		o.Committed()
	}
	s.residents.passivate()
	return posts
}

// Acked notes how far another shard has taken this one's messages, and returns what may follow.
func (s *Shard) Acked(from graph.ShardID, seq uint64, now int64) []Post {
	return s.channels.acknowledged(from, seq, now)
}

// Tick resends what was not acknowledged for too long.
func (s *Shard) Tick(now int64) []Post { return s.channels.tick(now) }

// Sweep says whether everything is being judged again. While it is, evidence that moves is followed by a Recheck.
func (s *Shard) Sweep(on bool) { s.sweeping = on }

// Known takes the fingerprints of all nodes that have a row, gathered while the shard worked: from
// then on the store is not asked for nodes that were never seen.
func (s *Shard) Known(rows *hashset.Fingerprints) { s.residents.directory.gathered(rows) }

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

// errPoison says which input's handler failed.
type errPoison struct {
	input int
	cause error
}

func (e *errPoison) Error() string { return fmt.Sprintf("input %d: %v", e.input, e.cause) }
func (e *errPoison) Unwrap() error { return e.cause }

// errUndecodable marks a message that can't be read.
var errUndecodable = errors.New("message can't be read")

// ErrTooMuchPoison stops a shard whose handlers keep failing: that is a bug, not data.
var ErrTooMuchPoison = errors.New("more than 100 inputs a minute had to be set aside: this is a defect of Kindred; the shard stops before it does harm")

// poisonRate allows 100 inputs a minute to be set aside.
type poisonRate struct {
	minute int64
	count  int
}

func (p *poisonRate) allow(now int64) bool {
	if m := now / 60_000; m != p.minute {
		p.minute, p.count = m, 0
	}
	p.count++
	return p.count <= 100
}
