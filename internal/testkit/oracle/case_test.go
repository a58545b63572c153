package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
)

// Cases of up to this many steps are tried in every order; longer ones in as many random orders as 5 steps have.
const exhaustiveSteps = 5

func TestCases(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			if c.Why == "" {
				t.Error("the case doesn't say why it exists")
			}
			for order := range orders120(len(c.Steps)) {
				again := c
				again.Steps = nil
				for _, i := range order {
					again.Steps = append(again.Steps, c.Steps[i])
				}
				checkCase(t, &again)
				again.Steps = append(again.Steps, c.Steps...)
				checkCase(t, &again)
			}
		})
	}
}

func checkCase(t *testing.T, c *Case) {
	t.Helper()
	w := c.World()
	if err := c.Check(Profiles(w.Events, w.Assertions, w.Rules)); err != nil {
		t.Fatalf("%v\nin the order\n  %s", err, stepTexts(c))
	}
	all := AllProfiles(w.Events, w.Assertions, w.Rules)
	if err := c.Check(all); err != nil {
		t.Fatalf("%v\nin the order\n  %s", err, stepTexts(c))
	}
	if len(all) != len(c.Want) {
		t.Fatalf("%d identities, want %d\nin the order\n  %s", len(all), len(c.Want), stepTexts(c))
	}
}

func stepTexts(c *Case) string {
	var texts []string
	for _, s := range c.Steps {
		texts = append(texts, s.Text)
	}
	return strings.Join(texts, "\n  ")
}

// orders120 yields all orders of n things, or 120 random ones if there are more.
func orders120(n int) func(yield func([]int) bool) {
	return func(yield func([]int) bool) {
		if n > exhaustiveSteps {
			rng := rand.New(rand.NewPCG(1, uint64(n)))
			for range 120 {
				if !yield(rng.Perm(n)) {
					return
				}
			}
			return
		}
		var extend func(order []int) bool
		extend = func(order []int) bool {
			if len(order) == n {
				return yield(order)
			}
			for i := range n {
				if !slices.Contains(order, i) && !extend(append(slices.Clone(order), i)) {
					return false
				}
			}
			return true
		}
		extend(nil)
	}
}

func TestEveryRuleHasItsCase(t *testing.T) {
	var names []string
	for _, c := range Cases() {
		if slices.Contains(names, c.Name) {
			t.Errorf("two cases are named %s", c.Name)
		}
		names = append(names, c.Name)
	}
	for _, rule := range strings.Fields("S1 S2 S3 S4 S5 S6 S7 A1 A3 A4 A5 G1 C1 C2") {
		if !slices.ContainsFunc(names, func(n string) bool { return n == rule || strings.HasPrefix(n, rule+"/") }) {
			t.Errorf("no case for %s", rule)
		}
	}
}

func TestCasesKeepWhatWasBlocked(t *testing.T) {
	for _, c := range Cases() {
		if c.Name == "S7" {
			if got := c.Steps[0].Blocked; !slices.Equal(got, []string{"user_id:null"}) {
				t.Errorf("blocked %q", got)
			}
		}
	}
}

func TestCheckTellsWhatDiffers(t *testing.T) {
	c := Cases()[0] // S1: {a1}; {a1,u1}
	w := c.World()
	profiles := Profiles(w.Events, w.Assertions, w.Rules)
	for name, spoil := range map[string]func(*graph.Profile){
		"an event too many":      func(p *graph.Profile) { p.Events++ },
		"an identifier missing":  func(p *graph.Profile) { p.Identifiers = p.Identifiers[1:] },
		"a generic value":        func(p *graph.Profile) { p.Identifiers[0].Generic = true },
		"an identity of nothing": func(p *graph.Profile) { *p = graph.Profile{} },
	} {
		spoilt := slices.Clone(profiles)
		spoilt[0].Identifiers = slices.Clone(spoilt[0].Identifiers)
		spoil(&spoilt[0])
		if c.Check(spoilt) == nil {
			t.Errorf("%s passes", name)
		}
	}
	if c.Check(nil) == nil {
		t.Error("no profiles at all pass")
	}
}

func TestBadCasesAreRefused(t *testing.T) {
	const good = "\n=== X\nrules keep_first user_id=1\nu1 a1 @1\n----\nu1 a1 = 1\n"
	if _, err := parseCases(good); err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{
		{"----", "---"},
		{"keep_first", "keep_last"},
		{"user_id=1", "user_id=one"},
		{"user_id=1", "user_id=0"},
		{"user_id=1", "user_id=1/week"},
		{"rules", "# rules"},
		{"a1 @1", "x1 @1"},
		{"a1 @1", "a1 @noon"},
		{"a1 = 1", "a1 = many"},
		{"a1 = 1", "x1 = 1"},
	} {
		bad := strings.Replace(good, edit[0], edit[1], 1)
		if _, err := parseCases(bad); err == nil || !strings.Contains(err.Error(), "case X") {
			t.Errorf("%s: error %v, want one that names the case", bad, err)
		}
	}
}

func ExampleCases() {
	c := Cases()[2]
	w := c.World()
	fmt.Println(c.Name, c.Check(Profiles(w.Events, w.Assertions, w.Rules)))
	// Output: S2/latest_wins <nil>
}
