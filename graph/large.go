package graph

import "slices"

// A component above these numbers is large: what is done for every message of a small one waits for the close
// of a step, or for a reader. Tests change them, see SetLarge.
var (
	largeMembers = 64
	largeLinks   = 256
)

// SetLarge changes from how many members and links on a component is large, and after how many more those added are
// settled. It is for tests that hunt with small worlds for what goes wrong in large ones, before any component is made.
func SetLarge(members, links, overlay int) (restore func()) {
	m, l, o := largeMembers, largeLinks, overlayLeast
	largeMembers, largeLinks, overlayLeast = members, links, overlay
	return func() { largeMembers, largeLinks, overlayLeast = m, l, o }
}

// lists are the members and links of a component. Members are in descending rank, links by LinkKey, and no two are
// equal.
//
// A large component keeps beside its lists what was added lately, so members and links are reached through find and
// findLink, or in place after settle.
type lists struct {
	members []Member
	links   []Link
	large   *large // nil: the component is small
}

// large is what a large component has beside the lists of every component, so that a message costs what it
// changes, and not what there is:
//
//	find ──► memberAt ──► lists.members    settled, by rank
//	     └─► binary search in members      added since, by rank, few
//
// Settle merges the second into the first; the places are stale then, and made anew by the next find.
//
//   - members and links that were added since the last settle are in sorted lists of their own. To insert each into
//     the component's lists would move half of them.
//   - the component's own lists are found by tables of places, for binary search in long lists meets cold memory.
//   - what became of identities is told once, by Close, and not with every message.
type large struct {
	members []Member // added since the last settle
	links   []Link

	memberAt places // of lists.members
	linkAt   places // of lists.links
	stale    bool   // the places are of lists that have moved since
}

// overlayLeast is how many members or links are added before they are settled, at the least. Above it, a list may
// grow by an eighth, as evidence that comes in parts makes it.
var overlayLeast = 512

func overlayMost(settled int) int { return max(overlayLeast, settled/8) }

// overlayFull reports whether a list must settle before one more is added at its place: insertion moves what follows,
// so a list stays short even where the settled one is long.
func overlayFull(added, settled int) bool {
	return added >= min(overlayMost(settled), 4*overlayLeast)
}

// grow makes the component large once it is.
func (ls *lists) grow() {
	if ls.large == nil && (len(ls.members) > largeMembers || len(ls.links) > largeLinks) {
		ls.large = &large{stale: true}
	}
}

// memberCount is how many members there are, settled or not.
func (ls *lists) memberCount() int {
	n := len(ls.members)
	if ls.large != nil {
		n += len(ls.large.members)
	}
	return n
}

// linkCount is how many links there are, settled or not.
func (ls *lists) linkCount() int {
	n := len(ls.links)
	if ls.large != nil {
		n += len(ls.large.links)
	}
	return n
}

// find returns a member; nil if no member has the key. It is valid until a member is added.
func (ls *lists) find(key NodeKey) *Member {
	if ls.large == nil {
		if i, found := searchMember(ls.members, key); found {
			return &ls.members[i]
		}
		return nil
	}
	if i := ls.settledMember(key); i >= 0 {
		return &ls.members[i]
	}
	if i, found := searchMember(ls.large.members, key); found {
		return &ls.large.members[i]
	}
	return nil
}

// place returns a member's index once all are settled; -1 if no member has the key.
//
// REQUIRES: settled
func (ls *lists) place(key NodeKey) int {
	if ls.large != nil {
		return ls.settledMember(key)
	}
	if i, found := searchMember(ls.members, key); found {
		return i
	}
	return -1
}

func (ls *lists) settledMember(key NodeKey) int {
	l := ls.large
	if l.stale {
		l.index(ls)
	}
	for at := l.memberAt.first(memberHash(key)); ; at = l.memberAt.next(at) {
		i := l.memberAt.slots[at] - 1
		if i < 0 || ls.members[i].Key == key {
			return int(i)
		}
	}
}

// findLink returns a link; nil if no link has the key. It is valid until a link is added.
func (ls *lists) findLink(key LinkKey) *Link {
	if ls.large == nil {
		if i, found := searchLink(ls.links, key); found {
			return &ls.links[i]
		}
		return nil
	}
	l := ls.large
	if l.stale {
		l.index(ls)
	}
	for at := l.linkAt.first(linkHash(key)); ; at = l.linkAt.next(at) {
		i := l.linkAt.slots[at] - 1
		if i < 0 {
			break
		}
		if ls.links[i].LinkKey == key {
			return &ls.links[i]
		}
	}
	if i, found := searchLink(l.links, key); found {
		return &l.links[i]
	}
	return nil
}

// reserve makes room in a small component for so many members, and for one link fewer. Up to four, as most people have,
// both are one piece of memory.
func (ls *lists) reserve(members int) {
	switch {
	case members < 2 || ls.large != nil:
	case members == 2:
		room := &struct {
			members [2]Member
			links   [1]Link
		}{}
		ls.members, ls.links = append(room.members[:0], ls.members...), append(room.links[:0], ls.links...)
	case members <= 4:
		room := &struct {
			members [4]Member
			links   [3]Link
		}{}
		ls.members, ls.links = append(room.members[:0], ls.members...), append(room.links[:0], ls.links...)
	default:
		ls.members = append(make([]Member, 0, members), ls.members...)
		ls.links = append(make([]Link, 0, members-1), ls.links...)
	}
}

