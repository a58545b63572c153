package generate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"slices"
	"time"
)

// Compare compares an export with the truth of evidence. The export may be in any order and have further fields; it
// skips export lines without an event. It compares meanings (instants, amounts and JSON values), not notations.
//
// It holds the truth in memory, about 2 kB an identity, and reads the export line by line. It fails with the line's
// number when a line of either can't be read.
func Compare(export, truth io.Reader) (Report, error) {
	c := comparison{byIdentifier: map[string]int32{}}
	if err := eachLine(truth, "truth", c.addTruth); err != nil {
		return Report{}, err
	}
	if err := eachLine(export, "export", c.addExport); err != nil {
		return Report{}, err
	}
	for i := range c.truths {
		if !c.truths[i].claimed {
			p, err := parsePerson(c.truths[i].line)
			if err != nil {
				return Report{}, err
			}
			c.report.add(Difference{Kind: diffMissing, Identity: p.key(), Want: fmt.Sprintf("%d identifiers, %s events", len(p.Identifiers), p.Events)})
		}
	}
	return c.report, nil
}

// comparison holds the truth by identifier while the export is read. A line of the truth is kept as text and parsed
// when an export line claims it: most of the memory of a parsed person would be for maps that are used once.
type comparison struct {
	report       Report
	truths       []truthLine
	byIdentifier map[string]int32 // index into truths, by "namespace:value"
}

type truthLine struct {
	line    []byte
	claimed bool // by an export line
}

// addTruth keeps a line of the truth under each of its identifiers. Identifiers are in one component each, or the file
// is no truth.
func (c *comparison) addTruth(line []byte) error {
	p, err := parsePerson(line)
	if err != nil {
		return err
	}
	c.report.Truth++
	n := int32(len(c.truths))
	c.truths = append(c.truths, truthLine{line: bytes.Clone(line)})
	for _, id := range p.Identifiers {
		if _, twice := c.byIdentifier[id.key()]; twice {
			return fmt.Errorf("identifier %s stands in two components: this is no truth file, or two of them", id.key())
		}
		c.byIdentifier[id.key()] = n
	}
	return nil
}

// addExport finds whose line it is by the identifiers that it has. Of no truth, it is unexpected; of several, it
// merged them, and each of them counts as found; a second line of one split it. Only a line that is one person's is
// compared further.
func (c *comparison) addExport(line []byte) error {
	got, err := parsePerson(line)
	if err != nil {
		return err
	}
	if events, err := got.Events.Int64(); err == nil && events == 0 {
		return nil
	}
	c.report.Export++
	var owners []int32
	for _, id := range got.Identifiers {
		if n, known := c.byIdentifier[id.key()]; known && !slices.Contains(owners, n) {
			owners = append(owners, n)
		}
	}
	switch len(owners) {
	case 0:
		c.report.add(Difference{Kind: diffUnexpected, Identity: got.key(), Got: fmt.Sprintf("%d identifiers, %s events", len(got.Identifiers), got.Events)})
		return nil
	case 1:
	default:
		c.report.add(Difference{Kind: diffMerged, Identity: got.key(), Want: fmt.Sprintf("%d identities", len(owners)), Got: "one"})
		for _, n := range owners {
			c.truths[n].claimed = true
		}
		return nil
	}
	owner := &c.truths[owners[0]]
	want, err := parsePerson(owner.line)
	if err != nil {
		return err
	}
	if owner.claimed {
		c.report.add(Difference{Kind: diffSplit, Identity: want.key(), Want: "one identity", Got: "another, with " + got.key()})
		return nil
	}
	owner.claimed = true
	if !c.comparePerson(&want, &got) {
		c.report.Equal++
	}
	return nil
}

