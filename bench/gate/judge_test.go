package main

import "testing"

// samples returns n samples that spread evenly by a share of their middle.
func samples(n int, middle, spread, allocs float64) []sample {
	s := make([]sample, n)
	for i := range s {
		v := middle * (1 + spread*(2*float64(i)/float64(n-1)-1))
		s[i] = sample{clock: v, cpu: v, allocs: allocs}
	}
	return s
}

func TestVerdicts(t *testing.T) {
	stray := samples(10, 100, 0.02, 0)
	stray[3].allocs = 1
	for _, test := range []struct {
		name         string
		base, change []sample
		want         verdict
	}{
		{"equal", samples(10, 100, 0.02, 0), samples(10, 100, 0.02, 0), fine},
		{"faster", samples(10, 100, 0.02, 0), samples(10, 50, 0.02, 0), fine},
		{"clearly slower, by less than a tenth", samples(10, 100, 0.02, 0), samples(10, 108, 0.02, 0), fine},
		{"slower by a quarter", samples(10, 100, 0.05, 0), samples(10, 125, 0.05, 0), slower},
		{"slower by less than the noise", samples(10, 100, 0.9, 0), samples(10, 125, 0.9, 0), fine},
		{"an allocation", samples(10, 100, 0.02, 0), samples(10, 100, 0.02, 1), allocating},
		{"an allocation in one sample", samples(10, 100, 0.02, 0), stray, fine},
		{"an allocation more of 40", samples(10, 100, 0.02, 40), samples(10, 100, 0.02, 41), fine},
		{"five allocations more of 40", samples(10, 100, 0.02, 40), samples(10, 100, 0.02, 45), allocating},
		{"fewer allocations", samples(10, 100, 0.02, 40), samples(10, 100, 0.02, 0), fine},
	} {
		if got := rowOf("layer", &sides{test.base, test.change}, convictP); got.verdict != test.want {
			t.Errorf("%s: %s, want %s: cpu %+v", test.name, got.verdict, test.want, got.cpu)
		}
	}
}
