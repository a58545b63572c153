package main

import (
	"strings"
	"testing"
)

// Rows may have fewer cells than others, at their end or in between, and columns go on below them.
func TestTable(t *testing.T) {
	var filled, empty table
	filled.row("id", "email:änn@example.com", "x")
	filled.row("a longer title")
	filled.row("", "", "two µs", "last")
	filled.row("b", "c")
	var b strings.Builder
	filled.write(&b, "  ")
	want := "" +
		"  id              email:änn@example.com  x\n" +
		"  a longer title\n" +
		"                                         two µs  last\n" +
		"  b               c\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	if empty.write(&b, ""); b.Len() > 0 {
		t.Errorf("an empty table writes %q", b.String())
	}
}
