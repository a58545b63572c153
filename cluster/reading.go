package cluster

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/kindred-id/kindred/cluster/journal"
	"github.com/kindred-id/kindred/cluster/kafka"
)

// reading is a reader of a shard's log, on a goroutine of its own. It hands a batch of records to the replica, and reads on once
// the replica has taken them.
type reading struct{ stop context.CancelFunc }

// recordsOf yields the records of a partition in order, from an offset on until all below another one were read; a batch may go
// further. The last pair has the error that ends them early.
func recordsOf(ctx context.Context, log *kafka.Log, partition int32, from, to int64) iter.Seq2[kafka.Record, error] {
	return func(yield func(kafka.Record, error) bool) {
		reader, err := log.Follow(partition, from)
		if err != nil {
			yield(kafka.Record{}, err)
			return
		}
		defer reader.Close()
		for next := from; next < to; {
			batch, err := reader.Next(ctx)
			if err != nil {
				yield(kafka.Record{}, err)
				return
			}
			for _, r := range batch.Records {
				if !yield(r, nil) {
					return
				}
				next = r.Offset + 1
			}
		}
	}
}

// copyPatience bounds one try to begin a copy.
const copyPatience = 5 * time.Second

// read reads the log from an offset on, up to another one or, if that is -1, for good. It ends what was read before.
func (r *replica) read(from, to int64) {
	r.endReading()
	reader, err := r.node.log.Follow(partition(r.id), from)
	if err != nil {
		return // the node stops
	}
	ctx, stop := context.WithCancel(r.node.ctx)
	this := &reading{stop}
	r.reading = this
	r.node.tasks.Go(func() {
		defer reader.Close()
		for {
			batch, err := reader.Next(ctx)
			if ctx.Err() != nil {
				return
			}
			taken := make(chan struct{})
			r.mailbox.post(func() {
				defer close(taken)
				if r.reading == this {
					r.taken(batch, err)
				}
			})
			if err != nil || to >= 0 && batch.Records[len(batch.Records)-1].Offset >= to {
				return
			}
			select {
			case <-taken:
			case <-ctx.Done():
				return
			}
		}
	})
}

func (r *replica) endReading() {
	if r.reading != nil {
		r.reading.stop()
		r.reading = nil
	}
}

// taken takes what a reader has got.
func (r *replica) taken(batch kafka.Batch, err error) {
	defer r.publish()
	if err != nil {
		r.endReading()
		var trimmed *kafka.TrimmedError
		var short *kafka.ShortError
		switch {
		case errors.As(err, &trimmed):
			r.do(r.owner.Behind(r.now()))
		case errors.As(err, &short):
			r.do(r.owner.End(short.End, r.now()))
		default:
			r.node.logger.Warn("the journal of a shard is not read; it is tried again", "shard", r.id, "error", err)
		}
		return
	}
	var todo []journal.Do
	for i := range batch.Records {
		record, err := journal.Parse(batch.Records[i].Value)
		if err != nil {
			r.stopAt(err)
			return
		}
		todo = append(todo, r.owner.Read(batch.Records[i].Offset, &record, r.now())...)
	}
	if r.owner.Next() >= batch.End {
		todo = append(todo, r.owner.End(r.owner.Next(), r.now())...)
	}
	r.do(todo)
}
