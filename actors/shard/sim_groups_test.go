package shard_test

import (
	"maps"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/storage/row"
)

// checkGroups compares groups, and who is in them, with what the oracle says of the same events and these people.
func (s *simulation) checkGroups(people []graph.Profile) {
	want := oracle.Groups(s.feeder.taken, people)
	got := make([]oracle.Group, 0, len(want))
	for i := range want {
		got = append(got, s.groupOf(want[i].Key))
		s.met.grouped++
		if want[i].Members > uint64(len(want[i].People)) {
			s.met.groupedTogether++
		}
		if want[i].LeftOut {
			s.met.groupTraitsLeftOut++
		}
	}
	if got, want := oracle.DumpGroups(got), oracle.DumpGroups(want); got != want {
		s.failf("groups are not what the oracle says:\n%s", oracle.Diff(want, got))
	}
	rows := 0
	s.must(row.ScanGroups(s.store, row.NodePlace{}, false, func(_, _ []byte) error { rows++; return nil }), "read the groups")
	if rows != len(want) {
		s.failf("%d groups have rows, want %d", rows, len(want))
	}
}

// groupOf reads a group, and asks for each of its members who holds it.
func (s *simulation) groupOf(key graph.NodeKey) oracle.Group {
	id := key.Shard(s.p.shards)
	g, err := row.ReadGroup(s.store, id, key)
	s.must(err, "read a group")
	people := map[graph.NodeKey]*graph.Membership{}
	err = row.ScanMembers(s.store, id, key, graph.NodeKey{}, func(m graph.Membership) error {
		s.rootOf(m.Member, func(c *graph.Component) {
			person, routes, ok := c.GroupRoutes(m.Member, s.rules)
			if !ok || !slices.Contains(routes, m.Member) {
				s.failf("member %s of a group is with nobody, or has no group events", m.Member)
			}
			p := people[person]
			if p == nil {
				p = &graph.Membership{Member: person, First: m.First, Last: m.Last}
				people[person] = p
			}
			p.Events, p.First, p.Last = p.Events+m.Events, min(p.First, m.First), max(p.Last, m.Last)
		})
		return nil
	})
	s.must(err, "read the members of a group")
	all := oracle.Group{Group: g}
	for _, id := range slices.SortedFunc(maps.Keys(people), graph.NodeKey.Compare) {
		all.People = append(all.People, *people[id])
	}
	return all
}
