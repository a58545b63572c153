package graph

import (
	"errors"
	"fmt"
)

// AssertionVerb is what an operator asserts.
type AssertionVerb uint8

// The assertions.
const (
	AssertForce   AssertionVerb = 1 + iota // A and B are one person, whatever the limits say
	AssertCannot                           // A and B are never one person; stronger than force
	AssertRetract                          // no evidence that links A and B directly conducts
	AssertForget                           // A leaves its identity: no link of A conducts, but forced ones. B is zero
)

var assertionNames = [...]string{"", "force", "cannot", "retract", "forget"}

func (v AssertionVerb) String() string {
	if int(v) < len(assertionNames) {
		return assertionNames[v]
	}
	return ""
}

// NodeName is a node with the identifier that it stands for.
type NodeName struct {
	Key       NodeKey
	Namespace string
	Value     string
}

// Assertion is evidence from an operator. Of several with equal (Verb, A, B) the one with the
// highest (At, ID) holds; a withdrawn one asserts nothing. Assertions survive replay, restart and
// later merges. A outranks B, but for AssertForget.
type Assertion struct {
	Verb      AssertionVerb
	Withdrawn bool
	A, B      NodeName
	At        int64  // ms since 1970 UTC
	ID        string // unique
	By        string // the operator
	Note      string // the operator's reason
}

// Check reports what is wrong with an assertion that is about to be made.
func (a *Assertion) Check() error {
	switch {
	case a.Verb < AssertForce || a.Verb > AssertForget:
		return fmt.Errorf("assertion %d: want force, cannot, retract or forget", a.Verb)
	case a.ID == "":
		return errors.New("an assertion needs an id")
	case a.A.Key.IsZero():
		return fmt.Errorf("%s names nobody", a.Verb)
	case a.Verb == AssertForget && a.B != (NodeName{}):
		return errors.New("forget takes one identifier")
	case a.Verb != AssertForget && !a.A.Key.Outranks(a.B.Key):
		return fmt.Errorf("%s takes two identifiers, the higher-ranked first", a.Verb)
	}
	return nil
}

// newer reports whether a replaces other, which is about the same thing.
func (a *Assertion) newer(other *Assertion) bool {
	return a.At > other.At || a.At == other.At && a.ID > other.ID
}

// about orders assertions by what they are about.
func (a *Assertion) about(other *Assertion) int {
	if a.Verb != other.Verb {
		return int(a.Verb) - int(other.Verb)
	}
	if c := a.A.Key.Compare(other.A.Key); c != 0 {
		return c
	}
	return a.B.Key.Compare(other.B.Key)
}
