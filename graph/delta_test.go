package graph

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// drawTold is a profile as far as the feed tells of one.
func drawTold(t *rapid.T) *Profile {
	p := &Profile{ID: NodeKey{1, 1}}
	small := rapid.Int64Range(0, 3)
	p.Events, p.First, p.Last = uint64(small.Draw(t, "events")), small.Draw(t, "first"), small.Draw(t, "last")
	for i := range p.Counts[1:] {
		p.Counts[1+i] = uint64(small.Draw(t, "count"))
	}
	for lo := uint64(5); lo > 0; lo-- {
		if rapid.Bool().Draw(t, "an identifier") {
			p.Identifiers = append(p.Identifiers, ProfileIdentifier{
				NodeName: NodeName{Key: NodeKey{1, lo}, Namespace: "email", Value: "x"}, First: small.Draw(t, "first"), Last: small.Draw(t, "last"),
			})
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		if rapid.Bool().Draw(t, "a trait") {
			p.Traits = append(p.Traits, TraitValue{Name: name, Value: []byte(strings.Repeat("1", 1+int(small.Draw(t, "value"))))})
		}
	}
	for _, code := range []Currency{{}, {'E', 'U', 'R'}, {'J', 'P', 'Y'}} {
		if rapid.Bool().Draw(t, "money") {
			p.Money = append(p.Money, Money{Currency: code, Orders: 1 + uint64(small.Draw(t, "orders")), Revenue: small.Draw(t, "revenue")})
		}
	}
	return p
}

func cloned(p *Profile) *Profile {
	q := *p
	q.Identifiers, q.Traits, q.Money = slices.Clone(p.Identifiers), slices.Clone(p.Traits), slices.Clone(p.Money)
	return &q
}

// A delta makes one profile of the other, says nothing where they are equal, and nothing that is as it was.
func TestDelta(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, other, to := drawTold(t), drawTold(t), drawTold(t)
		same := func(what string, got *Profile) {
			t.Helper()
			got.Identifiers, got.Traits, got.Money = slices.Clip(got.Identifiers), slices.Clip(got.Traits), slices.Clip(got.Money)
			if len(got.Identifiers)+len(to.Identifiers) == 0 {
				got.Identifiers = nil
			}
			if len(got.Traits)+len(to.Traits) == 0 {
				got.Traits = nil
			}
			if len(got.Money)+len(to.Money) == 0 {
				got.Money = nil
			}
			if !reflect.DeepEqual(got, to) {
				t.Fatalf("%s\n got %+v\nwant %+v", what, got, to)
			}
		}
		d := difference(from, to)
		if d.Empty() != reflect.DeepEqual(from, to) {
			t.Fatalf("empty %t between\n%+v\n%+v", d.Empty(), from, to)
		}
		got := cloned(from)
		d.Apply(got)
		same("a difference", got)

		all := everything(to)
		got = cloned(other)
		all.Apply(got)
		same("everything", got)

		// Who has either of two is brought to the same by what both need.
		more := difference(other, to)
		d.add(&more)
		for _, start := range []*Profile{from, other} {
			got = cloned(start)
			d.Apply(got)
			same("two differences", got)
		}
	})
}

// Evidence in parts: each has the identities whose head it has, and the last one nothing but all of them.
func TestPartsNameTheirIdentities(t *testing.T) {
	ev := &Evidence{}
	for i := range 900 {
		key := MakeNodeKey(ClassCookie, 0, uint64(900-i))
		name := NodeName{key, "anonymous_id", strings.Repeat("x", 400)}
		ev.Members = append(ev.Members, Member{NodeName: name, Hosted: true, Fragment: &Fragment{Events: 1}})
		if i%7 == 0 {
			ev.Identities = append(ev.Identities, Summary{ID: key, Name: name, Events: 1, Nodes: []NodeKey{key}})
		}
	}
	parts := ev.parts()
	if len(parts) < 3 {
		t.Fatalf("%d parts, want several", len(parts))
	}
	var heads []NodeKey
	for i, part := range parts[:len(parts)-1] {
		if !part.More {
			t.Errorf("part %d of %d says that it is the last", i, len(parts))
		}
		known := part.Arrivals(DefaultRules())
		if len(known) != len(part.Identities) {
			t.Errorf("part %d brings %d identities, and names %d", i, len(known), len(part.Identities))
		}
		for _, k := range known {
			if k.Profile != nil {
				t.Errorf("a part knows all of %s", k.ID)
			}
			heads = append(heads, k.ID)
		}
	}
	last := parts[len(parts)-1]
	if last.More || len(last.Members) > 0 || len(last.Identities) != len(ev.Identities) || last.Arrivals(DefaultRules()) != nil {
		t.Errorf("the last part has %d members and %d identities", len(last.Members), len(last.Identities))
	}
	if len(heads) != len(ev.Identities) {
		t.Errorf("%d identities arrive, of %d", len(heads), len(ev.Identities))
	}
}
