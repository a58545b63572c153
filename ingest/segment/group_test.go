package segment

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
)

// describeGroup writes what an event says of its group.
func describeGroup(g *graph.GroupCall) string {
	if g == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s/%s", g.Type, g.ID)
	for _, t := range g.Traits {
		value := "deleted"
		if t.Value != nil {
			value = string(t.Value)
		}
		fmt.Fprintf(&b, " %s=%s", t.Name, value)
	}
	return b.String()
}

// The decoder reads what a group event says of its group. It names what is wrong, and nothing else is lost with that.
func TestGroups(t *testing.T) {
	long := strings.Repeat("x", graph.GroupTraitBytesMax)
	for _, test := range []struct{ fields, want, dropped string }{
		{`"groupId":"acme","traits":{"name":"Acme","plan":null}`, `/acme name="Acme" plan=deleted`, ""},
		{`"groupId":"acme","groupType":"company"`, `company/acme`, ""},
		{`"groupId":7`, `/7`, ""},
		{`"groupId":7.0`, `/7`, ""},
		{`"groupId":" acme "`, `/acme`, ""},
		{`"groupId":"acme","traits":[]`, `/acme`, ""},
		{`"groupId":"acme","traits":"gold"`, `/acme`, "traits bad_type"},
		{`"groupId":"acme","traits":{"a":1,"long":"` + long + `","b":2}`, `/acme a=1 b=2`, "traits field_too_large"},
		{`"traits":{"name":"Acme"}`, "", "groupId no_group"},
		{`"groupId":null`, "", "groupId no_group"},
		{`"groupId":"undefined"`, "", "groupId no_group"},
		{`"groupId":"  "`, "", "groupId no_group"},
		{`"groupId":{"id":"acme"}`, "", "groupId bad_type"},
		{`"groupId":["acme"]`, "", "groupId bad_type"},
		{`"groupId":"` + strings.Repeat("g", identifier.MaxBytes) + `"`, "/" + strings.Repeat("g", identifier.MaxBytes), ""},
		{`"groupId":"` + strings.Repeat("g", identifier.MaxBytes+1) + `"`, "", "groupId identifier_too_long"},
		{`"groupId":"acme","groupType":true`, "", "groupType bad_type"},
		{`"groupId":"acme","groupType":"` + strings.Repeat("g", identifier.MaxBytes+1) + `"`, "", "groupType identifier_too_long"},
	} {
		d, ev := NewDecoder(testRegistry(t), Options{}), new(graph.Event)
		text := `{"type":"group","messageId":"m1","userId":"u1",` + test.fields + `}`
		if err := d.Event([]byte(text), now, web, ev); err != nil {
			t.Errorf("%s: %v", test.fields, err)
			continue
		}
		checkEvent(t, ev)
		var dropped []string
		for _, drop := range d.Dropped() {
			dropped = append(dropped, drop.Field+" "+string(drop.Code))
			if strings.Contains(drop.Message, long) || drop.Message == "" || drop.Hint == "" {
				t.Errorf("%.60s: %q, %q", test.fields, drop.Message, drop.Hint)
			}
		}
		if got := describeGroup(ev.Group); got != test.want || strings.Join(dropped, ", ") != test.dropped || len(ev.Traits) > 0 || len(ev.Identifiers) != 1 {
			t.Errorf("%.80s: %.80q, dropped %q; want %.80q, %q", test.fields, got, dropped, test.want, test.dropped)
		}
	}
	if ev, _, _ := decode(t, Options{}, `{"type":"track","userId":"u1","event":"e","groupId":"acme","groupType":"team"}`); ev.Group != nil {
		t.Error("a track event names a group")
	}
}

// A group is known by its type and its id, and two events that differ in the type are two.
func TestGroupKeys(t *testing.T) {
	of := func(fields string) (graph.NodeKey, uint64) {
		ev, _, r := decode(t, Options{}, `{"type":"group","messageId":"m1","userId":"u1","timestamp":"2026-01-01T00:00:00Z",`+fields+`}`)
		if r != nil || ev.Group == nil {
			t.Fatalf("%s: %v", fields, r)
		}
		return ev.Group.Key, ev.Seen
	}
	text, seen := of(`"groupId":"7"`)
	if number, _ := of(`"groupId":7`); number != text {
		t.Error("7 and \"7\" are two groups")
	}
	if spaced, _ := of(`"groupId":" 7"`); spaced != text {
		t.Error("7 with white space is another group")
	}
	if typed, again := of(`"groupId":"7","groupType":"team"`); typed == text || again == seen {
		t.Error("a group of another type is the same, or its event")
	}
	if a, _ := of(`"groupId":"b","groupType":"a"`); true {
		if b, _ := of(`"groupId":"ab"`); a == b {
			t.Error("type and id run together")
		}
	}
}
