package signal

import (
	"cmp"
	"slices"
)

// Moment is when an event happened, and which event it was: two events of one millisecond are two moments.
type Moment struct {
	Time int64  // ms since 1970 UTC
	Tie  uint64 // hash of the event's id and content
}

// Compare orders moments by time; negative if m is older than other.
func (m Moment) Compare(other Moment) int {
	return cmp.Or(cmp.Compare(m.Time, other.Time), cmp.Compare(m.Tie, other.Tie))
}

// insertMoment adds m to moments in the given order, keeps the first n, and does nothing for a moment that is there already.
func insertMoment(moments []Moment, m Moment, n int, compare func(a, b Moment) int) []Moment {
	i, found := slices.BinarySearchFunc(moments, m, compare)
	switch {
	case found || i >= n:
		return moments
	case len(moments) < n:
		return slices.Insert(moments, i, m)
	}
	copy(moments[i+1:], moments[i:len(moments)-1])
	moments[i] = m
	return moments
}

func newestFirst(a, b Moment) int { return b.Compare(a) }
func oldestFirst(a, b Moment) int { return a.Compare(b) }
