package row

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Spaces of groups: the group itself, and the routes of the events that name it. Both are in the shard of the group's key.
const (
	SpaceGroup  Space = 0x0c
	SpaceMember Space = 0x0d
)

var (
	groupField  = field{"group key", 16}
	memberField = field{"member", 16}
)

var groupKind = &kind{
	space: SpaceGroup, name: "group",
	key:      []field{shardField, groupField},
	about:    "one row a group: its traits, and how many events name it",
	checkKey: checkGroupKey,
	check: func(_ *Decoder, key, value []byte) error {
		_, err := parseGroup(readNodeKey(key[shardPrefixLen:]), value)
		return err
	},
}

var memberKind = &kind{
	space: SpaceMember, name: "member",
	key:      []field{shardField, groupField, memberField},
	about:    "one row a route of events that name a group; higher ranks first",
	checkKey: checkGroupKey,
	check: func(_ *Decoder, key, value []byte) error {
		_, err := parseMember(readMember(key[nodeKeyLen:]), value)
		return err
	},
}

// checkGroupKey rejects the key of a node where that of a group is to stand, and of no node where a member is.
func checkGroupKey(key []byte) error {
	if k := readNodeKey(key[shardPrefixLen:]); k.Class() != 0 {
		return errors.New("a group's key has the class of a node")
	}
	if len(key) > nodeKeyLen && readMember(key[nodeKeyLen:]).Class() == 0 {
		return errors.New("a member's key has no class")
	}
	return nil
}

// AppendGroupKey appends the key of a group's row.
func AppendGroupKey(b []byte, shard graph.ShardID, group graph.NodeKey) []byte {
	return group.AppendBinary(appendShard(b, SpaceGroup, shard))
}

// ParseGroupKey reads the format of AppendGroupKey. It fails with ErrKeyShape.
func ParseGroupKey(key []byte) (graph.ShardID, graph.NodeKey, error) {
	b, err := groupKind.fields(key)
	if err != nil {
		return 0, graph.NodeKey{}, err
	}
	return readShard(b), readNodeKey(b[2:]), nil
}

// A member's key is inverted, so that rows are in descending rank: of the routes of one person that in whose place the
// person is listed comes first.
func appendMemberKey(b []byte, shard graph.ShardID, group, member graph.NodeKey) []byte {
	b = group.AppendBinary(appendShard(b, SpaceMember, shard))
	return graph.NodeKey{Hi: ^member.Hi, Lo: ^member.Lo}.AppendBinary(b)
}

// ParseMember reads the row of one route of a group's events.
func ParseMember(key, value []byte) (shard graph.ShardID, group graph.NodeKey, m graph.Membership, err error) {
	b, err := memberKind.fields(key)
	if err != nil {
		return 0, group, m, err
	}
	m, err = parseMember(readMember(b[18:]), value)
	return readShard(b), readNodeKey(b[2:]), m, err
}

// readMember reads the inverted key at the beginning of b. REQUIRES: len(b) >= 16.
func readMember(b []byte) graph.NodeKey {
	return graph.NodeKey{Hi: ^binary.BigEndian.Uint64(b), Lo: ^binary.BigEndian.Uint64(b[8:])}
}

// groupValue is a group as it is written; its key is that of the row:
//
//	+---------+------+----+--------+-------+------+---------+----------+------------+
//	| version | type | id | events | first | last | members | left out | traits, 7n |
//	+---------+------+----+--------+-------+------+---------+----------+------------+
//
// traits is one flat array, by name: name, value or nil, stamp (3 values), id of the event, source.
type groupValue graph.Group

const (
	groupRowFields   = 8
	groupTraitFields = 7
	groupTraitLeast  = 7 // bytes
	membershipFields = 3
)

func (g *groupValue) encode(out *writer) {
	out.start(groupVersion)
	out.array(groupRowFields)
	out.text(g.Type)
	out.text(g.ID)
	out.uint(g.Events)
	out.int(g.First)
	out.int(g.Last)
	out.uint(g.Members)
	out.bool(g.LeftOut)
	out.array(groupTraitFields * len(g.Traits))
	for i := range g.Traits {
		t := &g.Traits[i]
		out.text(t.Name)
		out.bytes(t.Value)
		out.stamp(t.Stamp)
		out.bytes(t.EventID)
		out.bytes(t.Source)
	}
}

func (g *groupValue) decode(in *reader) {
	in.version(groupVersion)
	in.tuple(groupRowFields)
	at := in.at
	g.Type, g.ID = in.text(), in.text()
	g.Events, g.First, g.Last, g.Members, g.LeftOut = in.uint(), in.int(), in.int(), in.uint(), in.bool()
	if in.err == nil && (g.ID == "" || g.Events == 0 || g.First > g.Last || g.Members == 0 || g.Members > g.Events) {
		in.fail(at, "group of %d events and %d members, from %d to %d", g.Events, g.Members, g.First, g.Last)
	}
	at = in.at
	n := in.list(groupTraitFields, groupTraitLeast)
	if in.err == nil && (n > graph.GroupTraitsMax || g.LeftOut && n < graph.GroupTraitsMax) {
		in.fail(at, "group of %d traits", n)
		return
	}
	if n > 0 {
		g.Traits = make([]graph.GroupTrait, 0, n)
	}
	for i := range n {
		at := in.at
		t := graph.GroupTrait{Register: graph.Register{Name: in.text(), Value: in.ownBytes(), Stamp: in.stamp()}, EventID: in.ownBytes(), Source: in.ownBytes()}
		if in.err != nil {
			return
		}
		if i > 0 && g.Traits[i-1].Name >= t.Name {
			in.fail(at, "trait %d is not in the order of names", i)
			return
		}
		g.Traits = append(g.Traits, t)
	}
}

