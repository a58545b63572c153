package graph

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Precedence is the order of time in which links are admitted.
type Precedence uint8

// The precedences.
const (
	KeepFirst  Precedence = iota // the link that was seen first wins
	LatestWins                   // the link that was seen last wins
)

func (a AliasRule) String() string {
	if a == AliasRefused {
		return "refused"
	}
	return "merges"
}

// ParseAliasRule reads a rule by its name.
func ParseAliasRule(name string) (rule AliasRule, ok bool) {
	switch name {
	case "merges":
		return AliasMerges, true
	case "refused":
		return AliasRefused, true
	}
	return 0, false
}

// Limit bounds how many identifiers of a namespace one identity may hold.
type Limit struct {
	Namespace string
	Max       int
	// Within bounds them only within a window of event time; 0 is for ever. Whole milliseconds.
	Within time.Duration
}

// Rules say which links make an identity. They are data: versioned, and applied to evidence that is already there as to
// evidence to come. They never decide what is hosted together, except at the two last caps.
//
//   - Version is a hash of the content. A component caches its partition under it, so two sets of rules that differ
//     have different versions.
//   - Limits, MaxIdentity, Precedence and Alias act in Resolve, on all evidence at once: the order of events does not matter (I1).
//   - The generic thresholds act where a member is hosted, when a neighbour is added. A change of them takes a Recheck.
//   - Rules are not changed once a component has seen them. They are shared by goroutines.
type Rules struct {
	Name    string
	Version uint64 // hash of the content
	Precedence
	Limits []Limit
	// A contact, device or cookie linked to more than GenericCustomers different identifiers of class
	// customer, or to more than GenericNeighbours in all, is a generic value and stops conducting. A
	// customer-class value is one where it is linked to more than GenericCustomers customers of other
	// unique namespaces. 0 is never.
	GenericCustomers  int
	GenericNeighbours int
	// An identity holds at most MaxIdentity identifiers, as if all of them were of one limited namespace; 0 is no
	// bound. It is applied like a limit, so it does not depend on the order in which evidence arrives.
	MaxIdentity int
	// A component that holds MaxMembers identifiers or MaxLinks links hosts nothing new. This is the last defence
	// of memory, far above MaxIdentity: what arrived first is in (I1).
	MaxMembers int
	MaxLinks   int
	// Former rules were written down by a program for which any neighbours made a customer number generic, and the
	// cap of a component was all that bounded a person.
	// What its log holds is brought to its end under them (actors.Open), and then never again.
	Former bool
	// Alias says what an alias between two user ids does.
	Alias AliasRule
}

// AliasRule says what an alias between two identifiers of one namespace does.
type AliasRule uint8

// The alias rules.
const (
	AliasMerges  AliasRule = iota // it passes the limit of their namespace
	AliasRefused                  // it is held to it, like all other evidence
)

// limit is the limit of a namespace; ok is false when it has none.
func (r *Rules) limit(namespace string) (Limit, bool) {
	for _, l := range r.Limits {
		if l.Namespace == namespace {
			return l, true
		}
	}
	return Limit{}, false
}

// unique reports whether one person has at most one identifier of a namespace, for ever.
func (r *Rules) unique(namespace string) bool {
	l, ok := r.limit(namespace)
	return ok && l.Max == 1 && l.Within == 0
}

// windowed reports whether any limit has a window.
func (r *Rules) windowed() bool {
	return slices.ContainsFunc(r.Limits, func(l Limit) bool { return l.Within > 0 })
}

// DefaultRules are the preset "default".
func DefaultRules() *Rules {
	return &Rules{
		Name: "default", Version: 0x42bf1dd006c90c15,
		Limits: []Limit{
			{Namespace: "user_id", Max: 1},
			{Namespace: "email", Max: 5},
			{Namespace: "phone", Max: 3},
			{Namespace: "device_id", Max: 20},
			{Namespace: "idfa", Max: 20},
			{Namespace: "gaid", Max: 20},
			{Namespace: "push_token", Max: 20},
			{Namespace: "anonymous_id", Max: 1000},
			{Namespace: "ga_client_id", Max: 1000},
		},
		GenericCustomers: 10, GenericNeighbours: 100,
		MaxIdentity: 2500, MaxMembers: 100_000, MaxLinks: 1_000_000,
	}
}

// identityCap is how many identifiers an identity can come to hold; 0 is no bound.
func (r *Rules) identityCap() int {
	if r.MaxIdentity > 0 {
		return r.MaxIdentity
	}
	return r.MaxMembers
}

// Check returns every contradiction in a set of rules, joined.
func (r *Rules) Check() error {
	var errs []error
	var seen []string
	if r.Precedence > LatestWins {
		errs = append(errs, fmt.Errorf("order %d: want keep_first or latest_wins", r.Precedence))
	}
	if r.Alias > AliasRefused {
		errs = append(errs, fmt.Errorf("alias %d: want merges or refused", r.Alias))
	}
	for _, l := range r.Limits {
		switch {
		case l.Namespace == "":
			errs = append(errs, errors.New("a limit names no namespace"))
		case slices.Contains(seen, l.Namespace):
			errs = append(errs, fmt.Errorf("namespace %q is limited twice", l.Namespace))
		case l.Max < 1:
			errs = append(errs, fmt.Errorf("limit %d of namespace %q: want 1 or more", l.Max, l.Namespace))
		case l.Within < 0 || l.Within%time.Millisecond != 0:
			errs = append(errs, fmt.Errorf("window %s of namespace %q: want whole milliseconds, not negative", l.Within, l.Namespace))
		case r.identityCap() > 0 && l.Max > r.identityCap():
			errs = append(errs, fmt.Errorf("limit %d of namespace %q is above the cap of %d identifiers of one person: lower the limit or raise caps.identifiers", l.Max, l.Namespace, r.identityCap()))
		}
		seen = append(seen, l.Namespace)
	}
	switch {
	case r.MaxIdentity < 0 || r.MaxIdentity == 1:
		errs = append(errs, fmt.Errorf("caps.identifiers %d: want 2 or more", r.MaxIdentity))
	case r.MaxMembers < 2:
		errs = append(errs, fmt.Errorf("caps.hosted %d: want 2 or more", r.MaxMembers))
	case r.MaxIdentity > r.MaxMembers:
		errs = append(errs, fmt.Errorf("caps.identifiers %d is above caps.hosted %d: raise caps.hosted, or no person can reach it", r.MaxIdentity, r.MaxMembers))
	}
	if r.MaxLinks < 1 {
		errs = append(errs, fmt.Errorf("caps.links %d: want 1 or more", r.MaxLinks))
	}
	if r.GenericCustomers < 0 || r.GenericNeighbours < 0 {
		errs = append(errs, errors.New("generic thresholds: want 0 (never) or more"))
	}
	if r.GenericNeighbours > 0 && r.GenericCustomers > r.GenericNeighbours {
		errs = append(errs, fmt.Errorf("generic.customers %d is above generic.neighbours %d: it could never apply", r.GenericCustomers, r.GenericNeighbours))
	}
	return errors.Join(errs...)
}
