package actors

import (
	"context"
	"errors"

	"github.com/kindred-id/kindred/actors/shard"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
	"github.com/kindred-id/kindred/storage/row"
)

// ErrNoGroup is returned by reads of a group that no event has named yet.
var ErrNoGroup = errors.New("group: never named in an event")

// Group reads a group. It fails with ErrNoGroup if no event has named it.
func (q queries) Group(ctx context.Context, key graph.NodeKey) (g graph.Group, err error) {
	err = q.withGroup(ctx, key, func(rows storage.Reader) error {
		g, err = row.ReadGroup(rows, key.Shard(len(q.runners)), key)
		return err
	})
	if errors.Is(err, storage.ErrNotFound) {
		err = ErrNoGroup
	}
	return g, err
}

// withGroup runs fn with the rows of a group's shard, as of its last commit: with the shard where that is here, else as the
// process that has it answers.
func (q queries) withGroup(ctx context.Context, key graph.NodeKey, fn func(storage.Reader) error) error {
	id := key.Shard(len(q.runners))
	err := q.askFirst(ctx, id, func(*shard.Shard) error { return fn(q.store) })
	if errors.Is(err, ErrLost) && q.network != nil {
		return fn(farRows{ctx, q, id})
	}
	return err
}

// Groups calls fn for all groups from a place on, or after that place, in the order of their rows, which means nothing. It
// ends where fn returns storage.ErrStop.
func (q queries) Groups(ctx context.Context, from Place, after bool, fn func(Place, graph.Group) error) error {
	show := func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		place, g, err := row.ParseGroup(key, value)
		if err != nil {
			return err
		}
		return fn(place, g)
	}
	if q.network != nil {
		return q.allRows(ctx, row.SpaceGroup, from, after, show)
	}
	if err := q.lost(); err != nil {
		return err
	}
	return row.ScanGroups(q.store, from, after, show)
}

// memberReads bounds the rows that one page of members reads beside its own: a person may have thousands of identifiers.
const memberReads = 20_000

// GroupPeople lists the people of a group: the identities that hold its members, each once, with all that the events of
// their routes say. Page after page, the route after which the next one begins is next; zero at the end. A page may be
// short, or empty, and not the last.
//
// A person is listed in place of the highest-ranked of their routes in the group, which members are in the order of: so
// whether a route is passed over follows from the person alone, and not from the pages before. Two people who are merged
// between two pages may have been listed both, as people may in any list.
func (q queries) GroupPeople(ctx context.Context, group, after graph.NodeKey, limit int) (people []graph.Membership, next graph.NodeKey, err error) {
	reads := 0
	for {
		members, more, err := q.members(ctx, group, after, limit-len(people))
		if err != nil || len(members) == 0 {
			return people, graph.NodeKey{}, err
		}
		holders, err := q.holders(ctx, members)
		if err != nil {
			return nil, next, err
		}
		for i := range members {
			person, listed, err := q.together(ctx, group, &members[i], &holders[i])
			if err != nil {
				return nil, next, err
			}
			if listed {
				people = append(people, person)
			}
			after = members[i].Member
			reads += len(holders[i].routes)
			if last := i == len(members)-1 && !more; !last && (len(people) == limit || reads > memberReads) {
				return people, after, nil
			}
		}
		if !more {
			return people, graph.NodeKey{}, nil
		}
	}
}

// CountGroupPeople counts the people of a group. It reports false, and counts none, where the group has more members than
// most.
func (q queries) CountGroupPeople(ctx context.Context, g *graph.Group, most int) (people int, counted bool, err error) {
	if g.Members > uint64(most) {
		return 0, false, nil
	}
	members, more, err := q.members(ctx, g.Key, graph.NodeKey{}, most)
	if err != nil || more {
		return 0, false, err
	}
	holders, err := q.holders(ctx, members)
	ids := make(map[graph.NodeKey]struct{}, len(holders))
	for i := range holders {
		ids[holders[i].id] = struct{}{}
	}
	return len(ids), err == nil, err
}

// members reads the members of a group after one of them, and whether there are more than the limit.
func (q queries) members(ctx context.Context, group, after graph.NodeKey, limit int) (members []graph.Membership, more bool, err error) {
	err = q.withGroup(ctx, group, func(rows storage.Reader) error {
		members, more = nil, false
		return row.ScanMembers(rows, group.Shard(len(q.runners)), group, after, func(m graph.Membership) error {
			if more = len(members) == limit; more {
				return storage.ErrStop
			}
			members = append(members, m)
			return nil
		})
	})
	return members, more, err
}

// holder is the identity that holds a member of a group, and its routes of group events.
type holder struct {
	id     graph.NodeKey
	routes []graph.NodeKey
}

// holders finds the identities that hold members. A member that its component does not host yet is asked for again.
func (q queries) holders(ctx context.Context, members []graph.Membership) ([]holder, error) {
	routes, found := make([]graph.NodeKey, len(members)), make([]holder, len(members))
	for i := range members {
		routes[i] = members[i].Member
	}
	hold := func(i int, v *View) (ok bool) {
		found[i].id, found[i].routes, ok = v.Component.GroupRoutes(v.key, v.rules)
		return ok
	}
	if err := q.ReadMany(ctx, routes, func(i int, v *View) { hold(i, v) }); err != nil {
		return nil, err
	}
	for i := range found {
		if !found[i].id.IsZero() {
			continue
		}
		err := q.Read(ctx, routes[i], func(v *View) error {
			if !hold(i, v) {
				return ErrInTransit
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// together sums up what the routes of a person say of a group. It reports false if the person is listed in place of another
// route than m's.
func (q queries) together(ctx context.Context, group graph.NodeKey, m *graph.Membership, h *holder) (person graph.Membership, listed bool, err error) {
	if len(h.routes) == 1 {
		return graph.Membership{Member: h.id, Events: m.Events, First: m.First, Last: m.Last}, true, nil
	}
	err = q.withGroup(ctx, group, func(rows storage.Reader) error {
		person, listed = *m, true
		person.Member = h.id
		for _, route := range h.routes {
			if route == m.Member {
				continue
			}
			other, err := row.ReadMember(rows, group.Shard(len(q.runners)), group, route)
			if errors.Is(err, storage.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if listed = !route.Outranks(m.Member); !listed {
				return nil
			}
			person.Events += other.Events
			person.First, person.Last = min(person.First, other.First), max(person.Last, other.Last)
		}
		return nil
	})
	return person, listed, err
}
