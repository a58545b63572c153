package row

import (
	"github.com/kindred-id/kindred/storage"
)

// ClusterNode is the row of a node of a cluster: that it is one, and what operators have said of it. The row of a node that was
// removed stays, so that the node is told of it when it comes back.
type ClusterNode struct {
	Name  string
	State ClusterNodeState
	Since int64 // ms since 1970 UTC
	// The program that it last ran: its version, the newest generation of encodings that it reads, and its handlers, which finish
	// log tails that they wrote.
	Version         string
	Reads, Handlers uint64
}

// ClusterNodeState is what a node is to its cluster.
type ClusterNodeState uint8

// The states of a node. They are on disk: new ones go at the end.
const (
	NodeMember   ClusterNodeState = iota // it has its share of the shards
	NodeDraining                         // it gives its shards away, and takes none
	NodeRemoved                          // it never comes back
)

const clusterNodeRow = 7 // in spaceDeployment

var clusterNodeKind = &kind{
	space: spaceDeployment, row: clusterNodeRow, name: "cluster node", group: "deployment",
	key:     []field{{"name", 0}},
	about:   "one row a node of a cluster: whether it has shards",
	catalog: true,
	check:   parses[ClusterNode]("cluster node"),
}

// appendClusterNodeKey appends the key of a node's row. REQUIRES: 1 <= len(name) <= maxNamedLen-2
func appendClusterNodeKey(b []byte, name string) []byte {
	return append(append(b, byte(spaceDeployment), clusterNodeRow), name...)
}

const (
	clusterNodeFields = 6
	clusterNodeV1     = 3 // without the program
)

func (n *ClusterNode) encode(out *writer) {
	out.start(clusterNodeVersion)
	out.array(clusterNodeFields)
	out.text(n.Name)
	out.uint(uint64(n.State))
	out.int(n.Since)
	out.text(n.Version)
	out.uint(n.Reads)
	out.uint(n.Handlers)
}

func (n *ClusterNode) decode(in *reader) {
	version, fields := in.version(clusterNodeVersion), clusterNodeFields
	if version == 1 {
		fields = clusterNodeV1
	}
	in.tuple(fields)
	n.Name = in.text()
	n.State = ClusterNodeState(in.enum("state", uint8(NodeMember), uint8(NodeRemoved)))
	n.Since = in.int()
	if version == 1 {
		return
	}
	n.Version = in.text()
	n.Reads = in.uint()
	n.Handlers = in.uint()
}

// Put writes the row of a node.
func (n *ClusterNode) Put(b *storage.Batch) {
	b.Set(appendClusterNodeKey(nil, n.Name), appendValue(nil, n))
}

// ReadClusterNode reads the row of a node. It fails with ErrNotFound if the node has no row.
func ReadClusterNode(s storage.Reader, name string) (ClusterNode, error) {
	value, err := s.Get(nil, appendClusterNodeKey(nil, name))
	if err != nil {
		return ClusterNode{}, err
	}
	return parse[ClusterNode]("cluster node", value)
}

// IsClusterNode reports whether a key is of the row of a node.
func IsClusterNode(key []byte) bool { return clusterNodeKind.has(key) }

// ParseClusterNode reads the row of a node among other rows. It reports whether the key is of one.
func ParseClusterNode(key, value []byte) (n ClusterNode, is bool, err error) {
	if !clusterNodeKind.has(key) {
		return n, false, nil
	}
	n, err = parse[ClusterNode]("cluster node", value)
	return n, true, err
}

// ScanClusterNodes calls fn with all nodes, by name.
func ScanClusterNodes(s storage.Reader, fn func(n ClusterNode) error) error {
	return scanDeployment(s, clusterNodeRow, "cluster node", fn)
}
