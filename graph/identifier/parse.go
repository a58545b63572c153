package identifier

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Parse reads "namespace:value" for a look-up; the value may hold colons, and any form that the
// namespace normalises will do. The key is the one that an event would give (N2). Value and Raw are
// the caller's own.
//
// Its errors are ErrSyntax, ErrUnknownNamespace, and those of Identify.
func (r *Registry) Parse(text string) (graph.Identifier, error) {
	name, value, ok := strings.Cut(text, ":")
	if !ok || name == "" {
		return graph.Identifier{}, ErrSyntax
	}
	ns := r.namespaces[name]
	if ns == nil {
		return graph.Identifier{}, r.unknownNamespace(name)
	}
	var id graph.Identifier
	if _, err := r.NewNormaliser().Identify(&id, ns, []byte(value), nil); err != nil {
		return graph.Identifier{}, fmt.Errorf("namespace %q: %w", name, err)
	}
	return id, nil
}

// unknownNamespace names the namespaces that there are. It repeats the one that was asked for only
// when it could be the name of one: whatever else it is, it may be somebody's address.
func (r *Registry) unknownNamespace(name string) error {
	known := strings.Join(slices.Sorted(slices.Values(r.names)), ", ")
	if !validName(name) {
		return fmt.Errorf("%w; known: %s", ErrUnknownNamespace, known)
	}
	return fmt.Errorf("%w %q; known: %s", ErrUnknownNamespace, name, known)
}
