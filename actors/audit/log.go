package audit

import (
	"context"
	"fmt"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// logPass reads the records that are kept, as a recovery does: each must follow the one before, and all that it holds must be
// for the shard that it names.
type logPass struct{ *auditor }

// run checks that the records of each shard follow each other without a gap, from the first that truncation left to at
// least the last that a row counts: rows and records are committed in one batch, so a row can't be ahead of its log.
func (p logPass) run(ctx context.Context) error {
	orders := make(map[graph.ShardID]*shard.LogOrder)
	for id, meta := range p.metas {
		orders[id] = &shard.LogOrder{Last: meta.Low - 1}
	}
	err := p.eachOf(ctx, row.SpaceLog, func(key, value []byte) error {
		id, number, err := row.ParseLogKey(key)
		if err != nil {
			return err
		}
		if err := p.shardExists(id); err != nil {
			return err
		}
		order := orders[id]
		if order == nil {
			order = new(shard.LogOrder)
			orders[id] = order
		}
		if err := order.Follow(number); err != nil {
			return err
		}
		p.report.LogRecords++
		data, err := row.Unpack(value)
		if err != nil {
			return err
		}
		return p.record(id, number, data)
	})
	for id, order := range orders {
		p.ends[id] = order.Last
		if meta := p.metas[id]; order.Last < meta.Applied {
			p.problem("log", id, nil, fmt.Errorf("it ends at record %d, and the rows count up to %d", order.Last, meta.Applied))
		}
	}
	return err
}

// record checks one record: its own number, and that each input and output is for the shard that it names. A message
// in the wrong log would be handled by a node that does not exist there.
func (p logPass) record(id graph.ShardID, number uint64, data []byte) error {
	record, err := p.dec.Record(data)
	if err != nil {
		return err
	}
	if record.Seq != number {
		return fmt.Errorf("it says that it is record %d", record.Seq)
	}
	for i := range record.Inputs {
		if err := p.input(id, &record.Inputs[i]); err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
	}
	for i, out := range record.Outputs {
		if int(out.To) >= p.shards {
			return fmt.Errorf("output %d: to shard %d of %d", i, out.To, p.shards)
		}
		if row.AreNotes(out.Body) {
			if err := p.notes(out.Body, graph.ShardID(out.To)); err != nil {
				return fmt.Errorf("output %d: %w", i, err)
			}
			continue
		}
		m, err := p.inner.Message(out.Body)
		if err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
		if err := p.belongs(m.To, graph.ShardID(out.To)); err != nil {
			return fmt.Errorf("output %d: to shard %d: %w", i, out.To, err)
		}
	}
	for _, ack := range record.Acks {
		if int(ack.To) >= p.shards {
			return fmt.Errorf("acknowledgement of shard %d of %d", ack.To, p.shards)
		}
	}
	return nil
}

// input checks one input of a record, by its kind, and notes how far the shard has taken the messages of others: what
// they have sent beyond that is still to be sent again.
func (p logPass) input(id graph.ShardID, in *row.Input) error {
	e, err := shard.ParseInput(in, p.inner, p.shards)
	if err != nil {
		return err
	}
	switch e.Kind {
	case shard.EntryEvent:
		p.report.LogEvents++
		return p.belongs(e.Event.Route(), id)
	case shard.EntrySkipped:
		p.took(e.From, id, e.Seq)
	case shard.EntryNotes:
		p.took(e.From, id, e.Seq)
		return p.notes(in.Body, id)
	case shard.EntryMessage:
		if !e.Outside {
			p.took(e.From, id, e.Seq)
		}
		return p.belongs(e.Message.To, id)
	case shard.EntryObserver:
		return new(shard.Counters).Decode(in.Body) // of the only observer that there is
	case shard.EntryPosition, shard.EntryTold: // parsing them has checked them
	}
	return nil
}

// notes checks that ids were told to the shard that they belong to.
func (p logPass) notes(body []byte, to graph.ShardID) error {
	return row.Notes(body, func(h uint64) error {
		if want := graph.ShardID(h % uint64(p.shards)); want != to {
			return fmt.Errorf("note to shard %d of an id that belongs to shard %d", to, want)
		}
		return nil
	})
}
