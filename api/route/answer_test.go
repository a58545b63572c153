package route

import "testing"

// If-None-Match lists tags, weak ones included, in one header or several.
func TestMatches(t *testing.T) {
	const tag = `"a1"`
	for _, c := range []struct {
		lists []string
		want  bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{`"a1"`}, true},
		{[]string{`W/"a1"`}, true},
		{[]string{`"b", "a1"`}, true},
		{[]string{`"b"`, ` "a1" `}, true},
		{[]string{"*"}, true},
		{[]string{"a1"}, false},
		{[]string{`"a11"`}, false},
	} {
		if got := matches(c.lists, tag); got != c.want {
			t.Errorf("%q: %t", c.lists, got)
		}
	}
}
