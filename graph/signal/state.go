package signal

import (
	"bytes"
	"cmp"
	"hash/fnv"
	"slices"
	"strings"
)

// State is what one signal remembers of the events of one fragment, or of one person. The zero State with a kind is of no event.
type State struct {
	Kind    Kind
	N       int
	Moments []Moment // Newest: the newest first. Oldest: the oldest first.
	Days    []Day    // Days: ascending
	Values  []Value  // First, Last: at most one. Distinct: by hash, then text. Recent: the newest first.
}

// Day counts the events of a UTC day, or of a period of 30 days that begins with it.
type Day struct {
	Day   int32 // since 1970
	Long  bool  // a period of 30 days
	Count uint32
	Sum   int64 // of the property, in ten-thousandths
}

// DaysMax is how many days with events are kept as days. Older ones are added up by 30 days.
const (
	DaysMax    = 800
	PeriodDays = 30
	DayMillis  = 24 * 60 * 60 * 1000
)

// Value is a value of a property.
type Value struct {
	Text   string
	Number int64 // in ten-thousandths, if Text is a number
	Newest Moment
	Count  uint32 // events, of Distinct; else 0

	hash uint64
}

// Scalar returns the value as a text: of a number its shortest form, which compares as the number.
func (v *Value) Scalar() Scalar { return Scalar{Kind: Text, Text: []byte(v.Text)} }

// NewState returns the state of a signal that has seen no event.
func (d *Definition) NewState() State { return State{Kind: d.Kind, N: d.N} }

// Empty reports whether the state is of no event.
func (s *State) Empty() bool { return len(s.Moments) == 0 && len(s.Days) == 0 && len(s.Values) == 0 }

// Full reports whether moments or values may have been left out, so that an answer that needs more is not exact.
func (s *State) Full() bool {
	switch s.Kind {
	case Newest, Oldest:
		return len(s.Moments) >= s.N
	case Distinct, Recent:
		return len(s.Values) >= s.N
	}
	return false
}

// Fold adds an event that was never folded before. The value is that of the property that the definition names; ok is false if the
// event has none. It allocates only for what it sees for the first time.
func (s *State) Fold(m Moment, value Scalar, ok bool) {
	switch s.Kind {
	case Newest:
		s.Moments = insertMoment(s.Moments, m, s.N, newestFirst)
	case Oldest:
		s.Moments = insertMoment(s.Moments, m, s.N, oldestFirst)
	case Days:
		units := int64(0)
		if ok {
			units, _ = value.Units()
		}
		s.addDay(Day{Day: DayOf(m.Time), Count: 1, Sum: units})
	default:
		if ok && value.Kind != Null {
			units, _ := value.Units()
			s.foldValue(value.Key(), units, m)
		}
	}
}

// DayOf is the UTC day of a time in ms since 1970.
func DayOf(ms int64) int32 {
	day := ms / DayMillis
	if ms%DayMillis < 0 {
		day--
	}
	return int32(max(-1<<31, min(1<<31-1, day)))
}

// addDay adds the events of a day.
func (s *State) addDay(d Day) {
	i, found := slices.BinarySearchFunc(s.Days, d, compareDays)
	if found {
		s.Days[i].add(&d)
		return
	}
	s.Days = slices.Insert(s.Days, i, d)
	s.cutDays()
}

// compareDays puts periods before days, since they are older: the newest DaysMax days are at the end.
func compareDays(a, b Day) int {
	if a.Long != b.Long {
		return compareBool(b.Long, a.Long)
	}
	return cmp.Compare(a.Day, b.Day)
}

func (d *Day) add(other *Day) {
	d.Count, d.Sum = d.Count+other.Count, d.Sum+other.Sum
	if d.Count < other.Count {
		d.Count = 1<<32 - 1
	}
}

