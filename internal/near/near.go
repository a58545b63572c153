// Package near finds the name that was meant by one that is misspelt.
package near

import (
	"slices"
	"strings"
)

// far is how many letters a name may differ from the one that was meant.
const far = 2

// Names returns the known names that are the nearest to a misspelt one, sorted: they differ by two letters at most, or begin
// with it. Case, hyphens and underscores do not count.
func Names(misspelt string, known []string) (names []string) {
	word, least := plain(misspelt), far
	for _, name := range known {
		other := plain(name)
		d := distance(word, other)
		if word != "" && strings.HasPrefix(other, word) {
			d = min(d, 1)
		}
		if d < least {
			least, names = d, nil
		}
		if d == least {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// plain is a name without what does not count.
func plain(name string) string {
	return strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name))
}

// distance is the number of letters to insert, delete or replace to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
