package signal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
)

// Kind says what a signal remembers of its events.
type Kind uint8

// The kinds of memory.
const (
	Newest   Kind = 1 + iota // the N newest moments
	Oldest                   // the N oldest moments
	Days                     // how many events a UTC day, and the sum of a property
	First                    // the value of a property in the oldest event that has it
	Last                     // the value of a property in the newest event that has it
	Distinct                 // values of a property: the N whose hash is lowest, with count and newest moment
	Recent                   // values of a property: the N seen last, with their newest moment
)

// Holds reports whether a signal of the kind may keep n moments or values; 0 of those that keep none, or all.
func (k Kind) Holds(n int) bool {
	switch k {
	case Newest, Oldest:
		return n >= 1 && n <= MomentsMax
	case Distinct:
		return n >= 1 && n <= DistinctMax
	case Recent:
		return n >= 1 && n <= RecentMax
	case Days, First, Last:
		return n == 0
	}
	return false
}

// Limits of what a signal remembers.
const (
	MomentsMax  = 64
	DistinctMax = 128
	RecentMax   = 256
)

// EventFilter says which events a signal is of.
type EventFilter struct {
	Type  string      // of the Segment spec: track, page, screen, …; empty: any
	Name  string      // of the track, page or screen event, exactly; empty: any
	Where []Condition // all of them hold
}

// Definition is a signal: which events, and what is remembered of them.
type Definition struct {
	Event EventFilter
	Kind  Kind
	N     int    // moments or values; 0 for Days, First and Last
	Of    string // the property; empty for Newest, Oldest, and Days that sum nothing
}

// ID is the hash of a definition.
type ID uint64

// NameMax bounds the name of an event, in bytes.
const (
	NameMax  = 200
	whereMax = 20
)

// Check reports what is wrong with the filter.
func (e *EventFilter) Check() error {
	switch e.Type {
	case "", "identify", "track", "page", "screen", "group", "alias":
	default:
		return fmt.Errorf("unknown type of event %q; use identify, track, page, screen, group or alias", e.Type)
	}
	switch {
	case e.Type == "" && e.Name == "":
		return errors.New("neither a name nor a type of event; give one")
	case len(e.Name) > NameMax:
		return fmt.Errorf("an event's name of %d bytes; give at most %d", len(e.Name), NameMax)
	case len(e.Where) > whereMax:
		return fmt.Errorf("%d conditions of one event; give at most %d", len(e.Where), whereMax)
	}
	for i := range e.Where {
		if err := e.Where[i].Check(); err != nil {
			return fmt.Errorf("where[%d]: %w", i, err)
		}
	}
	return nil
}

// Check reports what is wrong with the definition.
func (d *Definition) Check() error {
	if err := d.Event.Check(); err != nil {
		return err
	}
	limit, of := 0, true
	switch d.Kind {
	case Newest, Oldest:
		limit, of = MomentsMax, false
	case Distinct:
		limit = DistinctMax
	case Recent:
		limit = RecentMax
	case Days:
		of = d.Of != ""
	case First, Last:
	default:
		return fmt.Errorf("unknown kind of memory %d", d.Kind)
	}
	switch {
	case limit == 0 && d.N != 0 || limit > 0 && (d.N < 1 || d.N > limit):
		return fmt.Errorf("a memory of %d; give at most %d", d.N, limit)
	case of != (d.Of != ""):
		return errors.New("a property is given where none is used, or none where one is needed")
	case d.Of != "":
		return (&Condition{Path: d.Of, Op: Exists}).Check()
	}
	return nil
}

// Canonical brings the filter into the one form that all equal ones have: neither the order of conditions nor that of their
// values says anything. Memory that the filter shared with others stays as it is.
func (e *EventFilter) Canonical() {
	where := slices.Clone(e.Where)
	for i := range where {
		where[i].canonical()
	}
	slices.SortFunc(where, func(a, b Condition) int { return a.compare(&b) })
	e.Where = slices.CompactFunc(where, func(a, b Condition) bool { return a.compare(&b) == 0 })
}

// Canonical brings the definition into the one form that all equal ones have, and returns its id (S3). REQUIRES: d.Check() == nil
func (d *Definition) Canonical() ID {
	d.Event.Canonical()
	hash := fnv.New64a()
	_, _ = hash.Write(d.appendCanonical(nil))
	return ID(hash.Sum64())
}

// appendCanonical appends a form in which no two different definitions are equal: each text after its length.
func (d *Definition) appendCanonical(b []byte) []byte {
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	text(d.Event.Type)
	text(d.Event.Name)
	b = append(b, byte(d.Kind))
	b = binary.AppendUvarint(b, uint64(d.N))
	text(d.Of)
	for i := range d.Event.Where {
		c := &d.Event.Where[i]
		text(c.Path)
		text(string(c.Op))
		b = binary.AppendUvarint(b, uint64(len(c.Values)))
		for _, v := range c.Values {
			b = append(b, byte(v.Kind), truth(v.True))
			text(v.Text)
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v.Num+0)) // +0: there is no negative zero
		}
	}
	return b
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}
