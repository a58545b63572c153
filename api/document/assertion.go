package document

import "github.com/kindred-id/kindred/graph"

// Assertion is what an operator asserted about identifiers.
type Assertion struct {
	ID        string `json:"id"`
	Verb      string `json:"verb" jsonschema:"enum=force,enum=cannot,enum=retract,enum=forget"`
	Withdrawn bool   `json:"withdrawn"`      // taken back: it has no effect
	A         Name   `json:"a"`              // the higher-ranked of the two
	B         *Name  `json:"b,omitempty"`    // absent from a forget
	At        Time   `json:"at"`             // when it was made
	By        string `json:"by,omitempty"`   // the operator, as the request named them
	Note      string `json:"note,omitempty"` // the reason, as the request gave it
}

// Assertions are the assertions about the identifiers of a person, withdrawn ones included.
type Assertions struct {
	ID         string      `json:"id"` // public id of the person
	Assertions []Assertion `json:"assertions"`
}

// AssertionRequest asks for an assertion. A and B are namespace:value, or a public id, which here means the identifier
// that it stands for and not the head of its identity.
type AssertionRequest struct {
	// force: a and b are one person. cannot: they never are; stronger than force. retract: no evidence that links them
	// directly counts. forget: a leaves its person.
	Verb     string `json:"verb" jsonschema:"required,enum=force,enum=cannot,enum=retract,enum=forget"`
	A        string `json:"a" jsonschema:"required"`
	B        string `json:"b"`                                // required, but for a forget, which is about a alone
	Note     string `json:"note" jsonschema:"maxLength=1000"` // the reason, at most 1000 bytes
	By       string `json:"by" jsonschema:"maxLength=200"`    // the operator, at most 200 bytes
	Withdraw bool   `json:"withdraw"`                         // takes an earlier assertion of the same verb, a and b back
	DryRun   bool   `json:"dry_run"`                          // says what it would do, and does nothing
}

// AssertionAnswer says what an assertion did, or with dry_run would do.
type AssertionAnswer struct {
	Assertion Assertion          `json:"assertion"`
	DryRun    bool               `json:"dry_run"`
	Before    []Encoded[Profile] `json:"before"`             // the people that held a and b before
	After     []Encoded[Profile] `json:"after"`              // the people that hold a and b now
	Warnings  []string           `json:"warnings,omitempty"` // as text
}

// NewAssertion is the document of an assertion.
func NewAssertion(a *graph.Assertion) Assertion {
	d := Assertion{
		ID: a.ID, Verb: a.Verb.String(), Withdrawn: a.Withdrawn, A: newName(a.A), At: NewTime(a.At), By: a.By, Note: a.Note,
	}
	if a.Verb != graph.AssertForget {
		b := newName(a.B)
		d.B = &b
	}
	return d
}
