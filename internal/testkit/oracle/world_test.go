package oracle

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"pgregory.net/rapid"
)

// propOrderFree: the result depends on the sets of events and assertions, not on order or repetition (R4).
func propOrderFree(t *rapid.T) {
	w := DrawWorld(t)
	events := rapid.Permutation(slices.Concat(w.Events, w.Events)).Draw(t, "events, shuffled, twice")
	assertions := slices.Concat(w.Assertions, w.Assertions)
	if len(assertions) > 0 {
		assertions = rapid.Permutation(assertions).Draw(t, "assertions, shuffled, twice")
	}
	want := Dump(AllProfiles(w.Events, w.Assertions, w.Rules))
	got := Dump(AllProfiles(events, assertions, w.Rules))
	if d := Diff(want, got); d != "" {
		t.Fatalf("shuffled, twice:\n%s", d)
	}
}

func TestOrderFree(t *testing.T) { rapid.Check(t, propOrderFree) }

func FuzzOrderFree(f *testing.F) { f.Fuzz(rapid.MakeFuzz(propOrderFree)) }

// propWithdrawn: an assertion made and withdrawn leaves no trace, to the last bit.
func propWithdrawn(t *rapid.T) {
	w := DrawWorld(t)
	names := pick(func(n int, what string) int { return rapid.IntRange(0, n-1).Draw(t, what) }, cast, 2, "asserted")
	a := graph.Assertion{
		Verb: rapid.SampledFrom([]graph.AssertionVerb{graph.AssertForce, graph.AssertCannot, graph.AssertRetract}).Draw(t, "verb"),
		A:    names[0], B: names[1], At: worldStart + 2*worldTicks*worldTick, ID: "y0",
	}
	// There is no other assertion about this subject, since withdrawing this one would end the other as well.
	w.Assertions = slices.DeleteFunc(w.Assertions, func(o graph.Assertion) bool {
		return o.Verb == a.Verb && o.A.Key == a.A.Key && o.B.Key == a.B.Key
	})
	withdrawn := a
	withdrawn.At, withdrawn.ID, withdrawn.Withdrawn = a.At+1, "y1", true

	// An assertion also reveals an address that events may know only by its hash; here events know it too.
	for i := range w.Events {
		for j := range w.Events[i].Identifiers {
			id := &w.Events[i].Identifiers[j]
			for _, n := range names {
				if id.Key == n.Key {
					id.Namespace, id.Value = n.Namespace, []byte(n.Value)
				}
			}
		}
	}

	never := Dump(Profiles(w.Events, w.Assertions, w.Rules))
	after := Dump(Profiles(w.Events, append(slices.Clone(w.Assertions), a, withdrawn), w.Rules))
	if d := Diff(never, after); d != "" {
		t.Fatalf("asserted and withdrawn:\n%s", d)
	}
}

func TestWithdrawnIsNever(t *testing.T) { rapid.Check(t, propWithdrawn) }

// propSound checks the constraints naively: they hold for any correct answer, whatever the algorithm.
func propSound(t *rapid.T) {
	w := DrawWorld(t)
	ev := gather(w.Events, w.Assertions)
	owner := map[graph.NodeKey]int{}
	var events uint64
	profiles := AllProfiles(w.Events, w.Assertions, w.Rules)
	for i, p := range profiles {
		events += p.Events
		for _, id := range p.Identifiers {
			if _, taken := owner[id.Key]; taken {
				t.Fatalf("%s is in two identities", nameOf(id.NodeName))
			}
			owner[id.Key] = i
		}
		if i > 0 && profiles[i-1].ID.Compare(p.ID) >= 0 {
			t.Fatal("ids don't ascend")
		}
		if p.ID != p.Identifiers[0].Key || !slices.IsSortedFunc(p.Identifiers, func(x, y graph.ProfileIdentifier) int {
			return y.Key.Compare(x.Key)
		}) {
			t.Fatal("identifiers don't descend from the id")
		}
	}
	if r := resolve(ev, w.Rules); len(owner)+len(r.attached) != len(ev.names) {
		t.Fatalf("%d identifiers are owned and %d attached, want %d", len(owner), len(r.attached), len(ev.names))
	}
	distinct := map[uint64]bool{}
	for _, e := range w.Events {
		distinct[e.Seen] = true
	}
	if events != uint64(len(distinct)) {
		t.Fatalf("%d events are counted, want %d", events, len(distinct))
	}
	for p := range ev.cannot {
		if owner[p.a] == owner[p.b] {
			t.Fatal("a cannot is broken")
		}
	}
	for _, l := range w.Rules.Limits {
		for _, p := range profiles {
			if n := countOf(p, l.Namespace); l.Within == 0 && n > l.Max && len(ev.forced) == 0 && !aliasMerges(ev, w.Rules, l.Namespace) {
				t.Fatalf("%d identifiers of %s, the limit is %d and nothing was forced", n, l.Namespace, l.Max)
			}
		}
	}
}

