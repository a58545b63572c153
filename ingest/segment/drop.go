package segment

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kindred-id/kindred/internal/jsonscan"
)

// Drop is a field that was left out of an event that was taken (E3). Field is of a fixed set: the paths of the
// spec's fields as in properties.tax and properties.products[].price, without an index, and the configured paths.
// Message says what was found there; where the field lies in a list, it says at which index.
type Drop struct {
	Field   string
	Code    Code
	Message string
	Hint    string
}

// dropsMax bounds the drops between two Resets that are kept with their message. All are counted.
const dropsMax = 100

// drop leaves a field out of the event at hand: it is counted by field and code, and told. The event is taken without it.
// Where all that is told is known, as after the first 100 of a batch, dropQuoted and dropKind spare the message.
func (d *Decoder) drop(field string, code Code, message, hint string) {
	d.drops = append(d.drops, Drop{field, code, message, hint})
}

// dropKind drops a field that holds another kind of value than it should.
func (d *Decoder) dropKind(field, want string, found jsonscan.Kind) {
	if !d.telling() {
		d.drop(field, CodeBadType, "", "")
		return
	}
	d.drop(field, CodeBadType, fmt.Sprintf("is %s, want %s", found, want), "send "+want+", or leave the field out")
}

// dropQuoted drops a field whose text can't be used: the message is the text in quotes, and the problem. It is not for
// identifiers, which no message quotes (E4).
func (d *Decoder) dropQuoted(field string, code Code, text []byte, problem, hint string) {
	if !d.telling() {
		d.drop(field, code, "", "")
		return
	}
	d.drop(field, code, quote(text)+" "+problem, hint)
}

// telling reports whether the message of another drop is still wanted.
func (d *Decoder) telling() bool { return d.told+len(d.drops) < dropsMax }

// Dropped are the fields left out of the event that was read last, as far as their messages are kept: 100 between
// two Resets. They are good until the next event. Stats counts all of them.
func (d *Decoder) Dropped() []Drop {
	return d.drops[:min(len(d.drops), d.tellable)]
}

// countDrops counts the drops of an event that is taken, or would be if it named anybody.
func (d *Decoder) countDrops() {
	d.tellable = dropsMax - d.told
	d.told += min(len(d.drops), d.tellable)
	for i := range d.drops {
		d.stats.Fields.add(DropKey{d.drops[i].Field, d.drops[i].Code}, 1)
	}
}

// DropKey is what drops are counted by.
type DropKey struct {
	Field string
	Code  Code
}

// DropCounts counts drops. The zero value is ready; without a drop it stays nil.
type DropCounts map[DropKey]uint64

func (c *DropCounts) add(key DropKey, n uint64) {
	if *c == nil {
		*c = DropCounts{}
	}
	(*c)[key] += n
}

// Add sums two counts. It leaves other as it is.
func (c *DropCounts) Add(other DropCounts) {
	for key, n := range other {
		c.add(key, n)
	}
}

// Keys are the keys in the order of field and code.
func (c DropCounts) Keys() []DropKey {
	keys := make([]DropKey, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b DropKey) int { return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Code, b.Code)) })
	return keys
}

// AppendJSON appends the counts as members of a JSON object, each by its field and without regard to the code,
// with a comma before each.
func (c DropCounts) AppendJSON(dst []byte) []byte {
	keys := c.Keys()
	for i := 0; i < len(keys); {
		field, n := keys[i].Field, uint64(0)
		for ; i < len(keys) && keys[i].Field == field; i++ {
			n += c[keys[i]]
		}
		name, err := json.Marshal(field)
		if err != nil {
			panic(err) // a string
		}
		dst = fmt.Appendf(append(dst, ','), "%s:%d", name, n)
	}
	return dst
}

// statsNumbers are the counts of Stats but for those by field.
type statsNumbers Stats

// MarshalJSON writes the counts as one object: {"empty":0, …, "properties.tax":3}.
func (s Stats) MarshalJSON() ([]byte, error) {
	body, err := json.Marshal(statsNumbers(s))
	if err != nil {
		return nil, err
	}
	return append(s.Fields.AppendJSON(body[:len(body)-1]), '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote, and the warnings of an answer: members of other names are fields, with no code.
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

// LargeEvents is the warning of an answer over HTTP about events that were taken whole, though they are large.
const LargeEvents = "large_events"
