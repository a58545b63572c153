package proto

import (
	"strconv"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/cluster"
	"github.com/kindred-id/kindred/internal/hostport"
)

// Member is another node, or this one.
type Member struct {
	Name    string // stable over restarts
	Boot    uint64 // of the process
	Address string // host:port, by number or name
}

// identityKind is the kind of actor that an identity is.
const identityKind = "identity"

const doorPrefix = "shard-"

func doorName(shard uint32) string { return doorPrefix + strconv.FormatUint(uint64(shard), 10) }

// lookup finds the actor of an identity: the shard of its key, on the node that is believed to own it. It implements
// cluster.IdentityLookup, and knows everything it answers, so there is nothing to cache or to remove.
type lookup struct {
	shardOf func(identity string) (uint32, error)
	ownerOf func(shard uint32) (address string, ok bool)
}

// Get implements cluster.IdentityLookup.
func (l *lookup) Get(id *cluster.ClusterIdentity) *actor.PID {
	if id.GetKind() != identityKind {
		return nil
	}
	shard, err := l.shardOf(id.GetIdentity())
	if err != nil {
		return nil
	}
	address, ok := l.ownerOf(shard)
	if !ok {
		return nil
	}
	return actor.NewPID(address, doorName(shard))
}

// RemovePid implements cluster.IdentityLookup.
func (l *lookup) RemovePid(*cluster.ClusterIdentity, *actor.PID) {}

// Setup implements cluster.IdentityLookup.
func (l *lookup) Setup(*cluster.Cluster, []string, bool) {}

// Shutdown implements cluster.IdentityLookup.
func (l *lookup) Shutdown() {}

// provider tells the library who is there. It implements cluster.ClusterProvider.
type provider struct {
	mu      sync.Mutex // guards the following
	cluster *cluster.Cluster
	present map[string]presence // by name
}

// presence is how a node is known to the library: under another id after each return (T4).
type presence struct {
	boot    uint64
	returns int
	here    bool
	address string
}

// StartMember implements cluster.ClusterProvider.
func (p *provider) StartMember(c *cluster.Cluster) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cluster, p.present = c, map[string]presence{}
	return nil
}

// StartClient implements cluster.ClusterProvider.
func (p *provider) StartClient(c *cluster.Cluster) error { return p.StartMember(c) }

// Shutdown implements cluster.ClusterProvider.
func (p *provider) Shutdown(bool) error { return nil }

// update tells the library who is there now. It is called by one goroutine at a time.
func (p *provider) update(members []Member) error {
	p.mu.Lock()
	here := make(map[string]bool, len(members))
	list := make(cluster.Members, 0, len(members))
	var bad error
	for _, m := range members {
		host, port, err := hostport.Split(m.Address)
		if err != nil {
			bad = err
			continue
		}
		at := p.present[m.Name]
		if !at.here || at.boot != m.Boot || at.address != m.Address {
			at = presence{boot: m.Boot, returns: at.returns + 1, here: true, address: m.Address}
			p.present[m.Name] = at
		}
		here[m.Name] = true
		id := m.Name + "#" + strconv.FormatUint(m.Boot, 16) + "#" + strconv.Itoa(at.returns)
		list = append(list, &cluster.Member{Host: host, Port: int32(port), Id: id, Kinds: []string{identityKind}})
	}
	for name, at := range p.present {
		if !here[name] && at.here {
			at.here = false
			p.present[name] = at
		}
	}
	c := p.cluster
	p.mu.Unlock()
	c.MemberList.UpdateClusterTopology(list)
	return bad
}