// comparePerson reports every difference between two lines about one person.
func (c *comparison) comparePerson(want, got *person) (differ bool) {
	key := want.key()
	report := func(kind DifferenceKind, field, want, got string) {
		differ = true
		c.report.add(Difference{Kind: kind, Identity: key, Field: field, Want: want, Got: got})
	}
	unmatched := map[string]*exported{}
	for i := range got.Identifiers {
		unmatched[got.Identifiers[i].key()] = &got.Identifiers[i]
	}
	if len(unmatched) < len(got.Identifiers) {
		report(diffExtraIdentifier, "identifiers", fmt.Sprint(len(unmatched)), fmt.Sprintf("%d, some of them twice", len(got.Identifiers)))
	}
	for _, w := range want.Identifiers {
		g, ok := unmatched[w.key()]
		if !ok {
			report(diffMissingIdentifier, "identifiers", w.key(), "")
			continue
		}
		delete(unmatched, w.key())
		if !sameInstant(w.First, g.First) {
			report(diffIdentifierSeen, "first_seen of "+w.key(), w.First, g.First)
		}
		if !sameInstant(w.Last, g.Last) {
			report(diffIdentifierSeen, "last_seen of "+w.key(), w.Last, g.Last)
		}
	}
	for _, extra := range slices.Sorted(maps.Keys(unmatched)) {
		report(diffExtraIdentifier, "identifiers", "", extra)
	}
	for _, f := range []struct {
		kind      DifferenceKind
		name      string
		want, got json.Number
	}{
		{diffCounts, "events", want.Events, got.Events},
		{diffOrders, "orders", want.Orders, got.Orders},
		{diffMoney, "revenue", want.Revenue, got.Revenue},
		{diffMoney, "discount", want.Discount, got.Discount},
		{diffOrders, "discounted_orders", want.Discounted, got.Discounted},
	} {
		if !sameNumber(f.want, f.got) {
			report(f.kind, f.name, f.want.String(), f.got.String())
		}
	}
	if !sameInstant(want.First, got.First) {
		report(diffSeen, "first_seen", want.First, got.First)
	}
	if !sameInstant(want.Last, got.Last) {
		report(diffSeen, "last_seen", want.Last, got.Last)
	}
	for _, kind := range keysOfBoth(want.Counts, got.Counts) {
		if w, g := want.Counts[kind], got.Counts[kind]; w != g {
			report(diffCounts, "counts."+kind, fmt.Sprint(w), fmt.Sprint(g))
		}
	}
	for _, name := range keysOfBoth(want.Traits, got.Traits) {
		if w, g := want.Traits[name], got.Traits[name]; !sameJSON(w, g) {
			report(diffTraits, "traits."+name, string(w), string(g))
		}
	}
	return differ
}

// A person is a line of an export or of the truth.
type person struct {
	Identifiers []exported                 `json:"identifiers"`
	Events      json.Number                `json:"events"`
	Orders      json.Number                `json:"orders"`
	Revenue     json.Number                `json:"revenue"`
	Discount    json.Number                `json:"discount"`
	Discounted  json.Number                `json:"discounted_orders"`
	First       string                     `json:"first_seen"`
	Last        string                     `json:"last_seen"`
	Traits      map[string]json.RawMessage `json:"traits"`
	Counts      map[string]uint64          `json:"counts"`
}

type exported struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
	First     string `json:"first_seen"`
	Last      string `json:"last_seen"`
}

func (e *exported) key() string { return e.Namespace + ":" + e.Value }

// key returns the smallest identifier.
func (p *person) key() string {
	least := p.Identifiers[0].key()
	for i := range p.Identifiers {
		least = min(least, p.Identifiers[i].key())
	}
	return least
}

func parsePerson(line []byte) (p person, err error) {
	if err := json.Unmarshal(line, &p); err != nil {
		return p, err
	}
	if len(p.Identifiers) == 0 {
		return p, errors.New("no identifiers: a line of an export or a truth file has them")
	}
	return p, nil
}

// eachLine calls fn with the lines of r that are not blank.
func eachLine(r io.Reader, name string, use func(line []byte) error) error {
	in := bufio.NewReaderSize(r, 1<<16)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return fmt.Errorf("read %s: %w", name, err)
		}
		if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 {
			if err := use(trimmed); err != nil {
				return fmt.Errorf("%s, line %d: %w", name, number, err)
			}
		}
		if err == io.EOF {
			return nil
		}
	}
}

// keysOfBoth returns the keys of both maps, sorted, each once: differences are then reported in a fixed order.
func keysOfBoth[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// sameInstant reports whether two times are one moment, whatever their notation.
func sameInstant(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := time.Parse(time.RFC3339Nano, a)
	y, errY := time.Parse(time.RFC3339Nano, b)
	return errX == nil && errY == nil && x.Equal(y)
}

// sameNumber reports whether two numbers are equal, exactly: 19.9 and 19.90 are, and no float is involved.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, okX := new(big.Rat).SetString(a.String())
	y, okY := new(big.Rat).SetString(b.String())
	return okX && okY && x.Cmp(y) == 0
}

// sameJSON reports whether two JSON texts have the same meaning.
func sameJSON(a, b json.RawMessage) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, errX := decode(a)
	y, errY := decode(b)
	return errX == nil && errY == nil && sameValue(x, y)
}

// decode keeps numbers as text, so that sameNumber compares them exactly.
func decode(text json.RawMessage) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// sameValue compares decoded JSON: objects regardless of the order of members, arrays in order, numbers by value.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && sameNumber(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValue)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameValue)
	}
	return a == b // strings, booleans, null
}
