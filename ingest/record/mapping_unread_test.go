package record

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
)

// A field that no event has is told with its line and what may be meant; one at a path that the rules name is read.
func TestUnread(t *testing.T) {
	m := parseMapping(t, "type: {value: track}\nusrId: a\nproperties.usrId: b\nloyalty.card: c\nkunde: d\ncontext.trait.email: e\ntrait.plan: f\n")
	for _, test := range []struct {
		paths []string
		want  string
	}{
		{nil, "kunde loyalty trait usrId"},
		{[]string{"loyalty.card"}, "kunde trait usrId"},
		{[]string{"kunde", "loyal"}, "loyalty trait usrId"},
	} {
		var roots []string
		for _, warning := range m.Unread(test.paths...) {
			_, rest, _ := strings.Cut(warning, "has no field ")
			root, _, _ := strings.Cut(rest, ",")
			roots = append(roots, root)
		}
		slices.Sort(roots)
		if got := strings.Join(roots, " "); got != test.want {
			t.Errorf("%v: %s, want %s", test.paths, got, test.want)
		}
	}
	all := strings.Join(m.Unread(), "\n")
	for _, want := range []string{
		"line 2 of the mapping: usrId: an event has no field usrId, and nothing reads it unless the rules name its path; did you mean userId?",
		"line 7 of the mapping: trait.plan: an event has no field trait, and nothing reads it unless the rules name its path; did you mean traits?",
		"line 5 of the mapping: kunde: an event has no field kunde, and nothing reads it unless the rules name its path; the rest of a record belongs below properties or traits",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("%s\nlacks %s", all, want)
		}
	}
}

// The ready-made mappings make fields that are read.
func TestReadyAreRead(t *testing.T) {
	for _, name := range ReadyNames() {
		m, err := FindReady(name)
		if err != nil {
			t.Fatal(err)
		}
		if unread := m.Unread(); len(unread) > 0 {
			t.Errorf("%s: %s", name, unread)
		}
	}
}

// segment.Fields are what the decoder reads.
func TestFieldsAreThoseOfTheDecoder(t *testing.T) {
	source, err := os.ReadFile("../segment/fields.go")
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(source), "func (p *picker) record(")
	body, _, _ = strings.Cut(body, "\n}\n")
	var read []string
	for _, match := range regexp.MustCompile(`case "(\w+)"`).FindAllStringSubmatch(body, -1) {
		read = append(read, match[1])
	}
	listed := slices.Sorted(slices.Values(segment.Fields))
	if slices.Sort(read); !slices.Equal(read, listed) {
		t.Errorf("the decoder reads %v, and lists %v", read, listed)
	}
}
