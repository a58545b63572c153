//go:build mutant

package mutant

import (
	"maps"
	"sync"
)

// budget is how many hooks a run may pass. A broken rule can make messages go in circles for ever:
// then the hook that they pass panics, which is as good as any other failure.
const budget = 300_000

var (
	mu       sync.Mutex // guards the following
	selected string
	left     int
	passed   = map[string]bool{}
)

// Select breaks the named rule from now on, and no other; none when the name is empty. It begins a
// run.
func Select(name string) {
	mu.Lock()
	defer mu.Unlock()
	selected, left = name, budget
}

// Is tells whether the named rule is broken in this run.
func Is(name string) bool {
	mu.Lock()
	defer mu.Unlock()
	passed[name] = true
	if selected == "" {
		return false
	}
	if left--; left < 0 {
		panic("mutant: a run without end")
	}
	return name == selected
}

// Passed are the names of all hooks that were passed so far.
func Passed() map[string]bool {
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(passed)
}
