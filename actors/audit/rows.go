package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage/row"
)

// rowPass reads every row, and checks those that no other pass does, each alone.
type rowPass struct {
	*auditor
	fed map[graph.ShardID]uint64 // number of the last entry of the change feed
}

func newRowPass(a *auditor) *rowPass { return &rowPass{a, make(map[graph.ShardID]uint64)} }

func (p *rowPass) run(ctx context.Context) error {
	return p.each(ctx, []byte{0}, []byte{0xff}, p.check)
}

// check counts a row and hands it to the check of its kind. A key of no kind is counted as unknown: it can only be
// damage, or a row of a later version.
func (p *rowPass) check(key, value []byte) error {
	space, err := row.ParseKey(key)
	if err != nil {
		p.report.Rows["unknown"]++
		return err
	}
	p.report.Rows[space.String()]++
	p.report.Bytes += uint64(len(key) + len(value))
	switch space {
	case row.SpaceNode:
		return p.node(key, value)
	case row.SpaceTimeline:
		return p.block(key, value)
	case row.SpacePosition:
		return p.positions(key, value)
	case row.SpaceFeed:
		return p.feedBlock(key, value)
	case row.SpaceMeta, row.SpaceLog: // read before
		return nil
	}
	return row.Check(p.dec, key, value)
}

// node checks a node's row alone; what it says of other nodes is for hostingPass.
func (p *rowPass) node(key, value []byte) error {
	id, node, err := row.ParseNodeKey(key)
	if err != nil {
		return err
	}
	if err := p.belongs(node, id); err != nil {
		return err
	}
	n, applied, err := p.dec.Node(node, value)
	if err != nil {
		return err
	}
	if applied > p.ends[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", applied, p.ends[id])
	}
	if n.Mention != nil { // no identifier yet
		return nil
	}
	p.report.Identifiers++
	if n.Component == nil {
		p.forwards++
		return nil
	}
	p.report.Components++
	evidence := n.Component.Evidence()
	p.report.Links += uint64(len(evidence.Links))
	for i := range evidence.Members {
		if f := evidence.Members[i].Fragment; f != nil {
			p.report.Folded += f.Events
		}
	}
	at, found := slices.BinarySearchFunc(evidence.Members, node, func(m graph.Member, k graph.NodeKey) int { return k.Compare(m.Key) })
	if !found || !evidence.Members[at].Hosted {
		return errors.New("the root is not a hosted member of its own component")
	}
	return nil
}

// block checks a block of a timeline: it is in the shard of its node, counts no record that the log does not have, and
// holds events of that node only.
func (p *rowPass) block(key, value []byte) error {
	id, node, seq, err := row.ParseTimelineKey(key)
	if err != nil {
		return err
	}
	if err := p.belongs(node, id); err != nil {
		return err
	}
	if seq > p.ends[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", seq, p.ends[id])
	}
	data, err := row.Unpack(value)
	if err != nil {
		return err
	}
	return p.dec.Block(data, func(event []byte) error {
		e, err := p.inner.Event(event)
		if err != nil {
			return err
		}
		p.report.Events++
		if e.Route() != node {
			return fmt.Errorf("an event of node %s is in the timeline of another", e.Route())
		}
		return nil
	})
}

// positions checks a shard's row of positions in external channels.
func (p *rowPass) positions(key, value []byte) error {
	id, err := row.ParsePositionKey(key)
	if err != nil {
		return err
	}
	if err := p.shardExists(id); err != nil {
		return err
	}
	stored, err := row.ParsePositions(value)
	if err != nil {
		return err
	}
	if stored.Applied > p.ends[id] {
		return fmt.Errorf("it counts up to record %d of the log, which ends at %d", stored.Applied, p.ends[id])
	}
	return nil
}

// feedBlock checks a block of the change feed, and that it follows the one before.
func (p *rowPass) feedBlock(key, value []byte) error {
	id, _, err := row.ParseFeedKey(key)
	if err != nil {
		return err
	}
	if err := p.shardExists(id); err != nil {
		return err
	}
	b, number, err := p.dec.FeedRow(key, value)
	if err != nil {
		return err
	}
	before, seen := p.fed[id]
	p.fed[id] = number
	switch {
	case seen && b.First != before+1:
		return fmt.Errorf("entry %d follows %d: the feed has a gap", b.First, before)
	case b.Record > p.ends[id]:
		return fmt.Errorf("it was committed with record %d of the log, which ends at %d", b.Record, p.ends[id])
	}
	return nil
}
