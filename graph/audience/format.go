package audience

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/currency"
	"github.com/kindred-id/kindred/graph/signal"
)

// MarshalJSON writes the tree in its canonical form: Parse reads it back, and equal trees have equal texts.
func (n *Node) MarshalJSON() ([]byte, error) { return n.append(nil, true), nil }

// Hash is equal for equal trees, whatever the ids of their nodes.
func (n *Node) Hash() uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write(n.append(nil, false))
	return hash.Sum64()
}

func (n *Node) append(b []byte, ids bool) []byte {
	b = append(b, '{')
	if ids && n.ID != "" {
		b = append(appendText(append(b, `"id":`...), n.ID), ',')
	}
	switch n.Kind {
	case All:
		b = appendChildren(append(b, `"all":`...), n.Children, ids)
	case Any:
		b = appendChildren(append(b, `"any":`...), n.Children, ids)
	case Not:
		b = n.Children[0].append(append(b, `"not":`...), ids)
	case Events:
		b = n.Events.append(b)
	case Sequence:
		b = n.Sequence.append(b)
	case Trait:
		b = appendComparison(append(b, `"trait":`...), n.Value)
	case Score:
		b = appendComparison(append(b, `"score":`...), n.Value)
	case Identifier:
		b = appendText(append(b, `"identifier":`...), n.Name)
	case Member:
		b = appendText(append(b, `"audience":`...), n.Name)
	case Orders:
		b = n.Orders.append(b)
	}
	return append(b, '}')
}

func appendChildren(b []byte, children []*Node, ids bool) []byte {
	b = append(b, '[')
	for i, child := range children {
		if i > 0 {
			b = append(b, ',')
		}
		b = child.append(b, ids)
	}
	return append(b, ']')
}

// appendText appends a JSON string.
func appendText(b []byte, s string) []byte {
	text, _ := json.Marshal(s) // of a string, never fails
	return append(b, text...)
}

func appendComparison(b []byte, c *signal.Condition) []byte {
	b = append(appendText(append(b, '['), c.Path), ',')
	b = appendText(b, string(c.Op))
	switch {
	case c.Op == signal.In || c.Op == signal.NotIn:
		b = append(b, ",["...)
		for i := range c.Values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendOperand(b, &c.Values[i])
		}
		b = append(b, ']')
	case len(c.Values) == 1:
		b = appendOperand(append(b, ','), &c.Values[0])
	}
	return append(b, ']')
}

func appendOperand(b []byte, v *signal.Operand) []byte {
	switch v.Kind {
	case signal.Text:
		return appendText(b, v.Text)
	case signal.Bool:
		return strconv.AppendBool(b, v.True)
	}
	text, _ := json.Marshal(v.Num) // finite, as Check made sure
	return append(b, text...)
}

func appendFilter(b []byte, f *signal.EventFilter) []byte {
	b = append(b, '{')
	if f.Name != "" {
		b = append(appendText(append(b, `"event":`...), f.Name), ',')
	}
	if f.Type != "" {
		b = append(appendText(append(b, `"type":`...), f.Type), ',')
	}
	if len(f.Where) > 0 {
		b = append(b, `"where":[`...)
		for i := range f.Where {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendComparison(b, &f.Where[i])
		}
		b = append(b, "],"...)
	}
	b[len(b)-1] = '}' // it has a name or a type, so the last byte is a comma
	return b
}

func (w Window) append(b []byte) []byte {
	if w.Last > 0 {
		b = appendText(append(b, `,"last":`...), FormatDuration(w.Last))
	}
	if w.Days {
		b = appendText(append(b, `,"from":`...), FormatDuration(int64(w.From)*day))
		b = appendText(append(b, `,"to":`...), FormatDuration(int64(w.To)*day))
	}
	return b
}

func (r Range) append(b []byte, of string, decimals int) []byte {
	b = append(b, '{')
	comma := false
	field := func(name string) {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(append(append(b, '"'), name...), `":`...)
	}
	if of != "" {
		field("of")
		b = appendText(b, of)
	}
	if r.HasLow {
		field("at_least")
		b = appendDecimal(b, r.Low, decimals)
	}
	if r.HasHigh {
		field("at_most")
		b = appendDecimal(b, r.High, decimals)
	}
	return append(b, '}')
}

// appendDecimal appends a number of so many decimals: as a text, unless it is whole, so that no reader rounds it.
func appendDecimal(b []byte, n int64, decimals int) []byte {
	text := FormatDecimal(n, decimals)
	if strings.Contains(text, ".") {
		return append(append(append(b, '"'), text...), '"')
	}
	return append(b, text...)
}

// FormatDecimal writes a number that counts units of 10^-decimals, without zeros at its end.
func FormatDecimal(n int64, decimals int) string {
	sign, digits := "", strconv.FormatInt(n, 10)
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	digits = strings.Repeat("0", max(0, decimals+1-len(digits))) + digits
	whole, fraction := digits[:len(digits)-decimals], strings.TrimRight(digits[len(digits)-decimals:], "0")
	if fraction == "" {
		return sign + whole
	}
	return sign + whole + "." + fraction
}

// Decimals is how many decimals a bound of the condition has.
func (c *OrderCondition) Decimals() int {
	if c.Measure != OrderNet {
		return 0
	}
	var code [3]byte
	copy(code[:], c.Currency)
	return currency.Decimals(code)
}

// SumDecimals is how many decimals a bound of Sum has.
const SumDecimals = 4

func (e *EventCondition) append(b []byte) []byte {
	b = appendFilter(append(b, `"signal":`...), &e.Filter)
	switch e.Measure {
	case Count:
		if e.Range != (Range{HasLow: true, Low: 1}) {
			b = e.Range.append(append(b, `,"count":`...), "", 0)
		}
	case Sum:
		b = e.Range.append(append(b, `,"sum":`...), e.Of, SumDecimals)
	case DistinctOf:
		b = e.Range.append(append(b, `,"distinct":`...), e.Of, 0)
	case FirstEvent:
		b = append(b, `,"first":true`...)
	case FirstValue:
		b = appendComparison(append(b, `,"first_value":`...), e.Value)
	case LastValue:
		b = appendComparison(append(b, `,"last_value":`...), e.Value)
	}
	return e.Window.append(b)
}

func (s *SequenceOf) append(b []byte) []byte {
	b = appendFilter(append(b, `"sequence":[`...), &s.First)
	b = appendFilter(append(b, ','), &s.Then)
	b = appendText(append(b, `],"within":`...), FormatDuration(s.Within))
	return s.Window.append(b)
}

func (c *OrderCondition) append(b []byte) []byte {
	b = append(append(append(b, `"orders":{"`...), c.Measure...), `":`...)
	b = append(c.Range.append(b, "", c.Decimals()), '}')
	if c.Currency != "" {
		b = appendText(append(b, `,"currency":`...), c.Currency)
	}
	return c.Window.append(b)
}
