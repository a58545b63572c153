package graph

// slab hands out zero values from chunks, so that many values of a short life cost one allocation. A chunk stays in memory
// for as long as any value of it: what lives long, such as evidence, is never taken from a slab.
type slab[T any] struct{ left []T }

// slabValues is how many values a chunk has.
const slabValues = 16

// next hands out one value.
func (s *slab[T]) next() *T { return &s.many(1)[0] }

// many hands out n values in a row. Appending to them moves them.
func (s *slab[T]) many(n int) []T {
	if n > slabValues/2 {
		return make([]T, n)
	}
	if len(s.left) < n {
		s.left = make([]T, slabValues)
	}
	values := s.left[:n:n]
	s.left = s.left[n:]
	return values
}
