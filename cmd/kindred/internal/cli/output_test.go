package cli

import (
	"strings"
	"testing"
)

// A row may have fewer cells than others, at the end or in between; columns stay aligned below it.
func TestTable(t *testing.T) {
	var filled, empty Table
	filled.Row("id", "email:änn@example.com", "x")
	filled.Row("a longer title")
	filled.Row("", "", "two µs", "last")
	filled.Row("b", "c")
	var b strings.Builder
	filled.Write(&b, "  ")
	want := "" +
		"  id              email:änn@example.com  x\n" +
		"  a longer title\n" +
		"                                         two µs  last\n" +
		"  b               c\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	b.Reset()
	if empty.Write(&b, ""); b.Len() > 0 {
		t.Errorf("an empty table writes %q", b.String())
	}
}