// cutDays adds the oldest days to their periods until DaysMax are left. A day that is cut here is older than DaysMax others, so
// it would be cut after any merge as well (S1).
func (s *State) cutDays() {
	periods, _ := slices.BinarySearchFunc(s.Days, Day{Day: -1 << 31}, compareDays)
	for len(s.Days)-periods > DaysMax {
		d := s.Days[periods]
		s.Days = slices.Delete(s.Days, periods, periods+1)
		d.Long, d.Day = true, d.Day-mod(d.Day, PeriodDays)
		if i, found := slices.BinarySearchFunc(s.Days, d, compareDays); found {
			s.Days[i].add(&d)
		} else {
			s.Days = slices.Insert(s.Days, i, d)
			periods++
		}
	}
}

func mod(a, b int32) int32 { return (a%b + b) % b }

func (s *State) foldValue(text []byte, units int64, m Moment) {
	switch s.Kind {
	case First, Last:
		v := Value{Number: units, Newest: m}
		if len(s.Values) == 0 {
			v.Text = string(text)
			s.Values = append(s.Values, v)
		} else if old := &s.Values[0]; s.supersedes(m, text, old) {
			v.Text = old.Text
			if string(text) != old.Text {
				v.Text = string(text)
			}
			*old = v
		}
	case Distinct:
		h := hashOf(text)
		i, found := slices.BinarySearchFunc(s.Values, h, func(v Value, h uint64) int {
			return cmp.Or(cmp.Compare(v.hash, h), strings.Compare(v.Text, string(text)))
		})
		switch {
		case found:
			s.Values[i].seen(m, 1)
		case i < s.N:
			s.Values = slices.Insert(s.Values, i, Value{Text: string(text), Number: units, Newest: m, Count: 1, hash: h})
			s.Values = s.Values[:min(len(s.Values), s.N)]
		}
	case Recent:
		i := slices.IndexFunc(s.Values, func(v Value) bool { return v.Text == string(text) })
		if i < 0 {
			s.Values = append(s.Values, Value{Text: string(text), Number: units, Newest: m})
		} else {
			s.Values[i].seen(m, 0)
		}
		s.cutRecent()
	}
}

// supersedes reports whether a value takes the place of the one that is kept. The text decides last, so that the order is total.
func (s *State) supersedes(m Moment, text []byte, old *Value) bool {
	order := cmp.Or(m.Compare(old.Newest), bytes.Compare(text, []byte(old.Text)))
	if s.Kind == First {
		return order < 0
	}
	return order > 0
}

func (v *Value) seen(m Moment, count uint32) {
	if m.Compare(v.Newest) > 0 {
		v.Newest = m
	}
	if v.Count += count; v.Count < count {
		v.Count = 1<<32 - 1
	}
}

// cutRecent sorts and cuts. A value that is cut has N newer ones beside it, and comes back only by an event that is newer than
// theirs: so what is kept is the newest N of all (S1). A count would not survive the cut, hence there is none.
func (s *State) cutRecent() {
	slices.SortFunc(s.Values, func(a, b Value) int {
		return cmp.Or(newestFirst(a.Newest, b.Newest), strings.Compare(a.Text, b.Text))
	})
	s.Values = s.Values[:min(len(s.Values), s.N)]
}

func hashOf(text []byte) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write(text)
	return hash.Sum64()
}

// Restore completes a state that was decoded: it computes what is not stored. It reports whether the state is one that events
// can have brought about: of a known kind, in order, and within its bounds.
func (s *State) Restore() bool {
	for i := range s.Values {
		v := &s.Values[i]
		v.Number, _ = v.Scalar().Units()
		if s.Kind == Distinct {
			v.hash = hashOf([]byte(v.Text))
		}
	}
	return s.valid()
}

