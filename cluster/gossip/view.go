package gossip

import (
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/memberlist"
)

// View is the members that a node believes to be alive, by name, itself included. It never changes (V1).
type View struct {
	Number  uint64 // grows with each view of a node
	Members []Member
}

// Member finds a member by its name; nil if it is not in the view.
func (v *View) Member(name string) *Member {
	i, ok := slices.BinarySearchFunc(v.Members, name, func(m Member, name string) int { return strings.Compare(m.Name, name) })
	if !ok {
		return nil
	}
	return &v.Members[i]
}

// heard keeps what the library's callbacks said last, by name. It implements memberlist.EventDelegate: the library calls
// under its own lock, from several goroutines.
type heard struct {
	mu    sync.Mutex // guards the following
	alive map[string]word

	news chan struct{} // of one
}

// word is what a member said of itself, and from where. The library changes its own nodes under a lock that nobody else has,
// so that they may be read within a callback alone.
type word struct {
	meta    []byte
	address string // host:port
}

// addresses returns where members are.
func (h *heard) addresses() map[string]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[string]bool{}
	for _, w := range h.alive {
		all[w.address] = true
	}
	return all
}

// NotifyJoin implements memberlist.EventDelegate.
func (h *heard) NotifyJoin(n *memberlist.Node) { h.note(n, true) }

// NotifyUpdate implements memberlist.EventDelegate.
func (h *heard) NotifyUpdate(n *memberlist.Node) { h.note(n, true) }

// NotifyLeave implements memberlist.EventDelegate.
func (h *heard) NotifyLeave(n *memberlist.Node) { h.note(n, false) }

func (h *heard) note(n *memberlist.Node, alive bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if alive {
		h.alive[n.Name] = word{slices.Clone(n.Meta), n.Address()}
	} else {
		delete(h.alive, n.Name)
	}
	select {
	case h.news <- struct{}{}:
	default:
	}
}

// members returns those whose word can be read: of others, a newer program's, nothing can be asked.
func (h *heard) members() []Member {
	h.mu.Lock()
	defer h.mu.Unlock()
	members := make([]Member, 0, len(h.alive))
	for name, w := range h.alive {
		if m, err := parseMember(name, w.meta); err == nil {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}