// memberValue is what the events of one route say of a group.
type memberValue graph.Membership

func (m *memberValue) encode(out *writer) {
	out.start(memberVersion)
	out.array(membershipFields)
	out.uint(m.Events)
	out.int(m.First)
	out.int(m.Last)
}

func (m *memberValue) decode(in *reader) {
	in.version(memberVersion)
	in.tuple(membershipFields)
	at := in.at
	m.Events, m.First, m.Last = in.uint(), in.int(), in.int()
	if in.err == nil && (m.Events == 0 || m.First > m.Last) {
		in.fail(at, "member of %d events, from %d to %d", m.Events, m.First, m.Last)
	}
}

func parseGroup(key graph.NodeKey, value []byte) (graph.Group, error) {
	v, err := parse[groupValue]("group", value)
	g := graph.Group(v)
	g.Key = key
	return g, err
}

func parseMember(member graph.NodeKey, value []byte) (graph.Membership, error) {
	v, err := parse[memberValue]("member", value)
	m := graph.Membership(v)
	m.Member = member
	return m, err
}

// PutGroup writes a group's row.
func (e *Encoder) PutGroup(b *storage.Batch, shard graph.ShardID, g *graph.Group) {
	e.key = AppendGroupKey(e.key[:0], shard, g.Key)
	e.set(b, appendValue(e.value[:0], (*groupValue)(g)))
}

// PutMember writes the row of one route of a group's events.
func (e *Encoder) PutMember(b *storage.Batch, shard graph.ShardID, group graph.NodeKey, m *graph.Membership) {
	e.key = appendMemberKey(e.key[:0], shard, group, m.Member)
	e.set(b, appendValue(e.value[:0], (*memberValue)(m)))
}

// ReadGroup reads a group's row. It fails with ErrNotFound if no event has named the group.
func ReadGroup(s storage.Reader, shard graph.ShardID, key graph.NodeKey) (graph.Group, error) {
	value, err := s.Get(nil, AppendGroupKey(nil, shard, key))
	if err != nil {
		return graph.Group{}, err
	}
	g, err := parseGroup(key, value)
	if err != nil {
		return graph.Group{}, fmt.Errorf("row of a group: %w", err)
	}
	return g, nil
}

// ReadMember reads what the events of one route say of a group. It fails with ErrNotFound if none of them names it.
func ReadMember(s storage.Reader, shard graph.ShardID, group, member graph.NodeKey) (graph.Membership, error) {
	value, err := s.Get(nil, appendMemberKey(nil, shard, group, member))
	if err != nil {
		return graph.Membership{}, err
	}
	m, err := parseMember(member, value)
	if err != nil {
		return graph.Membership{}, fmt.Errorf("row of a member of a group: %w", err)
	}
	return m, nil
}

// ScanMembers calls fn with the members of a group in descending rank, from the one after a member on; the zero key is
// before all.
func ScanMembers(s storage.Reader, shard graph.ShardID, group, after graph.NodeKey, fn func(m graph.Membership) error) error {
	highest := graph.NodeKey{Hi: ^uint64(0), Lo: ^uint64(0)}
	lower, upper := appendMemberKey(nil, shard, group, highest), append(appendMemberKey(nil, shard, group, graph.NodeKey{}), 0)
	if !after.IsZero() {
		lower = append(appendMemberKey(nil, shard, group, after), 0)
	}
	return s.Iterate(lower, upper, func(key, value []byte) error {
		_, _, m, err := ParseMember(key, value)
		if err != nil {
			return fmt.Errorf("row of a member of a group: %w", err)
		}
		return fn(m)
	})
}

// ScanGroups calls fn with the rows of the groups of all shards, in their order, from a place on, or after that place.
func ScanGroups(s storage.Reader, from NodePlace, after bool, fn func(key, value []byte) error) error {
	lower := append(AppendSpaceLower(nil, SpaceGroup), from[:]...)
	if after {
		lower = append(lower, 0)
	}
	return s.Iterate(lower, AppendSpaceUpper(nil, SpaceGroup), fn)
}

// ParseGroup reads a group's row, and its place among all.
func ParseGroup(key, value []byte) (place NodePlace, g graph.Group, err error) {
	_, group, err := ParseGroupKey(key)
	if err != nil {
		return place, g, err
	}
	if g, err = parseGroup(group, value); err != nil {
		return place, g, fmt.Errorf("row of a group: %w", err)
	}
	return NodePlace(key[1:]), g, nil
}
