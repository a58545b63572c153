package rulesfile

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// version hashes the settings that affect the resolution of identities, in one canonical form. It omits the name, settings
// for future events, and those of scores, since a change of them requires no sweep.
func version(r *graph.Rules) uint64 {
	var lines []string
	for _, l := range r.Limits {
		lines = append(lines, fmt.Sprintf("limit %s %d %d\n", l.Namespace, l.Max, l.Within.Milliseconds()))
	}
	slices.Sort(lines)
	text := fmt.Sprintf("order %d\ngeneric %d %d\ncaps %d %d\n%s", r.Precedence,
		r.GenericCustomers, r.GenericNeighbours, r.MaxMembers, r.MaxLinks, strings.Join(lines, ""))
	if !r.Former {
		text += fmt.Sprintf("alias %d\nidentity %d\n", r.Alias, r.MaxIdentity)
	}
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:])
}
