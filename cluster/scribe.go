package cluster

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
	"github.com/kindred-id/kindred/internal/backoff"
)

// A scribe writes commits into a partition under a claim of its own, before a deployment has nodes. One append is under way at a
// time, since an append that is lost between two others would be a gap.
type scribe struct {
	log       *kafka.Log
	partition int
	rules     uint64
	claim     int64
	seq       uint64
}

// claim claims a partition in the name of a command. An append whose outcome is unknown is not repeated: a first claim that lands
// late would void what was written under the second.
func claim(ctx context.Context, log *kafka.Log, partition int, d *Definition, name string, rules uint64) (*scribe, error) {
	at, err := appendTo(ctx, log, partition, journal.AppendClaim(nil, &journal.Claim{
		Deployment: d.Deployment, Shards: uint32(d.Shards), Node: name, Boot: rand.Uint64(),
		Written: control.Oldest, Readable: generation, Handlers: handlers, At: forPeople(),
	}))
	return &scribe{log: log, partition: partition, rules: rules, claim: at}, err
}

// forPeople is the time that records say.
func forPeople() int64 { return time.Now().UnixMilli() } //nolint:forbidigo // nothing depends on it

// commit writes the operations of a batch, in as many parts as they need.
func (s *scribe) commit(ctx context.Context, ops []byte, count uint32) error {
	d := s.next()
	d.Parts, d.Count = uint32((len(ops)+journal.PartBytes-1)/journal.PartBytes), count
	for len(ops) > 0 {
		n := min(len(ops), journal.PartBytes)
		d.Part++
		d.Ops, ops = ops[:n], ops[n:]
		if err := s.append(ctx, &d); err != nil {
			return err
		}
	}
	return nil
}

// define writes the definition of a deployment, and gives the claim up.
func (s *scribe) define(ctx context.Context, d *Definition) error {
	if err := s.commit(ctx, d.Ops, d.Count); err != nil {
		return err
	}
	seal := s.next()
	seal.Part, seal.Parts, seal.Sealed = 1, 1, true
	return s.append(ctx, &seal)
}

func (s *scribe) next() journal.Data {
	s.seq++
	return journal.Data{Claim: s.claim, Seq: s.seq, Rules: s.rules, Handlers: handlers, At: forPeople()}
}

const (
	scribeTries = 12 // of one append, of 10 s each where brokers do not answer
	scribePause = time.Second
)

// append appends a record, and repeats it where the outcome is unknown: of two that land, a fold drops the second one.
func (s *scribe) append(ctx context.Context, d *journal.Data) (err error) {
	encoded := journal.AppendData(nil, d)
	for range scribeTries {
		if _, err = appendTo(ctx, s.log, s.partition, encoded); err == nil || ctx.Err() != nil {
			return err
		}
		if ended := backoff.Sleep(ctx, scribePause); ended != nil {
			return err
		}
	}
	return err
}

// appendTo appends a record, and waits for the answer.
func appendTo(ctx context.Context, log *kafka.Log, partition int, value []byte) (int64, error) {
	type answer struct {
		offset int64
		err    error
	}
	done := make(chan answer, 1)
	log.Append(int32(partition), value, func(at int64, err error) { done <- answer{at, err} })
	select {
	case a := <-done:
		return a.offset, a.err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
