package record

import (
	"fmt"
	"strings"
	"testing"
)

// A column whose name says a time, and whose values are times, becomes the timestamp of the proposed mapping, whatever its
// spelling. A column of another name, or with other values, does not.
func TestGuessFindsTheTime(t *testing.T) {
	for _, c := range []struct {
		column, value string
		want          bool
	}{
		{"when", "2026-01-31T09:00:00Z", true},
		{"When", "2026-01-31 09:00", true},
		{"ts", "1767225600", true},
		{"event_ts", "1767225600000", true},
		{"at", "1767225600000", true},
		{"date", "2026-01-31", true},
		{"event_date", "2026-01-31", true},
		{"occurred_at", "2026-01-31T09:00:00+01:00", true},
		{"occurredAt", "2026-01-31T09:00:00+01:00", true},
		{"happened_at", "31.01.2026", true},
		{"created_on", "2026-01-31", true},
		{"creation time", "2026-01-31", true},
		{"time_utc", "2026-01-31 09:00:00", true},
		{"Received-At", "2026-01-31 09:00:00", true},
		{"meta.when", "2026-01-31T09:00:00Z", true},
		{"when", "after the sale", false},
		{"date", "Tuesday", false},
		{"whenever", "2026-01-31T09:00:00Z", false},
		{"birthday", "1990-01-31", false},
	} {
		name, value := c.column, fmt.Sprintf("%q", c.value)
		if outer, inner, nested := strings.Cut(name, "."); nested {
			name, value = outer, fmt.Sprintf("{%q:%s}", inner, value)
		}
		var g Guess
		for range 3 {
			g.Add(fmt.Appendf(nil, `{"email":"ann@example.com","action":"Signed up",%q:%s}`, name, value))
		}
		text, _ := g.Mapping("a test")
		if got := strings.Contains(text, "\ntimestamp: "+quoted(c.column)+"\n"); got != c.want {
			t.Errorf("%s with %s: time %t, want %t\n%s", c.column, c.value, got, c.want, text)
		}
	}
	// Of two, the one that says of the event when it happened.
	var g Guess
	g.Add([]byte(`{"received_at":"2026-01-31","email":"a@b.de","occurred_at":"2026-01-30","action":"x"}`))
	if text, _ := g.Mapping("a test"); !strings.Contains(text, "timestamp: occurred_at\n") {
		t.Error(text)
	}
}
