package oracle

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Case is a small history and the people that must result from it, in any order and with any repetition of its steps: the
// contract of the merge rules, by example. The cases are written in cases.txt.
type Case struct {
	Name  string // "S3/keep_first"
	Why   string
	Rules *graph.Rules
	Steps []Step // in event-time order
	// Want lists all identities, including those without an event.
	Want []Identity
	// Generic lists the identifiers that must be reported as generic values, "namespace:value".
	Generic []string
	// Orders lists the orders that profiles must have, in the form of orderWants, sorted.
	Orders []string
}

// Step is one event or one assertion.
type Step struct {
	Text      string // as it stands in cases.txt
	Event     *graph.Event
	Assertion *graph.Assertion
	// Blocked lists the identifiers, "namespace:value", that were sent with the event but never become nodes. Event does not
	// contain them.
	Blocked []string
}

// Identity is one identity that a case requires.
type Identity struct {
	Members []string // "namespace:value", sorted
	Events  uint64
}

// World returns the case as evidence: its steps in the order of the text, and its rules.
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

// Check reports the differences between profiles and the case. Profiles may omit some or all identities without an event.
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
