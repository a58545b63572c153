package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// groupsPass compares groups with their members: both are written in one batch, so they agree at any moment.
type groupsPass struct {
	*auditor
	group, groups uint64 // rows of groups, and groups that have rows of members

	// of the group whose members are being read
	shard graph.ShardID
	key   graph.NodeKey
	sum   graph.Group
}

// run reads the members of each group, which are adjacent, and compares their sum with the group. A group without members
// is found by the count alone.
func (p *groupsPass) run(ctx context.Context) error {
	if err := p.eachOf(ctx, row.SpaceMember, p.member); err != nil {
		return err
	}
	p.end()
	if err := p.eachOf(ctx, row.SpaceGroup, p.row); err != nil {
		return err
	}
	if p.group != p.groups {
		p.problem(row.SpaceGroup.String(), 0, nil, fmt.Errorf("there are %d groups, and %d of them have members", p.group, p.groups))
	}
	return nil
}

// row checks that a group is in the shard of its key.
func (p *groupsPass) row(key, _ []byte) error {
	id, group, err := row.ParseGroupKey(key)
	if err != nil {
		return nil // rowPass has reported it
	}
	p.group++
	return p.belongs(group, id)
}

// member adds a member to the sum of its group.
func (p *groupsPass) member(key, value []byte) error {
	id, group, m, err := row.ParseMember(key, value)
	if err != nil {
		return nil // rowPass has reported it
	}
	if group != p.key || id != p.shard {
		p.end()
		p.shard, p.key, p.sum = id, group, graph.Group{First: m.First, Last: m.Last}
	}
	p.sum.First, p.sum.Last = min(p.sum.First, m.First), max(p.sum.Last, m.Last)
	p.sum.Events += m.Events
	p.sum.Members++
	return errors.Join(p.belongs(group, id), p.known(m.Member))
}

// known reports an error unless a member is a node: events name it, which its row counts or the log still holds.
func (p *groupsPass) known(route graph.NodeKey) error {
	_, err := p.store.Get(nil, row.AppendNodeKey(nil, route.Shard(p.shards), route))
	if errors.Is(err, storage.ErrNotFound) && !p.isMoving(route) {
		return fmt.Errorf("member %s is no node", route)
	}
	return nil
}

// end reports the group whose members were read, unless it is their sum.
func (p *groupsPass) end() {
	if p.key.IsZero() {
		return
	}
	p.groups++
	if err := p.compare(); err != nil {
		p.problem(row.SpaceGroup.String(), p.shard, row.AppendGroupKey(nil, p.shard, p.key), err)
	}
}

func (p *groupsPass) compare() error {
	g, err := row.ReadGroup(p.store, p.shard, p.key)
	if errors.Is(err, storage.ErrNotFound) {
		return errors.New("members of a group that is not there")
	}
	if err != nil {
		return nil // rowPass has reported it
	}
	if s := &p.sum; g.Events != s.Events || g.Members != s.Members || g.First != s.First || g.Last != s.Last {
		return fmt.Errorf("group of %d events and %d members, from %d to %d: its members have %d events, are %d, and go from %d to %d",
			g.Events, g.Members, g.First, g.Last, s.Events, s.Members, s.First, s.Last)
	}
	return nil
}
