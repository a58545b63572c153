package oracle

import "github.com/kindred-id/kindred/graph"

// Profiles returns the identities with at least one event, in ascending order of id. Events and assertions may be in any
// order and repeat. Raw forms of identifiers stay empty.
func Profiles(events []graph.Event, assertions []graph.Assertion, rules *graph.Rules) []graph.Profile {
	var listed []graph.Profile
	for _, p := range AllProfiles(events, assertions, rules) {
		if p.Events > 0 {
			listed = append(listed, p)
		}
	}
	return listed
}

// AllProfiles returns all identities, including those without an event, in ascending order of id. An identifier exists once
// any event or assertion names it, even a withdrawn one.
func AllProfiles(events []graph.Event, assertions []graph.Assertion, rules *graph.Rules) []graph.Profile {
	ev := gather(events, assertions)
	var profiles []graph.Profile
	for _, members := range resolve(ev, rules).partition() {
		profiles = append(profiles, fold(ev, rules, members))
	}
	return profiles
}
