package rulesfile

import (
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/graph"
)

// Unreachable lists the limits that nobody reaches, since a value goes generic before: a line each, with the
// remedy. Cookies, devices and contacts have no part in it: a customer number leads to any number of them
// without going generic, so that their limits can always be reached.
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
		lines = append(lines, fmt.Sprintf("generic.customers: %d, and %d namespaces of class customer have the limit 1: a customer number linked to one of each is generic; raise generic.customers to %d",
			most, unique, unique-1))
	}
	if sum > most {
		lines = append(lines, fmt.Sprintf("generic.customers: %d, and the limits let one person have %d identifiers of class customer: an address that a person uses with all of them is generic; raise generic.customers to %d",
			most, sum, sum))
	}
	return lines
}

// class is the class of a namespace of the file, 0 where it has none of that name.
func (f *File) class(namespace string) graph.Class {
	all := slices.Concat(f.Identifier.Namespaces, graph.DefaultNamespaces())
	if at := slices.IndexFunc(all, func(ns graph.Namespace) bool { return ns.Name == namespace }); at >= 0 {
		return all[at].Class
	}
	return 0
}