func (s *State) valid() bool {
	if !s.Kind.Holds(s.N) {
		return false
	}
	switch s.Kind {
	case Newest:
		return len(s.Moments) <= s.N && ascending(s.Moments, newestFirst)
	case Oldest:
		return len(s.Moments) <= s.N && ascending(s.Moments, oldestFirst)
	case Days:
		return s.validDays()
	case First, Last:
		return len(s.Values) <= 1 && s.validValues()
	case Distinct:
		return len(s.Values) <= s.N && s.validValues() &&
			ascending(s.Values, func(a, b Value) int { return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.Text, b.Text)) })
	}
	return len(s.Values) <= s.N && s.validValues() &&
		ascending(s.Values, func(a, b Value) int { return cmp.Or(newestFirst(a.Newest, b.Newest), strings.Compare(a.Text, b.Text)) })
}

// ascending reports whether elements stand in an order, with no two that are equal.
func ascending[T any](list []T, compare func(a, b T) int) bool {
	for i := 1; i < len(list); i++ {
		if compare(list[i-1], list[i]) >= 0 {
			return false
		}
	}
	return true
}

func (s *State) validDays() bool {
	days := 0
	for i := range s.Days {
		d := &s.Days[i]
		if d.Count == 0 || d.Long && mod(d.Day, PeriodDays) != 0 {
			return false
		}
		if !d.Long {
			days++
		}
	}
	return days <= DaysMax && ascending(s.Days, compareDays)
}

func (s *State) validValues() bool {
	for i := range s.Values {
		if v := &s.Values[i]; len(v.Text) > ValueMax || (s.Kind == Distinct) != (v.Count > 0) {
			return false
		}
	}
	return true
}

// Merge adds the state of other events of the same signal. It leaves other as it is, and keeps no reference to it.
func (s *State) Merge(other *State) {
	switch s.Kind {
	case Newest:
		for _, m := range other.Moments {
			s.Moments = insertMoment(s.Moments, m, s.N, newestFirst)
		}
	case Oldest:
		for _, m := range other.Moments {
			s.Moments = insertMoment(s.Moments, m, s.N, oldestFirst)
		}
	case Days:
		s.mergeDays(other.Days)
	case First, Last:
		for i := range other.Values {
			if v := &other.Values[i]; len(s.Values) == 0 || s.supersedes(v.Newest, []byte(v.Text), &s.Values[0]) {
				s.Values = append(s.Values[:0], *v)
			}
		}
	case Distinct:
		s.mergeDistinct(other.Values)
	case Recent:
		for i := range other.Values {
			v := &other.Values[i]
			if at := slices.IndexFunc(s.Values, func(w Value) bool { return w.Text == v.Text }); at >= 0 {
				s.Values[at].seen(v.Newest, 0)
			} else {
				s.Values = append(s.Values, *v)
			}
		}
		s.cutRecent()
	}
}

func (s *State) mergeDays(days []Day) {
	for i := range days {
		at, found := slices.BinarySearchFunc(s.Days, days[i], compareDays)
		if found {
			s.Days[at].add(&days[i])
		} else {
			s.Days = slices.Insert(s.Days, at, days[i])
		}
	}
	s.cutDays()
}

func (s *State) mergeDistinct(values []Value) {
	for i := range values {
		v := &values[i]
		at, found := slices.BinarySearchFunc(s.Values, v, func(a Value, b *Value) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), strings.Compare(a.Text, b.Text))
		})
		if found {
			s.Values[at].seen(v.Newest, v.Count)
		} else {
			s.Values = slices.Insert(s.Values, at, *v)
		}
	}
	s.Values = s.Values[:min(len(s.Values), s.N)]
}

// Clone copies the state with all that Fold changes in place.
func (s *State) Clone() State {
	clone := *s
	clone.Moments, clone.Days, clone.Values = slices.Clone(s.Moments), slices.Clone(s.Days), slices.Clone(s.Values)
	return clone
}

// Size estimates the memory of the state in bytes.
func (s *State) Size() int {
	size := 88 + 16*cap(s.Moments) + 24*cap(s.Days) + 56*cap(s.Values)
	for i := range s.Values {
		size += len(s.Values[i].Text)
	}
	return size
}