// aliasMerges reports whether any alias may pass a limit.
func aliasMerges(ev *evidence, rules *graph.Rules, namespace string) bool {
	for p, l := range ev.links {
		if l.verb == graph.VerbAlias && ev.names[p.a].Namespace == namespace && ev.names[p.b].Namespace == namespace {
			return rules.Alias == graph.AliasMerges
		}
	}
	return false
}

func TestSound(t *testing.T) { rapid.Check(t, propSound) }

func countOf(p graph.Profile, namespace string) int {
	n := 0
	for _, id := range p.Identifiers {
		if id.Namespace == namespace {
			n++
		}
	}
	return n
}

func TestWorldsAreWellFormed(t *testing.T) {
	for seed := range uint64(2000) {
		w := RandomWorld(rand.New(rand.NewPCG(seed, 0)))
		if err := w.Rules.Check(); err != nil {
			t.Fatalf("seed %d: rules: %v", seed, err)
		}
		byTie := map[uint64]uint64{}
		for _, e := range w.Events {
			if tie, ok := byTie[e.Seen]; ok && tie != e.Stamp.Tie {
				t.Fatalf("seed %d: one Seen, two messages", seed)
			}
			byTie[e.Seen] = e.Stamp.Tie
			ids := e.Identifiers
			if len(e.Alias) > 0 {
				ids = ids[1:]
			}
			if !slices.IsSortedFunc(ids, func(x, y graph.Identifier) int {
				return cmp.Or(y.Key.Compare(x.Key), 1) // equal ones are out of order too
			}) {
				t.Fatalf("seed %d: identifiers aren't distinct and descending", seed)
			}
			if e.Order.Kind != graph.OrderNone && len(e.Order.ID) == 0 {
				t.Fatalf("seed %d: an order without an id", seed)
			}
		}
		for _, a := range w.Assertions {
			if a.Verb == graph.AssertForget && a.B != (graph.NodeName{}) {
				t.Fatalf("seed %d: forget of two", seed)
			}
			if a.Verb != graph.AssertForget && !a.A.Key.Outranks(a.B.Key) {
				t.Fatalf("seed %d: A doesn't outrank B", seed)
			}
		}
	}
}

func TestWorldsRepeat(t *testing.T) {
	dump := func() string {
		w := RandomWorld(rand.New(rand.NewPCG(7, 0)))
		return Dump(AllProfiles(w.Events, w.Assertions, w.Rules))
	}
	if d := Diff(dump(), dump()); d != "" {
		t.Fatalf("one seed, two worlds:\n%s", d)
	}
}

// nasty lists the situations that are easy to get wrong. A simulation that never meets one of them proves nothing about it.
var nasty = []string{
	"refused by a limit", "refused by a window", "refused by the cap", "refused by a cannot", "generic", "second chance",
	"identities in one component", "order across fragments", "forced over a limit",
	"forced at a generic value", "retracted", "forgotten", "trait across fragments at one time",
	"trait deleted", "cancelled", "refunded", "refund without an order", "repeated",
	"identity without events", "equal times decide", "other content under one id",
	"refunded in part, several times", "refund refused", "refund unknown", "refund in yen",
}

func TestWorldsAreNasty(t *testing.T) {
	drawn := rapid.Custom(DrawWorld)
	for _, maker := range []struct {
		name string
		make func(seed int) World
	}{
		{"random", func(seed int) World { return RandomWorld(rand.New(rand.NewPCG(uint64(seed), 0))) }},
		{"drawn", func(seed int) World { return drawn.Example(seed) }},
	} {
		t.Run(maker.name, func(t *testing.T) {
			const worlds, least = 5000, 20
			counts := map[string]int{}
			for seed := range worlds {
				for what := range phenomena(maker.make(seed)) {
					counts[what]++
				}
			}
			for _, what := range nasty {
				t.Logf("%-36s %4d of %d worlds", what, counts[what], worlds)
				if counts[what] < least {
					t.Errorf("%s: in %d of %d worlds, want %d or more", what, counts[what], worlds, least)
				}
			}
		})
	}
}

