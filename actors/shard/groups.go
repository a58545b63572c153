package shard

import (
	"errors"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// groups are the groups whose keys belong to the shard, and who is in them. An event that names a group is told to the shard
// of the group's key, in the record that takes the event:
//
//	shard of the route ── Group(event), numbered as all messages ──► shard of the group: rows, in the record's batch
//
// Invariants:
//   - A13: rows of groups and members are written in the batch of the record that takes the message, so they never lack a
//     record, and a recovery takes none of these messages again. Each event is counted once: the memory of duplicates
//     lets it pass once, and the channel takes its message once.
//
// Between steps the shard holds nothing of groups: what a step changes is in memory until its batch is closed. Group events
// are few, and a group with many members has no actor and no bound of its own: one event reads and writes two rows.
//
// The obvious design, a group as one more node with its members in it, would write a row as long as the group for each
// checkpoint, and read it for each event.
type groups struct {
	id      graph.ShardID
	store   storage.Reader
	changed []*changedGroup                 // by the step under way, in the order of their first messages
	byKey   map[graph.NodeKey]*changedGroup // the same
}

// changedGroup is a group that the step under way has changed, with those of its members.
type changedGroup struct {
	graph.Group
	members []*graph.Membership
	byRoute map[graph.NodeKey]*graph.Membership // the same
}

// forget forgets what the step under way changed: its batch has it, or it was undone.
func (gs *groups) forget() {
	if len(gs.changed) > 0 {
		gs.changed, gs.byKey = nil, nil
	}
}

// take adds an event to the group that it names.
func (gs *groups) take(e *graph.Event) error {
	g, err := gs.group(e.Group.Key)
	if err != nil {
		return err
	}
	m, err := gs.member(g, e.Route())
	if err != nil {
		return err
	}
	g.Fold(e, m)
	return nil
}

// group finds a group: as the step has left it, in the store, or made now.
func (gs *groups) group(key graph.NodeKey) (*changedGroup, error) {
	if g := gs.byKey[key]; g != nil {
		return g, nil
	}
	stored, err := row.ReadGroup(gs.store, gs.id, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	g := &changedGroup{Group: stored, byRoute: make(map[graph.NodeKey]*graph.Membership)}
	g.Key = key
	if gs.byKey == nil {
		gs.byKey = make(map[graph.NodeKey]*changedGroup)
	}
	gs.changed, gs.byKey[key] = append(gs.changed, g), g
	return g, nil
}

// member finds what a group knows of a route, likewise.
func (gs *groups) member(g *changedGroup, route graph.NodeKey) (*graph.Membership, error) {
	if m := g.byRoute[route]; m != nil {
		return m, nil
	}
	stored, err := row.ReadMember(gs.store, gs.id, g.Key, route)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	m := &stored
	g.members, g.byRoute[route] = append(g.members, m), m
	return m, nil
}

// close writes the rows of what the step changed, and forgets them: the batch has them.
func (gs *groups) close(enc *row.Encoder, b *storage.Batch) {
	for _, g := range gs.changed {
		enc.PutGroup(b, gs.id, &g.Group)
		for _, m := range g.members {
			enc.PutMember(b, gs.id, g.Key, m)
		}
	}
	gs.forget()
}
