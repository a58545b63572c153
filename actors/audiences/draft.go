package audiences

import (
	"cmp"
	"slices"

	"github.com/kindred-id/kindred/actors/signals"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/audience"
)

// Draft is an audience that is not defined, beside those that are.
type Draft struct {
	state  *State          // the version that would define it
	number int             // in state.Newest
	filled uint64          // up to this version, what people remember of signals is complete
	fresh  map[uint32]bool // numbers of the signals that came later
}

// draftKey names the audience of a draft, with more of its last letter where an audience has that key.
const draftKey = "draft_"

// Draft prepares conditions that may refer to all audiences of the newest version. It fails as defining them would.
func (s *State) Draft(where *audience.Node) (*Draft, error) {
	d, key := &Draft{fresh: map[uint32]bool{}}, draftKey
	if s != nil {
		d.filled = s.Filled
	}
	all, err := s.Parsed()
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Key == key { // keys ascend, so a longer one comes later
			key += "_"
		}
	}
	next, err := s.Next(append(all, audience.Definition{Key: key, Where: where}))
	if err != nil {
		return nil, err
	}
	d.state = next
	for _, n := range next.Definitions.Signals {
		if n.Since > d.filled {
			d.fresh[n.Number] = true
		}
	}
	d.number, _ = next.Newest.Find(key)
	return d, nil
}

// Conditions are those that the draft joins with "and".
func (d *Draft) Conditions() []*audience.Node { return d.state.Newest.Conditions(d.number) }

// NeedsEvents reports whether a condition reads a signal that people don't remember, so that a Look needs their events.
func (d *Draft) NeedsEvents() bool { return len(d.fresh) > 0 }

// Looker looks at one person after another with a draft. One goroutine at a time uses it.
type Looker struct {
	draft      *Draft
	evaluation *audience.Evaluation
	marker     signals.Marker
	marks      signals.Marks
	fresh      graph.Patch // signals that people don't remember, of the person under way
	person     Person
	answers    []audience.Answer
}

// NewLooker returns a looker that has seen nobody.
func (d *Draft) NewLooker() *Looker {
	return &Looker{draft: d, evaluation: d.state.Newest.NewEvaluation(), person: Person{State: d.state}}
}

// Event adds a stored event of the person that Look is called with next. Each is given once, in any order.
func (l *Looker) Event(e *graph.Event) {
	l.marks.Reset()
	e.Marks = l.marker.Mark(l.draft.state.Signals, e, l.draft.filled, l.draft.state.Version, &l.marks)
	l.fresh.Fold(e)
	e.Marks = nil // they are in memory that the next event takes
}

// Look reports whether each condition of the draft holds for a person, in the order of Conditions: all hold for those who are in.
// The result is valid until the next call.
func (l *Looker) Look(p *graph.Profile, remembered []graph.SignalState, now int64) []audience.Answer {
	l.person.Profile = p
	l.person.Remembered = l.complete(remembered)
	l.evaluation.Begin(&l.person, now)
	l.answers = l.evaluation.Conditions(l.answers[:0], l.draft.number)
	l.fresh = graph.Patch{}
	return l.answers
}

// complete replaces what is remembered of signals that are being filled, which is a part, by what the events say.
func (l *Looker) complete(remembered []graph.SignalState) []graph.SignalState {
	if !l.draft.NeedsEvents() {
		return remembered
	}
	list := l.fresh.Signals
	for _, s := range remembered {
		if !l.draft.fresh[s.Number] {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b graph.SignalState) int { return cmp.Compare(a.Number, b.Number) })
	return list
}
