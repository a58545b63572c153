package generate

import (
	"errors"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
)

// The engine reads identifiers as the package comment says: every form of a value is one identifier, and junk is not
// an identifier.
func TestEngineReadsIdentifiers(t *testing.T) {
	registry, err := identifier.New([16]byte{1}, identifier.Config{
		Namespaces: []graph.Namespace{{Name: "loyalty_card", Class: graph.ClassCustomer, Normaliser: graph.NormaliseTrim}},
	})
	if err != nil {
		t.Fatal(err)
	}
	normaliser := registry.NewNormaliser()
	for kind := idUser; kind < identKinds; kind++ {
		ns := registry.Namespace([]byte(namespaces[kind]))
		if ns == nil {
			t.Fatalf("no namespace %q", namespaces[kind])
		}
		for i := range uint64(2000) {
			id := identOf(kind, i*(maxPeople/2000))
			want := string(id.appendValue(nil, 5, formNormal))
			for form := range formsEnd {
				raw := id.appendValue(nil, 5, form)
				var got graph.Identifier
				if _, err := normaliser.Identify(&got, ns, raw, nil); err != nil || string(got.Value) != want {
					t.Fatalf("%s %q is %q, %v, want %q", ns.Name, raw, got.Value, err, want)
				}
			}
		}
		for _, value := range junk {
			if _, err := normaliser.Identify(&graph.Identifier{}, ns, []byte(value), nil); !errors.Is(err, identifier.ErrBlocked) {
				t.Errorf("%s %q: %v, want it blocked", ns.Name, value, err)
			}
		}
	}
}
