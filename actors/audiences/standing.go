package audiences

import (
	"cmp"
	"slices"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// Appraiser finds the standing of one person after another. One goroutine at a time uses it.
type Appraiser struct {
	person     Person
	evaluation *audience.Evaluation
	audiences  []int // of the catalog, by key
	standing   audience.Standing
}

// NewAppraiser returns an appraiser by what serves; nil of nil, which finds nothing of anybody.
func (s *State) NewAppraiser() *Appraiser {
	if s == nil {
		return nil
	}
	c := s.Serving
	a := &Appraiser{person: Person{State: s}, evaluation: c.NewEvaluation()}
	for i := range c.Len() {
		a.audiences = append(a.audiences, i)
	}
	slices.SortFunc(a.audiences, func(i, j int) int { return cmp.Compare(c.Key(i), c.Key(j)) })
	return a
}

// Of returns the standing of a person as of a time. It is valid until the next call.
func (a *Appraiser) Of(p *graph.Profile, remembered []graph.SignalState, now int64) *audience.Standing {
	if a == nil {
		return &audience.Standing{}
	}
	a.person.Profile, a.person.Remembered = p, remembered
	a.evaluation.Begin(&a.person, now)
	s := a.person.State
	a.standing.Audiences = a.standing.Audiences[:0]
	for _, i := range a.audiences {
		if a.evaluation.Audience(i).Holds {
			a.standing.Audiences = append(a.standing.Audiences, audience.In{Key: s.Serving.Key(i), Number: s.Live.numbers[i]})
		}
	}
	a.standing.Computed = a.standing.Computed[:0]
	for i := range s.Serving.Computed() {
		v, until := a.evaluation.Value(i)
		if v.Kind == audience.NoValue {
			continue
		}
		v.List = slices.Clone(v.List)
		a.standing.Computed = append(a.standing.Computed, audience.Computed{Key: s.Serving.ComputedKey(i), Value: v, Until: until})
	}
	return &a.standing
}
