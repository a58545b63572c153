package score

import (
	"fmt"
	"strings"
	"testing"
)

// Names returns the name it was given, keeps a bounded number of short ones, and allocates nothing for those it keeps.
func TestNames(t *testing.T) {
	var names Names
	for _, n := range []*Names{nil, &names} {
		for i := range 3 * namesMost {
			name := fmt.Appendf(nil, "category %d", i%(2*namesMost))
			want := string(name)
			got := n.Of(name)
			clear(name)
			if got != want {
				t.Fatalf("%q became %q", want, got)
			}
		}
	}
	if len(names.kept) != namesMost {
		t.Errorf("%d names are kept, want %d", len(names.kept), namesMost)
	}
	known := []byte("category 1")
	if n := testing.AllocsPerRun(100, func() { names.Of(known) }); n != 0 {
		t.Errorf("%v allocations for a name that is kept", n)
	}
	var long Names
	long.Of([]byte(strings.Repeat("n", nameLength+1)))
	if len(long.kept) != 0 {
		t.Error("a long name is kept")
	}
}
