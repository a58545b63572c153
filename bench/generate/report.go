package generate

import (
	"fmt"
	"strings"
)

// A Report lists how an export and the truth differ.
type Report struct {
	Truth  int // identities in the truth
	Export int // identities in the export
	Equal  int // identities that are the same in both, in everything
	// Counts are the differences by kind; First holds the first reportFirst of them.
	Counts [differenceKinds]int
	First  []Difference
}

const reportFirst = 20

// DifferenceKind is a way to differ from the truth.
type DifferenceKind uint8

// The kinds of differences. The first four are about who is who, the others about one identity.
const (
	diffMissing           DifferenceKind = iota // an identity of the truth is not in the export
	diffUnexpected                              // the export has an identity that the truth knows nothing of
	diffMerged                                  // an export line joins identities of the truth; its fields are not compared
	diffSplit                                   // a further export line about an identity that had one
	diffMissingIdentifier                       // an identifier is not there
	diffExtraIdentifier                         // an identifier is too much, or there twice
	diffIdentifierSeen                          // first or last time of an identifier
	diffSeen                                    // first or last time of the identity
	diffCounts                                  // events, or events of a type
	diffOrders                                  // orders, or discounted ones
	diffMoney                                   // revenue or discount
	diffTraits                                  // a trait's value
	differenceKinds
)

var differenceNames = [differenceKinds]string{
	"missing identity", "unexpected identity", "identities merged", "identity split", "missing identifier", "extra identifier",
	"identifier's times", "times", "counts", "orders", "money", "traits",
}

func (k DifferenceKind) String() string {
	if k < differenceKinds {
		return differenceNames[k]
	}
	return fmt.Sprintf("difference(%d)", uint8(k))
}

// A Difference is one of them. Identity is the smallest identifier, as "namespace:value".
type Difference struct {
	Kind      DifferenceKind
	Identity  string
	Field     string // which part of the identity; empty when it is about the whole
	Want, Got string
}

func (d Difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", d.Kind, d.Identity)
	if d.Field != "" {
		b.WriteString(": " + d.Field)
	}
	for _, side := range []struct{ name, text string }{{"want", d.Want}, {"got", d.Got}} {
		if side.text == "" {
			side.text = "nothing"
		}
		fmt.Fprintf(&b, ", %s %s", side.name, side.text)
	}
	return b.String()
}

func (r *Report) add(d Difference) {
	r.Counts[d.Kind]++
	if len(r.First) < reportFirst {
		r.First = append(r.First, d)
	}
}

// Differences is the number of all differences.
func (r *Report) Differences() (n int) {
	for _, count := range r.Counts {
		n += count
	}
	return n
}

// OK reports whether the export equals the truth.
func (r *Report) OK() bool { return r.Differences() == 0 && r.Truth == r.Export }

// String is the report for people: a line of totals, one a kind, and the first differences.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d identities in the truth, %d in the export, %d equal, %d differences\n", r.Truth, r.Export, r.Equal, r.Differences())
	for kind, count := range r.Counts {
		if count > 0 {
			fmt.Fprintf(&b, "  %6d %s\n", count, DifferenceKind(kind))
		}
	}
	for _, d := range r.First {
		fmt.Fprintf(&b, "  %s\n", d)
	}
	if more := r.Differences() - len(r.First); more > 0 {
		fmt.Fprintf(&b, "  and %d more\n", more)
	}
	return b.String()
}
