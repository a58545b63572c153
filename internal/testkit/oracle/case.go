package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Case is a small history and the people it must come out as, in whatever order its steps arrive
// and however often: the contract of the merge rules, by example. The cases are written in
// cases.txt.
type Case struct {
	Name  string // "S3/keep_first"
	Why   string
	Rules *graph.Rules
	Steps []Step // in event-time order
	// Want are all identities, those without an event included.
	Want []Identity
	// Generic are the identifiers that must be reported as generic values, "namespace:value".
	Generic []string
	// Orders are the orders that profiles must have, as orderWants writes them, sorted.
	Orders []string
}

// Step is one event or one assertion.
type Step struct {
	Text      string // as it stands in cases.txt
	Event     *graph.Event
	Assertion *graph.Assertion
	// Blocked are the identifiers, "namespace:value", that the event was sent with and that never
	// become nodes; Event is without them.
	Blocked []string
}

// Identity is one identity that a case wants.
type Identity struct {
	Members []string // "namespace:value", sorted
	Events  uint64
}

// World is the case as evidence: its steps in the order they were written, and its rules.
func (c *Case) World() World {
	w := World{Rules: c.Rules}
	for _, s := range c.Steps {
		switch {
		case s.Event != nil:
			w.Events = append(w.Events, *s.Event)
		case s.Assertion != nil:
			w.Assertions = append(w.Assertions, *s.Assertion)
		}
	}
	return w
}

// Check tells how profiles differ from what the case wants. Identities without an event may be
// absent from profiles, all of them or some.
func (c *Case) Check(profiles []graph.Profile) error {
	var got, want []string
	for i := range profiles {
		var members []string
		for _, id := range profiles[i].Identifiers {
			name := nameOf(id.NodeName)
			members = append(members, name)
			if want := slices.Contains(c.Generic, name); id.Generic != want {
				return fmt.Errorf("case %s: %s generic %t, want %t", c.Name, name, id.Generic, want)
			}
		}
		slices.Sort(members)
		got = append(got, Identity{members, profiles[i].Events}.String())
	}
	for _, id := range c.Want {
		line := id.String()
		if id.Events > 0 || slices.Contains(got, line) {
			want = append(want, line)
		}
	}
	if orders := orderWants(profiles); !slices.Equal(orders, c.Orders) {
		return fmt.Errorf("case %s: orders\n  %s\nwant\n  %s", c.Name, strings.Join(orders, "\n  "), strings.Join(c.Orders, "\n  "))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		return fmt.Errorf("case %s: identities\n  %s\nwant\n  %s", c.Name, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return nil
}

func (id Identity) String() string {
	return fmt.Sprintf("%s: %d events", strings.Join(id.Members, " "), id.Events)
}

func nameOf(n graph.NodeName) string { return n.Namespace + ":" + n.Value }