// phenomena returns the situations that occur in a world.
func phenomena(w World) map[string]bool {
	happens := map[string]bool{}
	note := func(what string, yes bool) {
		if yes {
			happens[what] = true
		}
	}
	ev := gather(w.Events, w.Assertions)
	r := resolve(ev, w.Rules)
	note("other content under one id", Conflicting(w.Events) > 0)
	noteEvidence(note, ev, r, len(w.Events))
	for _, why := range r.refused {
		note("refused by a cannot", why.cannot)
		windowed := slices.ContainsFunc(w.Rules.Limits, func(l graph.Limit) bool {
			return l.Namespace == why.namespace && l.Within > 0
		})
		note("refused by a window", windowed)
		note("refused by a limit", why.namespace != "" && !windowed)
		note("refused by the cap", why.capped)
		note("identities in one component", r.of[why.a] != r.of[why.b])
		note("second chance", slices.ContainsFunc(r.accepted, func(e entry) bool { return e.pair == why.pair }))
		note("equal times decide", slices.ContainsFunc(r.accepted, func(e entry) bool {
			return e.verb == why.verb && e.time == why.time && (e.a == why.a || e.b == why.b)
		}))
	}
	for _, p := range AllProfiles(w.Events, w.Assertions, w.Rules) {
		note("identity without events", p.Events == 0)
		for _, l := range w.Rules.Limits {
			note("forced over a limit", l.Within == 0 && countOf(p, l.Namespace) > l.Max)
		}
		noteOrders(note, ev, p)
		noteTraits(note, ev, p)
	}
	return happens
}

func noteEvidence(note func(string, bool), ev *evidence, r *resolution, events int) {
	distinct := 0
	for _, f := range ev.fragments {
		distinct += len(f)
	}
	note("repeated", distinct < events)
	for n := range ev.names {
		note("generic", ev.generic(n, r.rules))
	}
	for p := range ev.forced {
		note("forced at a generic value", ev.generic(p.a, r.rules) || ev.generic(p.b, r.rules))
	}
	for _, l := range ev.links {
		note("retracted", ev.retracted[l.pair])
		note("forgotten", ev.forgotten[l.a] || ev.forgotten[l.b])
	}
}

func noteOrders(note func(string, bool), ev *evidence, p graph.Profile) {
	fragments := map[string]int{}
	for _, id := range p.Identifiers {
		inFragment := map[string]bool{}
		for _, e := range ev.fragments[id.Key] {
			if e.Order.Kind != graph.OrderNone {
				inFragment[string(e.Order.ID)] = true
			}
		}
		for order := range inFragment {
			fragments[order]++
		}
	}
	for order, n := range fragments {
		i := slices.IndexFunc(p.Orders, func(o graph.OrderState) bool { return o.ID == order })
		note("order across fragments", n > 1 && i >= 0)
		note("refund without an order", i < 0)
		note("cancelled", i >= 0 && p.Orders[i].Status == graph.OrderStateCancelled)
		note("refunded", i >= 0 && p.Orders[i].Status == graph.OrderStateRefunded)
		note("refunded in part, several times", i >= 0 && p.Orders[i].Refunds > 1 && p.Orders[i].Refunded > 0 && p.Orders[i].Refunded < p.Orders[i].Net)
		note("refund refused", i >= 0 && p.Orders[i].RefusedRefunds > 0)
		note("refund unknown", i >= 0 && p.Orders[i].UnknownRefunds > 0)
		note("refund in yen", i >= 0 && p.Orders[i].Currency == graph.Currency{'J', 'P', 'Y'} && p.Orders[i].Refunded > 0)
	}
}

func noteTraits(note func(string, bool), ev *evidence, p graph.Profile) {
	type moment struct {
		trait string
		time  int64
	}
	from := map[moment]graph.NodeKey{}
	for _, id := range p.Identifiers {
		for _, e := range ev.fragments[id.Key] {
			for _, t := range e.Traits {
				m := moment{string(t.Name), e.Stamp.Time}
				other, ok := from[m]
				note("trait across fragments at one time", ok && other != id.Key)
				from[m] = id.Key
				stands := slices.ContainsFunc(p.Traits, func(v graph.TraitValue) bool { return v.Name == m.trait })
				note("trait deleted", t.Value == nil && !stands)
			}
		}
	}
}
