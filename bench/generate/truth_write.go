package generate

import (
	"bufio"
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteTruth writes the truth of evidence, a line a component, as the package comment describes. It fails only if w
// does.
func (t *Truth) WriteTruth(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	var clock clock
	for _, c := range t.components() {
		line = t.appendComponent(line[:0], &c, &clock)
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return out.Flush()
}

// appendComponent appends one component as a JSON object, in the shape of an export line:
//
//	{"identifiers":[…],"events":N,"orders":N,"revenue":M,"discount":M,"discounted_orders":N,
//	 "first_seen":T,"last_seen":T,"traits":{…},"counts":{…}}
//
// Identifiers ascend by "namespace:value". Counts and times are sums and bounds over all nodes of the component. Types
// without an event have no member in counts, but a trait that was deleted has none in traits either.
func (t *Truth) appendComponent(dst []byte, c *component, clock *clock) []byte {
	var sum truthSum
	first, last := int64(1<<63-1), int64(-1<<63)
	dst = append(dst, `{"identifiers":[`...)
	for i, n := range t.byKey(c.nodes) {
		node := &t.nodes[n]
		first, last = min(first, node.first), max(last, node.last)
		for kind, count := range t.sums[n].counts {
			sum.counts[kind] += count
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = t.appendIdentifier(dst, node.id)
		dst = appendTimes(dst, clock, node.first, node.last)
		dst = append(dst, '}')
	}
	events := uint64(0)
	for _, count := range sum.counts {
		events += uint64(count)
	}
	money := purseOf(c.orders)
	dst = strconv.AppendUint(append(dst, `],"events":`...), events, 10)
	dst = strconv.AppendInt(append(dst, `,"orders":`...), int64(money.orders), 10)
	dst = appendMoney(append(dst, `,"revenue":`...), money.revenue)
	dst = appendMoney(append(dst, `,"discount":`...), money.discount)
	dst = strconv.AppendInt(append(dst, `,"discounted_orders":`...), int64(money.discounted), 10)
	dst = appendTimes(dst, clock, first, last)
	dst = appendTraitValues(append(dst, `,"traits":{`...), c.traits)
	dst = append(dst, `},"counts":{`...)
	separate := false
	for kind, count := range sum.counts {
		if count == 0 {
			continue
		}
		if separate {
			dst = append(dst, ',')
		}
		separate = true
		dst = append(append(append(dst, '"'), eventTypes[kind]...), '"', ':')
		dst = strconv.AppendUint(dst, uint64(count), 10)
	}
	return append(dst, `}}`...)
}

// byKey sorts nodes by "namespace:value".
func (t *Truth) byKey(nodes []int32) []int32 {
	type keyed struct {
		key  string
		node int32
	}
	all := make([]keyed, len(nodes))
	for i, n := range nodes {
		all[i] = keyed{t.key(n), n}
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	sorted := make([]int32, len(nodes))
	for i := range all {
		sorted[i] = all[i].node
	}
	return sorted
}

// appendIdentifier appends an identifier, without the closing brace.
func (t *Truth) appendIdentifier(dst []byte, id ident) []byte {
	dst = append(append(append(dst, `{"namespace":"`...), id.namespace()...), `","value":"`...)
	return append(id.appendValue(dst, t.seed, formNormal), '"')
}

// appendTimes appends first and last, in ms since 1970, as RFC 3339 in UTC.
func appendTimes(dst []byte, clock *clock, first, last int64) []byte {
	dst = clock.append(append(dst, `,"first_seen":"`...), first)
	dst = clock.append(append(dst, `","last_seen":"`...), last)
	return append(dst, '"')
}

// appendTraitValues appends the last value of each trait; null means no value. REQUIRES: records ascend by trait, then time.
func appendTraitValues(dst []byte, records []traitRecord) []byte {
	separate := false
	for i, r := range records {
		if i+1 < len(records) && records[i+1].trait == r.trait || r.value == "null" {
			continue
		}
		if separate {
			dst = append(dst, ',')
		}
		separate = true
		dst = append(append(append(dst, '"'), traitNames[r.trait]...), '"', ':')
		dst = append(dst, r.value...)
	}
	return dst
}

// WritePeople writes the truth of people, a line a person, as the package comment describes. It fails only if w does.
func (t *Truth) WritePeople(w io.Writer) error {
	type use struct {
		person uint32
		node   int32
	}
	var uses []use
	for n := range t.nodes {
		// A slot holds the person plus one; 0 is a free slot.
		for _, user := range t.nodes[n].users {
			if user > 0 {
				uses = append(uses, use{user - 1, int32(n)})
			}
		}
	}
	slices.SortFunc(uses, func(a, b use) int { return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.node, b.node)) })
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	var nodes []int32
	for len(uses) > 0 {
		person, n := uses[0].person, 0
		nodes = nodes[:0]
		for n < len(uses) && uses[n].person == person {
			nodes = append(nodes, uses[n].node)
			n++
		}
		uses = uses[n:]
		line = strconv.AppendUint(append(line[:0], `{"person":`...), uint64(person), 10)
		line = append(line, `,"identifiers":[`...)
		for i, node := range t.byKey(nodes) {
			if i > 0 {
				line = append(line, ',')
			}
			line = append(t.appendIdentifier(line, t.nodes[node].id), '}')
		}
		if _, err := out.Write(append(line, "]}\n"...)); err != nil {
			return err
		}
	}
	return out.Flush()
}
