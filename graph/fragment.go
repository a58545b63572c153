package graph

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph/score"
)

// Fragment is the mergeable summary of all events whose route was one identifier. Everything in
// it folds: sums, minima, maxima and last-writer-wins registers ordered by Stamp.
//
//   - Fold and merge are commutative and associative (I2), so a profile is a sum over fragments, and a split parts it exactly.
//   - Each distinct event is folded once. Nothing here could tell: the memory of duplicates and the channels see to it.
//   - Values are overwritten in place, so that an event that brings nothing new allocates nothing. A caller that keeps a value
//     beyond the next message copies it (Profile.own).
//
// One summary a person would be smaller. It could not be divided again when a shared device is taken from one person and
// given to another: the visits would have to stay where they had been added.
type Fragment struct {
	Events uint64
	Counts [EventTypes]uint64
	First  int64 // event times, ms since 1970 UTC
	Last   int64
	Traits []Register      // by name
	Orders []OrderEvidence // by id

	Offers    *score.OfferBook      // nil without any, as for most
	Interests *score.InterestCounts // nil without any
	Visits    score.VisitDays

	Sections *Sections // nil without any
}

// Register is a last-writer-wins value. Value is JSON text; nil says that the trait was deleted.
type Register struct {
	Name  string
	Value []byte
	Stamp Stamp
}

// noTime is the time of what never happened.
const noTime = math.MinInt64

// fold adds an event that was never folded before. It keeps no reference to the event's bytes, and
// allocates only for what it sees for the first time. Names of traits and categories come from names, which may be nil.
func (f *Fragment) fold(e *Event, names *score.Names) {
	at := e.Stamp.Time
	if f.Events == 0 {
		f.First, f.Last = at, at
	} else {
		f.First, f.Last = min(f.First, at), max(f.Last, at)
	}
	f.Events++
	f.Counts[e.Type]++
	if len(e.Traits) > 0 {
		f.foldTraits(e, names)
	}
	if e.Order.Kind != OrderNone {
		f.foldOrder(e)
	}
	f.foldDealings(e, names)
	if len(e.Marks) > 0 {
		f.foldMarks(e)
	}
}

// foldTraits sets the traits of an event. The first event with traits brings most of them, so its values share memory.
func (f *Fragment) foldTraits(e *Event, names *score.Names) {
	var room []byte
	if f.Traits == nil {
		size := 0
		for i := range e.Traits {
			size += len(e.Traits[i].Value)
		}
		f.Traits, room = make([]Register, 0, len(e.Traits)), make([]byte, 0, size)
	}
	for i := range e.Traits {
		room = f.setTrait(&e.Traits[i], e.Stamp, names, room)
	}
}

// setTrait sets a trait. The value of a new one is put into room if that has enough, and what is left of room is returned.
func (f *Fragment) setTrait(t *Trait, stamp Stamp, names *score.Names, room []byte) []byte {
	i, found := searchName(f.Traits, t.Name)
	if !found {
		r := Register{Name: names.Of(t.Name), Stamp: stamp}
		if n := len(t.Value); room == nil || n > cap(room) {
			r.Value = bytes.Clone(t.Value)
		} else if t.Value != nil {
			r.Value, room = append(room[:0:n], t.Value...), room[n:n:cap(room)]
		}
		f.Traits = slices.Insert(f.Traits, i, r)
		return room
	}
	r := &f.Traits[i]
	if compareRegister(stamp, t.Value, r.Stamp, r.Value) <= 0 {
		return room
	}
	r.Stamp = stamp
	if t.Value == nil {
		r.Value = nil
	} else {
		r.Value = append(r.Value[:0], t.Value...)
	}
	return room
}

// searchName finds a register without turning the name into a string.
func searchName(registers []Register, name []byte) (int, bool) {
	lo, hi := 0, len(registers)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if registers[mid].Name < string(name) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(registers) && registers[lo].Name == string(name)
}

// compareRegister orders writes to one register: by stamp, then by value, so that the order is
// total whatever the stamps.
func compareRegister(aStamp Stamp, a []byte, bStamp Stamp, b []byte) int {
	if c := aStamp.Compare(bStamp); c != 0 {
		return c
	}
	return bytes.Compare(a, b)
}

func earliest(a, b int64) int64 {
	if a == noTime {
		return b
	}
	if b == noTime {
		return a
	}
	return min(a, b)
}

