package workload

import "math/rand/v2"

// storm joins two histories at every fifth event, in groups of stormGroup people with a cookie and a device each. A join is an
// event with the cookie of one and the device of the other. A group is joined in one of four patterns:
//
//	chain   1-2, 2-3, 3-4, …          each join adds to what the last one made
//	star    1-2, 1-3, 1-4, …          all into the first
//	burst   as star, one after another, with no event in between
//	halves  1-2, 3-4, …, then 1-3, …  both sides of a join are equally long
//
// The events between two joins go to the people of the group at random, after a first part that gives each person a history.
type storm struct {
	seed   uint64
	rng    *rand.Rand
	number uint64
	events int
	group  uint64
	plan   []step
}

// step is an event of a group: of person a, or a join of a and b.
type step struct{ a, b int }

const (
	stormGroup   = 64
	stormHistory = 2 // events of each person before the first join of its group
)

func newStorm(seed uint64, events int) *storm {
	return &storm{seed: seed, rng: dice(seed), events: events}
}

// Next implements source.
func (s *storm) Next(dst []byte) ([]byte, bool) {
	if int(s.number) == s.events {
		return dst, false
	}
	if len(s.plan) == 0 {
		s.plan = s.makePlan(int(s.group % 4))
		s.group++
	}
	next := s.plan[0]
	s.plan = s.plan[1:]
	s.number++
	first := (s.group-1)*stormGroup + 1
	v := visit{number: s.number, browser: first + uint64(next.a), device: first + uint64(next.b), person: first + uint64(next.a)}
	return v.append(dst, s.seed), true
}

// makePlan returns the events of a group. Joins are a fifth of them.
func (s *storm) makePlan(pattern int) (plan []step) {
	var joins []step
	switch pattern {
	case 0:
		for i := 1; i < stormGroup; i++ {
			joins = append(joins, step{i - 1, i})
		}
	case 1, 2:
		for i := 1; i < stormGroup; i++ {
			joins = append(joins, step{0, i})
		}
	case 3:
		for distance := 1; distance < stormGroup; distance *= 2 {
			for i := 0; i+distance < stormGroup; i += 2 * distance {
				joins = append(joins, step{i, i + distance})
			}
		}
	}
	own := func(i int) { plan = append(plan, step{i, i}) }
	history, between := stormHistory, 4-stormHistory
	if pattern == 2 {
		history, between = 4, 0
	}
	for range history {
		for i := range stormGroup {
			own(i)
		}
	}
	for _, join := range joins {
		for range between {
			own(s.rng.IntN(stormGroup))
		}
		plan = append(plan, join)
	}
	return plan
}
