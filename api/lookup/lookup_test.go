package lookup

import (
	"errors"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
)

func newRegistry(t *testing.T) *identifier.Registry {
	t.Helper()
	registry, err := identifier.New([16]byte{1}, identifier.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// An id is namespace:value in any form, or a public id in its one spelling. Every form leads to one key.
func TestParseID(t *testing.T) {
	registry := newRegistry(t)
	ann, err := ParseID(registry, "email:ann@example.com")
	if err != nil || ann.Namespace != "email" || ann.Value != "ann@example.com" {
		t.Fatalf("%v, %v", ann, err)
	}
	phone, err := ParseID(registry, "phone:+3225551212")
	if err != nil {
		t.Fatal(err)
	}
	public := ann.Key.String()
	for _, c := range []struct {
		text string
		want graph.NodeName
		err  error
	}{
		{"email: Ann@Example.COM ", ann, nil},
		{public, graph.NodeName{Key: ann.Key}, nil},
		{strings.ToUpper(public), graph.NodeName{}, identifier.ErrSyntax},
		{public[:len(public)-1], graph.NodeName{}, identifier.ErrSyntax},
		{public + ":", graph.NodeName{}, identifier.ErrUnknownNamespace},
		{"", graph.NodeName{}, identifier.ErrSyntax},
		{"Ann@example.com", ann, nil},
		{"ann@", graph.NodeName{}, identifier.ErrInvalid},
		{"+32 2 555 12 12", phone, nil},
		{"+32x", graph.NodeName{}, identifier.ErrSyntax},
		{"025551212", graph.NodeName{}, identifier.ErrSyntax},
		{":ann@example.com", graph.NodeName{}, identifier.ErrSyntax},
		{"emial:ann@example.com", graph.NodeName{}, identifier.ErrUnknownNamespace},
		{"email:ann", graph.NodeName{}, identifier.ErrInvalid},
		{"email:", graph.NodeName{}, identifier.ErrEmpty},
		{"user_id:null", graph.NodeName{}, identifier.ErrBlocked},
	} {
		if got, err := ParseID(registry, c.text); got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%q: %v, %v; want %v, %v", c.text, got, err, c.want, c.err)
		}
	}
}

// An id that can't be read is refused before the engine is asked, and the problem does not repeat a value.
func TestUnreadableIDs(t *testing.T) {
	l := &Lookup{Registry: newRegistry(t)} // no engine: asking one would panic
	for text, code := range map[string]document.Code{
		"ann":               document.CodeBadID,
		"email:bob.invalid": document.CodeBadID,
		"bob@bob.invalid:x": document.CodeUnknownNamespace,
	} {
		_, p := l.Need(t.Context(), text)
		if p == nil || p.Code != code || strings.Contains(p.Detail, "bob") {
			t.Errorf("Need(%q): %+v, want %s", text, p, code)
		}
		for _, needed := range []bool{false, true} {
			if _, seen, p := l.Name(t.Context(), text, needed); p == nil || p.Code != code || seen {
				t.Errorf("Name(%q, %t): %t, %+v, want %s", text, needed, seen, p, code)
			}
		}
	}
}
