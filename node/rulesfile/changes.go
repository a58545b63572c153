package rulesfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// Changes lists the differences between two sets of rules, one per line: "limits.email: 5, was 3". Blocked values may be
// personal data, so Changes only counts those.
func Changes(from, to *File) []string {
	before, after := from.settings(), to.settings()
	var lines []string
	for _, s := range after {
		at := slices.IndexFunc(before, func(b setting) bool { return b.key == s.key })
		switch {
		case at < 0:
			lines = append(lines, s.key+": "+s.value+", was not set")
		case before[at].value != s.value:
			lines = append(lines, s.key+": "+s.value+", was "+before[at].value)
		}
	}
	for _, s := range before {
		if !slices.ContainsFunc(after, func(a setting) bool { return a.key == s.key }) {
			lines = append(lines, s.key+": not set, was "+s.value)
		}
	}
	for _, list := range []struct {
		key           string
		before, after []string
	}{
		{"blocked.values", from.Identifier.Blocked, to.Identifier.Blocked},
		{"blocked.patterns", from.Identifier.BlockedPatterns, to.Identifier.BlockedPatterns},
		{"blocked.allow", from.Identifier.Allowed, to.Identifier.Allowed},
	} {
		added, removed := without(list.after, list.before), without(list.before, list.after)
		if added+removed > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d added, %d removed", list.key, added, removed))
		}
	}
	return lines
}

// without counts the elements of a that are not in b.
func without(a, b []string) (n int) {
	for _, v := range a {
		if !slices.Contains(b, v) {
			n++
		}
	}
	return n
}

// setting is one key of a file and its value, formatted for people.
type setting struct{ key, value string }

// settings lists all that a file can set, in the order of a canonical file, each with its value as people read it.
// Changes compares these lists, so a setting that is missing here is changed without a word.
func (f *File) settings() []setting {
	list := []setting{{"name", f.Rules.Name}, {"order", orderName(f.Rules.Precedence)}}
	if !f.Rules.Former {
		list = append(list, setting{aliasKey, f.Rules.Alias.String()})
	}
	for _, l := range f.Rules.Limits {
		list = append(list, setting{"limits." + l.Namespace, limitText(l)})
	}
	list = append(list,
		setting{"generic.customers", fmt.Sprint(f.Rules.GenericCustomers)},
		setting{"generic.neighbours", fmt.Sprint(f.Rules.GenericNeighbours)},
		setting{"caps.identifiers", fmt.Sprint(cmp.Or(f.Rules.MaxIdentity, f.Rules.MaxMembers))},
		setting{"caps.hosted", fmt.Sprint(f.Rules.MaxMembers)},
		setting{"caps.links", fmt.Sprint(f.Rules.MaxLinks)})
	for _, ns := range f.Identifier.Namespaces {
		list = append(list, setting{"namespaces." + ns.Name, namespaceText(ns)})
	}
	var paths []string
	for _, p := range f.Paths {
		paths = append(paths, p.Path+" to "+p.Namespace)
	}
	return append(list,
		setting{"identifiers", orNone(paths)},
		setting{regionKey, ifAssumed(f.Identifier.Region, f.Assumed.Region)},
		setting{currencyKey, ifAssumed(f.Currency, f.Assumed.Currency)},
		setting{"sources", orNone(f.Sources)},
		setting{"sources_apart", orNone(f.SourcesApart)},
		setting{"context.keep", orNone(f.Context.Keep)},
		setting{"context.ip", f.Context.IP},
		setting{"context.max_bytes", fmt.Sprint(f.Context.MaxBytes)},
		setting{"times.earliest", f.Times.Earliest.Format(time.DateOnly)},
		setting{"times.ahead", windowText(f.Times.Ahead)},
		setting{"scores." + horizonDays, realText(f.Scores.HorizonDays)},
		setting{"scores." + annualDiscount, realText(f.Scores.AnnualDiscount)},
		setting{"scores." + margin, realText(f.Scores.Margin)})
}

// ifAssumed marks a value that nobody stated.
func ifAssumed(value string, assumed bool) string {
	if assumed {
		return value + " (assumed)"
	}
	return value
}

// orNone writes a list for people.
func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// Follow reports an error if a deployment that holds data under the rules from cannot change to f. The class of a namespace
// is part of the rank of its identifiers, which decides permanently where they are hosted, so it cannot change.
func (f *File) Follow(from *File) error {
	for _, old := range from.Identifier.Namespaces {
		at := slices.IndexFunc(f.Identifier.Namespaces, func(ns graph.Namespace) bool { return ns.Name == old.Name })
		if at >= 0 && f.Identifier.Namespaces[at].Class != old.Class {
			return fmt.Errorf("namespaces.%s: class %s, but stored identifiers have class %s: a class is fixed when a namespace is first used; use a namespace with another name, or ingest into a new directory",
				old.Name, f.Identifier.Namespaces[at].Class, old.Class)
		}
	}
	return nil
}
