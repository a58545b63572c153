package generate

// A schedule holds items until a number of events was made. It returns them by due number, and in the order of
// insertion if that is equal. It is a binary heap.
type schedule[T any] struct {
	entries []entry[T]
	added   uint64
}

type entry[T any] struct {
	due, seq uint64
	item     T
}

func (e *entry[T]) before(other *entry[T]) bool {
	return e.due < other.due || e.due == other.due && e.seq < other.seq
}

func (s *schedule[T]) len() int { return len(s.entries) }

// add takes an item that is due once so many events were made.
func (s *schedule[T]) add(due uint64, item T) {
	s.entries = append(s.entries, entry[T]{due, s.added, item})
	s.added++
	for i := len(s.entries) - 1; i > 0; {
		up := (i - 1) / 2
		if !s.entries[i].before(&s.entries[up]) {
			break
		}
		s.entries[i], s.entries[up] = s.entries[up], s.entries[i]
		i = up
	}
}

// take returns the next item if it is due when made events were made.
func (s *schedule[T]) take(made uint64) (item T, ok bool) {
	if len(s.entries) == 0 || s.entries[0].due > made {
		return item, false
	}
	item = s.entries[0].item
	last := len(s.entries) - 1
	s.entries[0] = s.entries[last]
	s.entries[last] = entry[T]{}
	s.entries = s.entries[:last]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < last && s.entries[down].before(&s.entries[least]) {
				least = down
			}
		}
		if least == i {
			return item, true
		}
		s.entries[i], s.entries[least] = s.entries[least], s.entries[i]
		i = least
	}
}
