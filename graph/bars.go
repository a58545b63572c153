package graph

// bars are the assertions that keep links from conducting, by what they are about.
//
// They are maps since a component may have many assertions, and each link asks. A component without assertions has
// nil maps, and costs nothing.
type bars struct {
	retracted map[LinkKey]int32
	forgotten map[NodeKey]int32
}

func gatherBars(s *store) bars {
	var b bars
	for i := range s.assertions {
		a := &s.assertions[i]
		switch {
		case a.Withdrawn:
		case a.Verb == AssertRetract:
			if b.retracted == nil {
				b.retracted = make(map[LinkKey]int32)
			}
			b.retracted[LinkKey{a.A.Key, a.B.Key}] = int32(i)
		case a.Verb == AssertForget:
			if b.forgotten == nil {
				b.forgotten = make(map[NodeKey]int32)
			}
			b.forgotten[a.A.Key] = int32(i)
		}
	}
	return b
}

// bar is the constraint that keeps an observed link from conducting at all, with its member or assertion; 0 if the link conducts.
func (b *bars) bar(s *store, upper, lower int32) (kind ConstraintKind, by int32) {
	for _, i := range [2]int32{upper, lower} {
		switch m := &s.members[i]; {
		case m.Generic:
			return ConstraintGeneric, i
		case m.Refused:
			return ConstraintFull, i
		case !m.Hosted:
			return ConstraintElsewhere, i
		}
	}
	if b.retracted != nil {
		if i, ok := b.retracted[LinkKey{s.members[upper].Key, s.members[lower].Key}]; ok {
			return ConstraintRetract, i
		}
	}
	if b.forgotten != nil {
		for _, end := range [2]int32{lower, upper} {
			if i, ok := b.forgotten[s.members[end].Key]; ok {
				return ConstraintForget, i
			}
		}
	}
	return 0, 0
}

// cannots are the pairs of members that an operator said are two people.
//
// When groups are united, the shorter list of pairs is appended to the longer one, so that an entry moves at most
// as often as the logarithm of the number of pairs. A pair whose ends are two groups is in both lists, so between
// searches the shorter list alone.
type cannots struct {
	pairs []cannot
	of    map[int32][]int32 // by representative: which pairs have an end in its group
}

type cannot struct{ a, b, assertion int32 }

func (k *cannots) gather(s *store) {
	for i := range s.assertions {
		a := &s.assertions[i]
		if a.Verb != AssertCannot || a.Withdrawn {
			continue
		}
		upper, lower := s.place(a.A.Key), s.place(a.B.Key)
		if upper < 0 || lower < 0 {
			continue
		}
		if k.of == nil {
			k.of = make(map[int32][]int32)
		}
		pair := int32(len(k.pairs))
		k.pairs = append(k.pairs, cannot{int32(upper), int32(lower), int32(i)})
		k.of[int32(upper)] = append(k.of[int32(upper)], pair)
		k.of[int32(lower)] = append(k.of[int32(lower)], pair)
	}
}

// between is the first assertion that keeps two groups apart; -1 when none does.
//
// The first is by the order of assertions, which depends on what they are about and not on when they came: two
// shards that hold the same evidence name the same assertion.
func (k *cannots) between(r *resolver, a, b int32) int32 {
	if len(k.pairs) == 0 {
		return -1
	}
	few, other := k.of[a], b
	if more := k.of[b]; len(more) < len(few) {
		few, other = more, a
	}
	first := int32(-1)
	for _, i := range few {
		pair := &k.pairs[i]
		if r.representative(pair.a) != other && r.representative(pair.b) != other {
			continue
		}
		if first < 0 || pair.assertion < first {
			first = pair.assertion
		}
	}
	return first
}

func (k *cannots) unite(into, from int32) {
	if len(k.pairs) == 0 || len(k.of[from]) == 0 {
		return
	}
	few, many := k.of[from], k.of[into]
	if len(few) > len(many) {
		few, many = many, few
	}
	k.of[into] = append(many, few...)
	delete(k.of, from)
}
