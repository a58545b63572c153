package graph_test

import (
	"fmt"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/testkit/oracle"
	"github.com/kindred-id/kindred/node/rulesfile"
)

// No preset has a limit that a generic threshold makes unreachable: somebody who has as many identifiers of a
// namespace as a limit allows, each seen with the customer number and the address, is one person with all of them.
func TestLimitsAreReached(t *testing.T) {
	for _, name := range rulesfile.Presets() {
		file, err := rulesfile.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if lines := file.Unreachable(); len(lines) > 0 {
			t.Errorf("preset %s: %q", name, lines)
		}
		for _, limit := range file.Rules.Limits {
			t.Run(name+"/"+limit.Namespace, func(t *testing.T) {
				rules := *file.Rules
				rules.MaxMembers, rules.MaxLinks = max(rules.MaxMembers, limit.Max+2), max(rules.MaxLinks, 2*limit.Max)
				w := oracle.World{Rules: &rules}
				for i := range limit.Max {
					ids := []graph.NodeName{oracle.Name("user_id", "u"), oracle.Name("phone", "p")}
					if limit.Namespace != "user_id" && limit.Namespace != "phone" {
						ids = append(ids, oracle.Name(limit.Namespace, fmt.Sprint("x", i)))
					} else if i > 0 {
						ids = []graph.NodeName{ids[0], oracle.Name(limit.Namespace, fmt.Sprint("x", i))}
					}
					w.Events = append(w.Events, oracle.Sighting(fmt.Sprint("m", i), int64(i), ids...))
				}
				n, err := run(w, 1)
				if err != nil {
					t.Fatal(err)
				}
				all := n.profiles()
				if len(all) != 1 {
					t.Fatalf("%d people, want 1", len(all))
				}
				count := 0
				for _, id := range all[0].Identifiers {
					if id.Generic {
						t.Errorf("%s:%s is generic", id.Namespace, id.Value)
					}
					if id.Namespace == limit.Namespace {
						count++
					}
				}
				if count != limit.Max {
					t.Errorf("%d identifiers of %s, the limit is %d", count, limit.Namespace, limit.Max)
				}
			})
		}
	}
}
