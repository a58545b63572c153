package audit

import (
	"context"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// pendingPass reads the log again, and notes the nodes of messages that no row counts yet: inputs newer than the row of
// their node, and outputs that were not taken. It reports nothing: logPass has.
type pendingPass struct {
	*auditor
	applied map[graph.NodeKey]uint64 // up to which record a node's row counts; of nodes in the log
}

func newPendingPass(a *auditor) *pendingPass { return &pendingPass{a, make(map[graph.NodeKey]uint64)} }

// run reads each record again. An input is pending if it is newer than the row of its node, and an output if its shard
// has not taken it. Unreadable rows are passed over: logPass has reported them.
func (p *pendingPass) run(ctx context.Context) error {
	return p.eachOf(ctx, row.SpaceLog, func(key, value []byte) error {
		id, number, err := row.ParseLogKey(key)
		if err != nil {
			return nil
		}
		data, err := row.Unpack(value)
		if err != nil {
			return nil
		}
		record, err := p.dec.Record(data)
		if err != nil {
			return nil
		}
		for i := range record.Inputs {
			if m := p.message(&record.Inputs[i]); m != nil && p.counted(m.To) < number {
				p.moves(m)
			}
		}
		for _, out := range record.Outputs {
			if out.Seq <= p.taken[channel{id, graph.ShardID(out.To)}] {
				continue
			}
			if m, err := p.inner.Message(out.Body); err == nil {
				p.moves(m)
			}
		}
		return nil
	})
}

// message is what an input of the log asks of a node; nil if it asks nothing of any.
func (p *pendingPass) message(in *row.Input) *graph.Message {
	e, err := shard.ParseInput(in, p.inner, p.shards)
	switch {
	case err != nil:
		return nil
	case e.Kind == shard.EntryEvent:
		return &graph.Message{Kind: graph.KindObserve, To: e.Event.Route(), Event: e.Event}
	case e.Message != nil && e.Message.Kind == graph.KindGroup: // its rows are written with the record (A13)
		return nil
	default:
		return e.Message
	}
}

// counted is the log record up to which a node's row counts; 0 when it has none. An unreadable row counts as none: its
// node is then left out of what later passes compare, and rowPass reports it.
func (p *pendingPass) counted(node graph.NodeKey) uint64 {
	applied, known := p.applied[node]
	if !known {
		if stored, err := p.store.Get(nil, row.AppendNodeKey(nil, node.Shard(p.shards), node)); err == nil {
			_, applied, _ = row.NewDecoder().Node(node, stored)
		}
		p.applied[node] = applied
	}
	return applied
}

// moves notes every node that a message speaks of: where it goes, and all that it may change the rows of. The zero key,
// of fields that a kind does not use, is noted as well, and is no node.
func (p *pendingPass) moves(m *graph.Message) {
	for _, key := range []graph.NodeKey{m.To, m.Root, m.Via, m.Node.Key, m.Neighbour.Key} {
		p.moving[key] = struct{}{}
	}
	if m.Event != nil {
		for i := range m.Event.Identifiers {
			p.moving[m.Event.Identifiers[i].Key] = struct{}{}
		}
		for i := range m.Event.Mentions {
			p.moving[m.Event.Mentions[i].Key] = struct{}{}
		}
	}
	if m.Evidence != nil {
		for i := range m.Evidence.Members {
			p.moving[m.Evidence.Members[i].Key] = struct{}{}
		}
	}
	if m.Assertion != nil {
		p.moving[m.Assertion.A.Key] = struct{}{}
		p.moving[m.Assertion.B.Key] = struct{}{}
	}
}
