package main

// depthMax bounds how many leading digits the table looks at.
const depthMax = 4

// A row has, for numbers that begin alike, what the library surely does by the number of their digits.
type row struct {
	keep lengths // of these lengths all digits stay
	drop lengths // of these the first digits are cut off
	cut  int     // how many
}

// A node of a trie over leading digits: a row, or a node for each next digit.
type node struct {
	row  row
	next *[10]*node
}

// newTrie makes the trie of a plan, no deeper than it tells more.
func newTrie(says judge, prefix string) *node {
	leaf, asks := newRow(says, prefix)
	if !asks || len(prefix) == depthMax {
		return &node{row: leaf}
	}
	branch := &node{next: new([10]*node)}
	alike := true
	for d := range branch.next {
		child := newTrie(says, prefix+string(rune('0'+d)))
		branch.next[d] = child
		alike = alike && child.next == nil && child.row == branch.next[0].row
	}
	if alike {
		return branch.next[0]
	}
	return branch
}

// newRow makes the row of the numbers that begin with prefix. It reports too whether more digits would tell more.
func newRow(says judge, prefix string) (r row, more bool) {
	of, open := says(prefix)
	for n := max(len(prefix), 2); n <= digitsMax; n++ {
		switch v := of(n); {
		case v == ask:
			more = open
		case v == 0:
			r.keep |= 1 << n
		case r.drop == 0 || r.cut == int(v):
			r.cut = int(v)
			r.drop |= 1 << n
		}
	}
	return r, more
}
