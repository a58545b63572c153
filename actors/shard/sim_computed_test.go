package shard_test

import (
	"maps"
	"slices"

	"github.com/kindred-id/kindred/actors/audiences"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// A simTrait is a computed trait, and what it means; no value is -1.
type simTrait struct {
	of    string
	value func(p *simPerson) int64
}

// simTraits are in the unit that their values have: events, ten-thousandths, ms.
var simTraits = map[string]simTrait{
	"tracks": {`{"signal":{"type":"track"},"value":"count"}`, func(p *simPerson) int64 { return int64(p.count(graph.TypeTrack, 0, nil)) }},
	"of_n": {`{"signal":{"type":"track","where":[["n","ge",3]]},"value":"sum","of":"n"}`, func(p *simPerson) (sum int64) {
		p.count(graph.TypeTrack, 0, func(n float64) bool {
			if n >= 3 {
				sum += int64(n * 10_000)
			}
			return true
		})
		return sum
	}},
	"kinds_of_n": {`{"signal":{"type":"page"},"value":"distinct","of":"n"}`, func(p *simPerson) int64 {
		seen := map[float64]bool{}
		p.count(graph.TypePage, 0, func(n float64) bool { seen[n] = true; return true })
		return int64(len(seen))
	}},
	"last_page":  {`{"signal":{"type":"page"},"value":"last_time"}`, func(p *simPerson) int64 { return p.timeOf(graph.TypePage, slices.Max) }},
	"first_page": {`{"signal":{"type":"page"},"value":"first_time"}`, func(p *simPerson) int64 { return p.timeOf(graph.TypePage, slices.Min) }},
	"orders": {`{"orders":"count","last":"25s"}`, func(p *simPerson) (n int64) {
		for i := range p.Orders {
			if o := &p.Orders[i]; o.Status != graph.OrderStateCancelled && o.PlacedAt <= p.now && o.PlacedAt > p.now-25_000 {
				n++
			}
		}
		return n
	}},
}

// timeOf is the first or the last time of the events of a type.
func (p *simPerson) timeOf(kind graph.EventType, which func([]int64) int64) int64 {
	var times []int64
	for _, e := range p.events {
		if e.Type == kind {
			times = append(times, min(e.Stamp.Time, e.Received))
		}
	}
	if len(times) == 0 {
		return -1
	}
	return which(times)
}

// defineTraits changes the computed traits beside the audiences of a version.
func (s *simulation) defineTraits(st *audiences.State) *audiences.State {
	var list []audience.ComputedTrait
	for i, key := range slices.Sorted(maps.Keys(simTraits)) {
		if (st.Version+uint64(i))%3 == 0 { // no draw of chance: it would change which audiences come
			continue
		}
		of, err := audience.ParseExpression([]byte(simTraits[key].of))
		s.must(err, "parse a computed trait")
		list = append(list, audience.ComputedTrait{Key: key, Of: of})
	}
	next, err := st.NextTraits(list)
	if err != nil { // too many wait
		return st
	}
	return next
}

// checkComputed compares the computed traits of a person with those that the raw events give.
func (s *simulation) checkComputed(p *simPerson, appraiser *audiences.Appraiser) {
	want := map[string]int64{}
	for _, t := range s.audiences.state.Definitions.Traits {
		if v := simTraits[t.Key].value(p); v >= 0 {
			want[t.Key] = v
		}
	}
	got := map[string]int64{}
	s.rootOf(p.ID, func(c *graph.Component) {
		profile, _ := c.Profile(p.ID, s.rules)
		remembered, _ := c.Remembered(p.ID, s.rules)
		for _, v := range appraiser.Of(&profile, remembered, s.now).Computed {
			got[v.Key] = v.Value.Number
		}
	})
	if !maps.Equal(got, want) {
		s.failf("at %d, computed traits of version %d of %s are %v, want %v", s.now, s.audiences.state.Version, p.ID, got, want)
	}
	s.audiences.values += len(want)
}
