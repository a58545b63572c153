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

		// A reader that holds either of two states reaches the same one by the changes that both need.
		more := difference(other, to)
		d.add(&more)
		for _, start := range []*Profile{from, other} {
			got = cloned(start)
			d.Apply(got)
			same("two differences", got)
		}
	})
}

// Evidence in parts: each part names the identities whose highest-ranked member it has, and knows no more of them.
func TestPartsNameTheirIdentities(t *testing.T) {
	ev := &Evidence{}
	var heads []NodeKey
	for i := range 900 {
		key := MakeNodeKey(ClassCookie, 0, uint64(900-i))
		name := NodeName{key, "anonymous_id", strings.Repeat("x", 400)}
		ev.Members = append(ev.Members, Member{NodeName: name, Hosted: true, Fragment: &Fragment{Events: 1}})
		if i%7 == 0 {
			heads = append(heads, key)
		}
	}
	parts := ev.parts(heads)
	if len(parts) < 2 {
		t.Fatalf("%d parts, want several", len(parts))
	}
	var named []NodeKey
	for i, part := range parts {
		if !part.Part {
			t.Errorf("part %d of %d says that it is everything", i, len(parts))
		}
		arrived := part.appendIdentities(nil, nil, DefaultRules(), true)
		if len(arrived) != len(part.Heads) {
			t.Errorf("part %d brings %d identities, and names %d", i, len(arrived), len(part.Heads))
		}
		for _, k := range arrived {
			if k.Profile != nil {
				t.Errorf("a part knows all of %s", k.ID())
			}
			named = append(named, k.ID())
		}
	}
	if !slices.Equal(named, heads) {
		t.Errorf("%d identities are named, of %d", len(named), len(heads))
	}
}
