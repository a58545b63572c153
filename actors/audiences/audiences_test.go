package audiences

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/audience"
)

func define(t *testing.T, s *State, texts ...string) *State {
	t.Helper()
	next, err := s.Next(definitions(t, texts...))
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// definitions are audiences a0, a1, … of events with names.
func definitions(t *testing.T, names ...string) (list []audience.Definition) {
	t.Helper()
	for i, name := range names {
		where, err := audience.Parse(fmt.Appendf(nil, `{"signal":{"event":%q},"count":{"at_least":1},"last":"7d"}`, name))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, audience.Definition{Key: fmt.Sprintf("a%d", i), Where: where})
	}
	return list
}

func (s *State) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d", s.Filled, s.Version)
	for _, n := range s.Definitions.Signals {
		fmt.Fprintf(&b, " %d@%d", n.Number, n.Since)
	}
	fmt.Fprintf(&b, " newest %d serving %d", s.Newest.Len(), s.Serving.Len())
	return b.String()
}

// The old audiences serve until everything is filled, and a signal that comes back has a new number.
func TestVersions(t *testing.T) {
	var s *State
	for i, step := range []struct {
		do   func() (*State, error)
		want string
	}{
		{func() (*State, error) { return s.Next(definitions(t, "x")) }, "0/1 0@1 newest 1 serving 0"},
		{func() (*State, error) { return s.Fill(1) }, "1/1 0@1 newest 1 serving 1"},
		{func() (*State, error) { return s.Next(definitions(t, "y", "z")) }, "1/2 0@1 1@2 2@2 newest 2 serving 1"},
		{func() (*State, error) { return s.Next(definitions(t, "y")) }, "1/3 0@1 1@2 newest 1 serving 1"},
		{func() (*State, error) { return s.Fill(2) }, "2/3 0@1 1@2 newest 1 serving 1"},
		{func() (*State, error) { return s.Fill(3) }, "3/3 1@2 newest 1 serving 1"},
		{func() (*State, error) { return s.Next(definitions(t, "x", "y")) }, "3/4 1@2 3@4 newest 2 serving 1"},
		{func() (*State, error) { return s.Fill(4) }, "4/4 1@2 3@4 newest 2 serving 2"},
		{func() (*State, error) { return s.Next(definitions(t, "x")) }, "5/5 3@4 newest 1 serving 1"},
		{func() (*State, error) { return s.Next(nil) }, "6/6 newest 0 serving 0"},
	} {
		next, err := step.do()
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if got := next.describe(); got != step.want {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
		s = next
	}
}

// An audience that is deleted and comes back has its number, unless everybody was told in between that they left it.
func TestDeletedComesBack(t *testing.T) {
	s, err := define(t, nil, "x", "y").Fill(1)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = s.Tell(1); err != nil {
		t.Fatal(err)
	}
	before, _ := s.Number("a1")
	gone := define(t, s, "x")
	if number, _ := define(t, gone, "x", "x").Number("a1"); number != before || len(gone.Gone) != 1 {
		t.Errorf("number %d, want %d; gone are %v", number, before, gone.Gone)
	}
	if gone, err = gone.Tell(gone.Version); err != nil {
		t.Fatal(err)
	}
	if number, _ := define(t, gone, "x", "x").Number("a1"); number == before {
		t.Errorf("number %d was used again", number)
	}
}

// A definition that is wrong changes nothing (D3).
func TestNextRefuses(t *testing.T) {
	s := define(t, nil, "x")
	score, err := audience.Parse([]byte(`{"score":["discount_affinity.band","eq","high"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next([]audience.Definition{{Key: "a", Where: score}}); err == nil || !strings.Contains(err.Error(), "can't read scores yet") {
		t.Error(err)
	}
	twice := append(definitions(t, "x"), definitions(t, "x")...)
	if _, err := s.Next(twice); err == nil || !strings.Contains(err.Error(), "another audience") {
		t.Error(err)
	}
	for i := range WaitingMax - 1 {
		s = define(t, s, fmt.Sprint("x", i))
	}
	if _, err := s.Next(definitions(t, "y")); !errors.Is(err, ErrWaiting) {
		t.Error(err)
	}
}
