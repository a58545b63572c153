package rulesfile

import (
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Unreachable lists the limits that no person can reach, because a value becomes generic first: one per line, with the
// remedy. Limits of cookies, devices and contacts can always be reached, since a customer number may link to any number of
// them without becoming generic.
func (f *File) Unreachable() []string {
	most := f.Rules.GenericCustomers
	if most == 0 {
		return nil
	}
	var lines []string
	unique, sum := 0, 0
	for _, l := range f.Rules.Limits {
		if l.Within > 0 || f.class(l.Namespace) != graph.ClassCustomer {
			continue
		}
		sum += l.Max
		if l.Max == 1 {
			unique++
		}
	}
	if unique-1 > most {
		lines = append(lines, fmt.Sprintf("generic.customers: %d, but %d namespaces of class customer have the limit 1: a customer number linked to one of each is generic; raise generic.customers to %d",
			most, unique, unique-1))
	}
	if sum > most {
		lines = append(lines, fmt.Sprintf("generic.customers: %d, but the limits let one person have %d identifiers of class customer: an address that a person uses with all of them is generic; raise generic.customers to %d",
			most, sum, sum))
	}
	return lines
}

// class returns the class of a namespace, or 0 if it does not exist.
func (f *File) class(namespace string) graph.Class {
	all := slices.Concat(f.Identifier.Namespaces, graph.DefaultNamespaces())
	if at := slices.IndexFunc(all, func(ns graph.Namespace) bool { return ns.Name == namespace }); at >= 0 {
		return all[at].Class
	}
	return 0
}
