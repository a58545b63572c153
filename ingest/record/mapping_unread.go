package record

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/ingest/segment"
	"github.com/kindred-id/kindred/internal/near"
)

// Unread lists the fields of the mapping that no event has, a sentence each, with the ones that may be meant. They are warnings
// and no errors, because rules may name a path of any field as that of an identifier; paths are those that are known to be named.
func (m *Mapping) Unread(paths ...string) (warnings []string) {
	for i := range m.events {
		for j := range m.events[i].fields {
			f := &m.events[i].fields[j]
			root, _, _ := strings.Cut(f.Target, ".")
			if slices.Contains(segment.Fields, root) || slices.ContainsFunc(paths, func(path string) bool { return path == root || strings.HasPrefix(path, root+".") }) {
				continue
			}
			meant := "the rest of a record belongs below properties or traits"
			if names := near.Names(root, segment.Fields); len(names) > 0 {
				meant = "did you mean " + strings.Join(names, " or ") + "?"
			}
			warnings = append(warnings, fmt.Sprintf("line %d of the mapping: %s: an event has no field %s, and nothing reads it unless the rules name its path; %s", f.Line, f.Target, root, meant))
		}
	}
	return warnings
}
