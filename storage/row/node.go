package row

import (
	"fmt"
	"math"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/storage"
)

// Kinds of node rows, and the number of their values.
const (
	nodeRoot    = 1 // kind, applied, identities counted, members, links, assertions
	nodeForward = 2 // kind, applied, parent
	nodeMention = 3 // kind, applied, event

	rootFields    = 6
	forwardFields = 3
	mentionFields = 3
)

// SpaceNode has the nodes' rows.
const SpaceNode Space = 0x04

var nodeKind = &kind{
	space: SpaceNode, name: "node",
	key:   []field{shardField, nodeField},
	about: "one row a node",
	check: func(d *Decoder, key, value []byte) error {
		_, _, err := d.Node(readNodeKey(key[shardPrefixLen:]), value)
		return err
	},
}

// AppendNodeKey appends the key of a node's row.
func AppendNodeKey(b []byte, shard graph.ShardID, node graph.NodeKey) []byte {
	return node.AppendBinary(appendShard(b, SpaceNode, shard))
}

// ParseNodeKey reads the format of AppendNodeKey. It fails with ErrKeyShape.
func ParseNodeKey(key []byte) (graph.ShardID, graph.NodeKey, error) {
	b, err := nodeKind.fields(key)
	if err != nil {
		return 0, graph.NodeKey{}, err
	}
	return readShard(b), readNodeKey(b[2:]), nil
}

// Node appends a node's row: a root with its component, a forward with its parent, or a mention. The row includes the effects of
// every log record up to applied. A node that was never seen has no row.
//
//	        +---------+------+---------+---------+---------+-------+------------+
//	root    | version | kind | applied | counted | members | links | assertions |
//	        +---------+------+---------+--------++---------+-------+------------+
//	forward | version | kind | applied | parent |
//	        +---------+------+---------+--------+
//	mention | version | kind | applied | event |      seen in nothing but one event's mentions
//	        +---------+------+---------+-------+
//
// applied lets rows be written one by one, long after the records that changed them: a recovery gives a node only the
// inputs of later records, however old the rows of other nodes are.
//
// REQUIRES: n is a root or a forward, or was mentioned
func (e *Encoder) Node(dst []byte, n *graph.Node, applied uint64) []byte {
	out := e.begin(dst)
	out.start(out.formats.node)
	switch {
	case n.Component != nil:
		evidence := n.Component.Evidence()
		out.array(rootFields)
		out.uint(nodeRoot)
		out.uint(applied)
		out.uint(uint64(n.Counted))
		parts := evidenceWriter{out}
		parts.members(evidence.Members)
		parts.links(evidence.Links)
		parts.assertions(evidence.Assertions)
	case !n.Parent.IsZero():
		out.array(forwardFields)
		out.uint(nodeForward)
		out.uint(applied)
		out.key(n.Parent)
	case n.Mention != nil && out.formats.node >= 4:
		out.array(mentionFields)
		out.uint(nodeMention)
		out.uint(applied)
		eventWriter{out}.event(n.Mention, false)
	default:
		panic(fmt.Sprintf("row: row of node %s, which was never seen", n.Key))
	}
	return e.finish()
}

// Node reads the row of the node with this key, and the last log record that it includes. The node shares no memory
// with src.
func (d *Decoder) Node(key graph.NodeKey, src []byte) (n *graph.Node, applied uint64, err error) {
	in := d.begin("node", src)
	version := in.version(nodeVersion)
	n = &graph.Node{Key: key}
	at := in.at
	fields, last := in.arrayLen(), uint8(nodeMention)
	if version < 4 {
		last = nodeForward
	}
	kind := in.enum("kind of node", nodeRoot, last)
	applied = in.uint()
	var evidence graph.Evidence
	switch want := []int{nodeRoot: rootFields, nodeForward: forwardFields, nodeMention: mentionFields}[kind]; {
	case in.err != nil:
	case fields != want:
		in.fail(at, "node of %d values, want %d", fields, want)
	case kind == nodeForward:
		at := in.at
		n.Parent = in.key()
		if in.err == nil && !n.Parent.Outranks(key) {
			in.fail(at, "the parent does not outrank its node (H1)")
		}
	case kind == nodeMention:
		n.Mention = in.mention(key, version)
	default:
		n.Counted = int(in.upTo(math.MaxInt32))
		parts := evidenceReader{in, version} // fragments have the version of their row
		evidence.Members = parts.members()
		at := in.at
		evidence.Links = parts.links()
		parts.checkEnds(at, &evidence)
		evidence.Assertions = parts.assertions()
	}
	if err := in.finish(); err != nil {
		return nil, 0, err
	}
	if kind == nodeRoot {
		n.Component = graph.RestoreComponent(key, &evidence)
	}
	return n, applied, nil
}