// merge adds a fragment of other events. It takes ownership of g's parts.
func (f *Fragment) merge(g *Fragment) {
	switch {
	case g.Events == 0:
	case f.Events == 0:
		f.First, f.Last = g.First, g.Last
	default:
		f.First, f.Last = min(f.First, g.First), max(f.Last, g.Last)
	}
	f.Events += g.Events
	for t := range f.Counts {
		f.Counts[t] += g.Counts[t]
	}
	f.Traits = mergeSorted(f.Traits, g.Traits, func(a, b *Register) int { return strings.Compare(a.Name, b.Name) },
		func(a, b *Register) {
			if compareRegister(a.Stamp, a.Value, b.Stamp, b.Value) < 0 {
				*a = *b
			}
		})
	f.Orders = mergeSorted(f.Orders, g.Orders, func(a, b *OrderEvidence) int { return strings.Compare(a.ID, b.ID) },
		func(a, b *OrderEvidence) { a.merge(b) })
	f.mergeDealings(g)
	f.mergeSections(g.Sections)
}

// mergeSorted unites two sorted slices; both folds an element of b into its equal of a.
func mergeSorted[T any](a, b []T, compare func(a, b *T) int, both func(a, b *T)) []T {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	united := make([]T, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := compare(&a[0], &b[0]); {
		case c < 0:
			united, a = append(united, a[0]), a[1:]
		case c > 0:
			united, b = append(united, b[0]), b[1:]
		default:
			both(&a[0], &b[0])
			united, a, b = append(united, a[0]), a[1:], b[1:]
		}
	}
	return append(append(united, a...), b...)
}

// Size estimates the fragment's memory in bytes.
func (f *Fragment) Size() int {
	size := 192 + f.Visits.Size() + f.Sections.size()
	for i := range f.Traits {
		size += f.Traits[i].size()
	}
	for i := range f.Orders {
		size += f.Orders[i].size()
	}
	if f.Offers != nil {
		size += f.Offers.Size()
	}
	if f.Interests != nil {
		size += f.Interests.Size()
	}
	return size
}

func (r *Register) size() int { return 72 + len(r.Name) + cap(r.Value) }

// cut takes off the fragment what it may have very much of, in pieces that fit into a part. Merged with what is left they
// are the fragment again. The book of offers is bounded, so it is a piece of its own.
func (f *Fragment) cut() (pieces []*Fragment) {
	for len(f.Orders) > 0 || len(f.Traits) > 0 {
		piece := &Fragment{}
		for n := 0; n < partBytes/2 && len(f.Orders) > 0; f.Orders = f.Orders[1:] {
			n += f.Orders[0].size()
			piece.Orders = append(piece.Orders, f.Orders[0])
		}
		for n := 0; n < partBytes/2 && len(f.Traits) > 0; f.Traits = f.Traits[1:] {
			n += f.Traits[0].size()
			piece.Traits = append(piece.Traits, f.Traits[0])
		}
		pieces = append(pieces, piece)
	}
	if f.Interests != nil {
		for cells := f.Interests.Cells(); len(cells) > 0; {
			n, size := 0, 0
			for n < len(cells) && size < partBytes/2 {
				size += cells[n].Size()
				n++
			}
			counts := score.NewInterestCounts(cells[:n:n])
			pieces = append(pieces, &Fragment{Interests: &counts})
			cells = cells[n:]
		}
	}
	if f.Offers != nil {
		pieces = append(pieces, &Fragment{Offers: f.Offers})
	}
	f.Interests, f.Offers = nil, nil
	return f.cutSections(pieces)
}

// clone copies the fragment with everything that an event can change in place.
func (f *Fragment) clone() *Fragment {
	clone := *f
	clone.Traits, clone.Orders = slices.Clone(f.Traits), slices.Clone(f.Orders)
	for t := range clone.Traits {
		clone.Traits[t].Value = bytes.Clone(clone.Traits[t].Value)
	}
	for o := range clone.Orders {
		clone.Orders[o].Refunds = slices.Clone(clone.Orders[o].Refunds)
	}
	if f.Offers != nil {
		offers := f.Offers.Clone()
		clone.Offers = &offers
	}
	if f.Interests != nil {
		interests := f.Interests.Clone()
		clone.Interests = &interests
	}
	clone.Visits = f.Visits.Clone()
	clone.Sections = f.Sections.clone()
	return &clone
}
