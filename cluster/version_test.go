package cluster

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/cluster/control"
	"github.com/kindred-id/kindred/storage/row"
)

// Whatever programs nodes come with, in whatever order, are removed and come back: the gate never sinks, each member reads what is
// written, and it does not rise while a log tail is to be finished by other handlers.
func TestGateProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all, written := standings{}, uint64(control.Oldest)
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			name := rapid.StringMatching(`n[0-4]`).Draw(t, "name")
			is, known := all[name]
			is.Name = name
			reads := rapid.Uint64Range(1, 4).Draw(t, "reads")
			finished := rapid.Bool().Draw(t, "finished")
			switch {
			case rapid.IntRange(0, 9).Draw(t, "removed") == 0 && len(all) > 1:
				is.State = row.NodeRemoved
			case is.State == row.NodeRemoved, !control.Admit(written, control.Member{Name: is.Name, Readable: reads}):
				continue // it is refused
			default:
				is = all.enrol(is, reads, finished)
				all[name] = is
				if now, _ := all.gate(); known && !finished && now > written {
					t.Fatalf("the gate rises from %d to %d while a log tail is to be finished", written, now)
				}
			}
			all[name] = is
			now, _ := all.gate()
			members := false
			for name := range all {
				members = members || !all.removed(name)
			}
			if members && now < written {
				t.Fatalf("the gate sinks from %d to %d", written, now)
			}
			if written = max(written, now); !members {
				return
			}
			for name, member := range all {
				if !all.removed(name) && member.Reads < written {
					t.Fatalf("%s reads %d, and %d is written", name, member.Reads, written)
				}
			}
		}
	})
}
