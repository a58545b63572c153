package rulesfile

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// version hashes what decides who is who, in one canonical form. The name is left out, and so is
// what only concerns events to come, or scores: none of them asks for anybody to be resolved anew.
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