// addMember adds a member, at its place among those of a small component.
func (ls *lists) addMember(at int, m Member) *Member {
	if ls.large == nil {
		ls.members = slices.Insert(ls.members, at, m)
		ls.grow()
		return &ls.members[at]
	}
	l := ls.large
	if overlayFull(len(l.members), len(ls.members)) {
		ls.settle()
	}
	at, _ = searchMember(l.members, m.Key)
	l.members = slices.Insert(l.members, at, m)
	return &l.members[at]
}

// addLink adds a link, at its place among those of a small component.
func (ls *lists) addLink(at int, link Link) *Link {
	if ls.large == nil {
		ls.links = slices.Insert(ls.links, at, link)
		ls.grow()
		return &ls.links[at]
	}
	l := ls.large
	if overlayFull(len(l.links), len(ls.links)) {
		ls.settle()
	}
	at, _ = searchLink(l.links, link.LinkKey)
	l.links = slices.Insert(l.links, at, link)
	return &l.links[at]
}

// addAll adds members and links to a large component, each in order and none of them there.
func (ls *lists) addAll(members []Member, links []Link) {
	l := ls.large
	l.members = mergeNew(l.members, members, func(a, b *Member) bool { return a.Key.Outranks(b.Key) })
	l.links = mergeNew(l.links, links, func(a, b *Link) bool { return a.LinkKey.Compare(b.LinkKey) < 0 })
	if len(l.members) > overlayMost(len(ls.members)) || len(l.links) > overlayMost(len(ls.links)) {
		ls.settle()
	}
}

// settle brings what was added to where it belongs.
func (ls *lists) settle() {
	l := ls.large
	if l == nil || len(l.members)+len(l.links) == 0 {
		return
	}
	ls.members = mergeNew(ls.members, l.members, func(a, b *Member) bool { return a.Key.Outranks(b.Key) })
	ls.links = mergeNew(ls.links, l.links, func(a, b *Link) bool { return a.LinkKey.Compare(b.LinkKey) < 0 })
	clear(l.members)
	clear(l.links)
	l.members, l.links, l.stale = l.members[:0], l.links[:0], true
}

// mergeNew merges sorted elements into a sorted list, from its end, in place where there is room.
//
// From the end, an element of list moves only to places whose elements have moved already, so no copy of the list
// is needed. It ends when more is used up: what is left of list is in its place.
func mergeNew[T any](list, more []T, before func(a, b *T) bool) []T {
	i, j := len(list)-1, len(more)-1
	list = slices.Grow(list, len(more))[:len(list)+len(more)]
	for at := len(list) - 1; j >= 0; at-- {
		if i >= 0 && before(&more[j], &list[i]) {
			list[at] = list[i]
			i--
		} else {
			list[at] = more[j]
			j--
		}
	}
	return list
}

// places finds elements of a list by a hash: open addressing, at most half full, without deletion.
//
// A slot is 4 bytes, so a table has 8 to 16 bytes for each element. The upper bits of a hash choose the slot, as a
// multiplication mixes those best, and the next slots follow if it is taken. At most half full, a search meets few
// slots. A binary search among 100,000 members takes 17 steps, each to a cold place.
type places struct {
	slots []int32 // index and one; 0 is free
	shift uint8
}

func (p *places) first(hash uint64) uint32 { return uint32(hash >> p.shift) }

func (p *places) next(at uint32) uint32 {
	if at++; int(at) == len(p.slots) {
		return 0
	}
	return at
}

// reset makes room for n elements.
func (p *places) reset(n int) {
	bits := uint8(3)
	for 1<<bits < 2*n {
		bits++
	}
	if len(p.slots) == 1<<bits {
		clear(p.slots)
	} else {
		p.slots = make([]int32, 1<<bits)
	}
	p.shift = 64 - bits
}

func (p *places) put(hash uint64, i int) {
	at := p.first(hash)
	for p.slots[at] != 0 {
		at = p.next(at)
	}
	p.slots[at] = int32(i) + 1
}

// Keys are keyed hashes already; what is left is to mix two of them.
func memberHash(key NodeKey) uint64 { return (key.Lo ^ key.Hi) * 0x9e3779b97f4a7c15 }

func linkHash(key LinkKey) uint64 {
	return (key.A.Lo*0xff51afd7ed558ccd ^ key.B.Lo ^ key.B.Hi) * 0x9e3779b97f4a7c15
}

func (l *large) index(ls *lists) {
	l.memberAt.reset(len(ls.members))
	for i := range ls.members {
		l.memberAt.put(memberHash(ls.members[i].Key), i)
	}
	l.linkAt.reset(len(ls.links))
	for i := range ls.links {
		l.linkAt.put(linkHash(ls.links[i].LinkKey), i)
	}
	l.stale = false
}