// mention reads the event that mentioned a node, in a row of a version. The event shares no memory with what is read.
func (in *reader) mention(key graph.NodeKey, version uint64) *graph.Event {
	at := in.at
	var shared graph.Event
	eventReader{in, version}.event(&shared) // rows of nodes and events have had one version since there are mentions
	if in.err != nil {
		return nil
	}
	if len(shared.Identifiers) != 2 || shared.Identifiers[1].Key != key {
		in.fail(at, "mention of another node")
		return nil
	}
	return shared.KeepMention()
}

// PutNode writes a node's row, see Node.
func (e *Encoder) PutNode(b *storage.Batch, shard graph.ShardID, n *graph.Node, applied uint64) {
	e.key = AppendNodeKey(e.key[:0], shard, n.Key)
	e.set(b, e.Node(e.value[:0], n, applied))
}

// valueKept bounds the row that GetNode keeps the memory of: large components are rare.
const valueKept = 64 << 10

// GetNode reads a node's row, see Node. It fails with ErrNotFound if the row is absent.
func (d *Decoder) GetNode(s storage.Store, shard graph.ShardID, key graph.NodeKey) (n *graph.Node, applied uint64, err error) {
	d.key = AppendNodeKey(d.key[:0], shard, key)
	value, err := s.Get(d.value[:0], d.key)
	if err != nil {
		return nil, 0, err
	}
	if d.value = nil; cap(value) <= valueKept {
		d.value = value
	}
	if n, applied, err = d.Node(key, value); err != nil {
		return nil, 0, fmt.Errorf("row of node %s: %w", key, err)
	}
	return n, applied, nil
}

// ScanNodes calls fn with the rows of a shard's nodes, by key. The value is valid during the call.
func ScanNodes(s storage.Store, shard graph.ShardID, fn func(node graph.NodeKey, value []byte) error) error {
	return scanNodes(s, AppendShardLower(nil, SpaceNode, shard), AppendShardUpper(nil, SpaceNode, shard), fn)
}

// ScanAllNodes is ScanNodes for all shards.
func ScanAllNodes(s storage.Store, fn func(node graph.NodeKey, value []byte) error) error {
	return scanNodes(s, AppendSpaceLower(nil, SpaceNode), AppendSpaceUpper(nil, SpaceNode), fn)
}

// NodePlace is where a node's row is among all: its shard and its key. Places are in the order of rows.
type NodePlace [2 + 16]byte

// ScanNodesFrom calls fn for every node from a place on, or after that place.
func ScanNodesFrom(s storage.Store, from NodePlace, after bool, fn func(place NodePlace, node graph.NodeKey, value []byte) error) error {
	lower := append(AppendSpaceLower(nil, SpaceNode), from[:]...)
	if after {
		lower = append(lower, 0) // keys of one space have one length
	}
	return s.Iterate(lower, AppendSpaceUpper(nil, SpaceNode), func(key, value []byte) error {
		_, node, err := ParseNodeKey(key)
		if err != nil {
			return err
		}
		return fn(NodePlace(key[1:]), node, value)
	})
}

func scanNodes(s storage.Store, lower, upper []byte, fn func(node graph.NodeKey, value []byte) error) error {
	return s.Iterate(lower, upper, func(key, value []byte) error {
		_, node, err := ParseNodeKey(key)
		if err != nil {
			return err
		}
		return fn(node, value)
	})
}

// checkEnds rejects a link with an end that is not a member. Evidence in a message is not checked so, because that of a
// large component travels in parts.
func (in evidenceReader) checkEnds(at int, evidence *graph.Evidence) {
	if in.err != nil {
		return
	}
	for i := range evidence.Links {
		l := &evidence.Links[i]
		if !isMember(evidence.Members, l.A) || !isMember(evidence.Members, l.B) {
			in.fail(at, "link %d has an end that is no member", i)
			return
		}
	}
}

// isMember searches for a key among members in descending rank.
func isMember(members []graph.Member, key graph.NodeKey) bool {
	_, found := slices.BinarySearchFunc(members, key, func(m graph.Member, k graph.NodeKey) int { return k.Compare(m.Key) })
	return found
}

// ScanRoots calls fn with the nodes of a shard after one of them, the zero key being before all, in the order of their rows, and
// whether each is a root. It reads no more of a row than that.
func ScanRoots(s storage.Reader, shard graph.ShardID, after graph.NodeKey, fn func(node graph.NodeKey, root bool) error) error {
	lower := AppendShardLower(nil, SpaceNode, shard)
	if !after.IsZero() {
		lower = append(AppendNodeKey(nil, shard, after), 0)
	}
	var in reader
	return s.Iterate(lower, AppendShardUpper(nil, SpaceNode, shard), func(key, value []byte) error {
		_, node, err := ParseNodeKey(key)
		if err != nil {
			return err
		}
		in.begin("node", value)
		in.version(nodeVersion)
		in.arrayLen()
		kind := in.enum("kind of node", nodeRoot, nodeMention)
		if in.err != nil {
			return in.err
		}
		return fn(node, kind == nodeRoot)
	})
}
