package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Drop is a field that was left out of an accepted event (E3). Field is from a fixed set: the paths of the spec's
// fields, as in properties.tax and properties.products[].price, without an index, and the configured paths. Message
// describes the value, with its index if the field is in a list.
type Drop struct {
	Field   string
	Code    Code
	Message string
	Hint    string
}

// drops reports what is left out of events: all of it by count, and the first dropsMax of a batch in words. Without
// that bound a batch of wrong events would cost more, in texts that nobody reads, than one of right events.
//
// An event that is rejected in the end has dropped fields, too. They wait in list until countDrops, so that
// Stats.Fields is about events that are accepted, or would be with an identifier.
type drops struct {
	stats Stats
	list  []Drop // of the current event
	told  int    // drops reported since the last Reset
	// tellable is how many of the drops in list may be reported.
	tellable int
}

// dropsMax bounds the drops that keep their message between two Resets. All drops are counted.
const dropsMax = 100

// drop leaves a field out of the current event: it is counted by field and code, and reported. The event is accepted
// without it. After the first 100 drops of a batch messages are no longer wanted; dropQuoted and dropKind then do not
// build them.
func (d *drops) drop(field string, code Code, message, hint string) {
	d.list = append(d.list, Drop{field, code, message, hint})
}

// dropKind drops a field whose value has another kind than it should.
func (d *drops) dropKind(field, want string, found jsonscan.Kind) {
	if !d.telling() {
		d.drop(field, CodeBadType, "", "")
		return
	}
	d.drop(field, CodeBadType, fmt.Sprintf("is %s, want %s", found, want), "send "+want+", or leave the field out")
}

// dropQuoted drops a field with unusable text: the message is the text in quotes, and the problem. Do not use it for
// identifiers, which no message quotes (E4).
func (d *drops) dropQuoted(field string, code Code, text []byte, problem, hint string) {
	if !d.telling() {
		d.drop(field, code, "", "")
		return
	}
	d.drop(field, code, quote(text)+" "+problem, hint)
}

// dropText drops a field that should hold text and does not.
func (d *drops) dropText(field string, v *jsonscan.Value) {
	d.dropKind(field, "a string", v.Kind)
	*v = jsonscan.Value{}
}

// dropUnlessEmpty drops a field that should hold an object and does not. An empty list is an empty object.
func (d *drops) dropUnlessEmpty(field string, v jsonscan.Value) {
	if !absent(v) && !isEmptyList(v) {
		d.dropKind(field, "an object", v.Kind)
	}
}

// dropIdentifier drops an identifier that package identifier rejects.
func (d *drops) dropIdentifier(field string, code Code, err error, hint string) {
	if !d.telling() {
		d.drop(field, code, "", "")
		return
	}
	d.drop(field, code, err.Error(), hint)
}

// telling reports whether the message of another drop is wanted.
func (d *drops) telling() bool { return d.told+len(d.list) < dropsMax }

// Dropped returns the fields left out of the last event, as far as their messages are kept: 100 between two Resets.
// The result is valid until the next event. Stats counts all drops.
func (d *Decoder) Dropped() []Drop {
	return d.list[:min(len(d.list), d.tellable)]
}

// countDrops counts the drops of an event that is accepted, or would be if it had an identifier.
func (d *drops) countDrops() {
	d.tellable = dropsMax - d.told
	d.told += min(len(d.list), d.tellable)
	for i := range d.list {
		d.stats.Fields.add(DropKey{d.list[i].Field, d.list[i].Code}, 1)
	}
}

// DropKey is the key by which drops are counted.
type DropKey struct {
	Field string
	Code  Code
}

// DropCounts counts drops. The zero value is ready to use, and stays nil without a drop.
type DropCounts map[DropKey]uint64

func (c *DropCounts) add(key DropKey, n uint64) { addCount(c, key, n) }

// Add adds other, which it does not change.
func (c *DropCounts) Add(other DropCounts) { addCounts(c, other) }

// addCount adds to counts that stay nil until something is counted.
func addCount[M ~map[K]uint64, K comparable](counts *M, key K, n uint64) {
	if *counts == nil {
		*counts = M{}
	}
	(*counts)[key] += n
}

// addCounts adds the counts of another map. A map that has nothing stays nil, so that most events allocate none.
func addCounts[M ~map[K]uint64, K comparable](counts *M, other M) {
	for key, n := range other {
		addCount(counts, key, n)
	}
}

// Keys returns the keys in the order of field and code.
func (c DropCounts) Keys() []DropKey {
	keys := make([]DropKey, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b DropKey) int { return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code)) })
	return keys
}

// AppendJSON appends the counts as members of a JSON object, one for each field, summed over codes, each after a
// comma.
func (c DropCounts) AppendJSON(dst []byte) []byte {
	keys := c.Keys()
	for i := 0; i < len(keys); {
		field, n := keys[i].Field, uint64(0)
		for ; i < len(keys) && keys[i].Field == field; i++ {
			n += c[keys[i]]
		}
		name, err := json.Marshal(field)
		if err != nil {
			panic(err) // can't happen for a string
		}
		dst = fmt.Appendf(append(dst, ','), "%s:%d", name, n)
	}
	return dst
}

// statsNumbers has the counts of Stats except those by field.
type statsNumbers Stats

// MarshalJSON writes the counts as one object: {"empty":0, …, "properties.tax":3}.
func (s Stats) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(statsNumbers(s))
	if err != nil {
		return nil, err
	}
	return append(s.Fields.AppendJSON(body[:len(body)-1]), '}'), nil
}

// UnmarshalJSON reads the format of MarshalJSON, and the warnings of an answer: members with other names are fields,
// without a code.
func (s *Stats) UnmarshalJSON(body []byte) error {
	*s = Stats{}
	if err := json.Unmarshal(body, (*statsNumbers)(s)); err != nil {
		return err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	own, err := json.Marshal(statsNumbers{})
	if err != nil {
		return err
	}
	var known map[string]uint64
	if err := json.Unmarshal(own, &known); err != nil {
		return err
	}
	for name, text := range all {
		if _, ok := known[name]; ok || name == LargeEvents || name == "words" {
			continue
		}
		var n uint64
		if err := json.Unmarshal(text, &n); err != nil {
			return err
		}
		s.Fields.add(DropKey{Field: name}, n)
	}
	return nil
}

// LargeEvents is the warning in an answer over HTTP about large events that were accepted whole.
const LargeEvents = "large_events"
