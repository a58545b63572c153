package graph

import "testing"

// Values of a slab are zero, never handed out twice, and never reached by appending to others.
func TestSlab(t *testing.T) {
	var s slab[int]
	seen := make(map[*int]bool)
	for n := range 3 * slabValues {
		values := s.many(n)
		for i := range values {
			if values[i] != 0 || seen[&values[i]] {
				t.Fatalf("value %d of %d: %d, handed out before: %t", i, n, values[i], seen[&values[i]])
			}
			values[i], seen[&values[i]] = n+1, true
		}
		if grown := append(values, -1); len(values) > 0 && &grown[0] == &values[0] {
			t.Fatalf("appending to %d values reaches the next one", n)
		}
	}
}
