package mutant

import (
	"maps"
	"sync"
)

// budget is how many switches a run may pass. A broken rule can make messages go in circles for ever: then the switch
// that they pass panics, which is as good as any other failure.
const budget = 300_000

var (
	mu       sync.Mutex // guards the following
	selected string
	left     int
	passed   = map[string]bool{}
)

// Select switches on the named mutant and no other; none if the name is empty. It begins a run.
func Select(name string) {
	mu.Lock()
	defer mu.Unlock()
	selected, left = name, budget
}

// Is reports whether the named mutant is switched on. Mutated sources call it.
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

// Pick returns broken if the named mutant is switched on, else sound. Mutated sources call it.
func Pick[T any](name string, broken, sound T) T {
	if Is(name) {
		return broken
	}
	return sound
}

// Zero returns the zero value of a type that a mutant cannot name, because the name would move with the package.
func Zero[T any](T) (zero T) { return zero }

// Passed returns the names of all mutants whose switch was passed so far.
func Passed() map[string]bool {
	mu.Lock()
	defer mu.Unlock()
	return maps.Clone(passed)
}
