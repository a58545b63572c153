package audience

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func drawExpression(t *rapid.T) *Expression {
	o := document{}
	if rapid.IntRange(0, 4).Draw(t, "of orders") == 0 {
		o["orders"] = rapid.SampledFrom([]string{"count", "net", "first_time", "last_time"}).Draw(t, "value")
		if o["orders"] == "net" {
			o["currency"] = "EUR"
		}
		if o["orders"] == "net" || o["orders"] == "count" {
			addWindow(t, o, true)
		}
	} else {
		o["signal"] = drawFilter(t)
		measure := rapid.SampledFrom([]string{"count", "sum", "distinct", "first_value", "last_value", "first_time", "last_time", "newest", "most_frequent"}).Draw(t, "value")
		o["value"] = measure
		switch measure {
		case "count", "sum":
			addWindow(t, o, false)
		case "newest":
			o["n"] = rapid.IntRange(1, 3).Draw(t, "n")
		}
		switch measure {
		case "sum":
			o["of"] = "price"
		case "count", "first_time", "last_time":
		default:
			o["of"] = rapid.SampledFrom([]string{"category", "tags", "price"}).Draw(t, "of")
		}
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ParseExpression(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	written, _ := x.MarshalJSON()
	again, err := ParseExpression(written)
	if err != nil || !reflect.DeepEqual(again, x) {
		t.Fatalf("%s was written as %s: %v", text, written, err)
	}
	return x
}

// valueOf computes an expression from raw events and a clock.
func (p *person) valueOf(x *Expression, now int64) Value {
	if x.Orders {
		return p.orderValueOf(x, now)
	}
	matching := p.matching(&x.Filter, now) // the oldest first
	switch x.Measure {
	case Count, Sum:
		v := Value{Kind: NumberValue}
		for _, e := range matching {
			if !inWindow(x.Window, e.at, now) {
				continue
			}
			if v.Number++; x.Measure == Sum {
				v.Number--
				v.Decimals = SumDecimals
				if e.priced {
					v.Number += int64(e.price * 10_000)
				}
			}
		}
		if x.Measure == Sum {
			v.Decimals = SumDecimals
		}
		return v
	case FirstTime, LastTime:
		if len(matching) == 0 {
			return Value{}
		}
		if x.Measure == LastTime {
			slices.Reverse(matching)
		}
		return Value{Kind: TimeValue, Number: matching[0].at}
	case FirstValue:
		for _, e := range matching {
			if texts := e.texts(x.Of); len(texts) > 0 {
				return Value{Kind: TextValue, Text: texts[0]}
			}
		}
		return Value{}
	}
	slices.Reverse(matching)
	if x.Measure == LastValue {
		for _, e := range matching {
			if texts := e.texts(x.Of); len(texts) > 0 {
				return Value{Kind: TextValue, Text: texts[0]}
			}
		}
		return Value{}
	}
	counts := map[string]int{}
	var newest []string // the one that came last first; of one event by the alphabet
	for _, e := range matching {
		texts := e.texts(x.Of)
		slices.Sort(texts)
		for _, text := range texts {
			if counts[text]++; counts[text] == 1 {
				newest = append(newest, text)
			}
		}
	}
	switch {
	case x.Measure == DistinctOf:
		return Value{Kind: NumberValue, Number: int64(len(newest))}
	case len(newest) == 0:
		return Value{}
	case x.Measure == NewestValues:
		return Value{Kind: ListValue, List: newest[:min(len(newest), x.N)]}
	}
	slices.SortStableFunc(newest, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	return Value{Kind: TextValue, Text: newest[0]}
}

func (e *event) texts(path string) (texts []string) {
	for _, v := range e.values(path) {
		switch v := v.(type) {
		case string:
			texts = append(texts, v)
		case float64:
			texts = append(texts, strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	return texts
}

func (p *person) orderValueOf(x *Expression, now int64) Value {
	v := Value{Kind: NumberValue}
	var times []int64
	for _, o := range p.orders {
		if o.PlacedAt > now || o.Cancelled || !inWindow(x.Window, o.PlacedAt, now) || x.Measure == Net && o.Currency != "EUR" {
			continue
		}
		times = append(times, o.PlacedAt)
		v.Number += map[bool]int64{true: o.Net, false: 1}[x.Measure == Net]
	}
	switch {
	case x.Measure == Net:
		v.Decimals = 2
	case x.Measure != Count && len(times) == 0:
		return Value{}
	case x.Measure == FirstTime:
		return Value{Kind: TimeValue, Number: slices.Min(times)}
	case x.Measure == LastTime:
		return Value{Kind: TimeValue, Number: slices.Max(times)}
	}
	return v
}

// A value is what raw events and the clock give, whatever the order of events and their division into fragments, and it stays so until the
// moment that is given (T1, T2, T5, T6).
func TestValuesAgainstOracleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := drawExpression(t)
		text, _ := x.MarshalJSON()
		c, err := NewCatalog(nil, ComputedTrait{Key: "v", Of: x})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		p := drawPerson(t)
		order := p.drawOrder(t)
		fragments := rapid.IntRange(1, 3).Draw(t, "fragments")
		eval := c.NewEvaluation()
		now := start - day + rapid.Int64Range(0, 30*24).Draw(t, "now")*hour
		for range 6 {
			eval.Begin(p.view(c.Signals(), order, fragments, now), now)
			got, until := eval.Value(0)
			if want := p.valueOf(x, now); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s at %d: %+v, want %+v", text, now-start, got, want)
			}
			if until <= now {
				t.Fatalf("%s: until %d at %d", text, until-start, now-start)
			}
			still := *p
			still.events = slices.DeleteFunc(slices.Clone(p.events), func(e event) bool { return e.at > now })
			end := min(until, now+40*day)
			for _, at := range []int64{end - 1, now + (end-now)/2, now + rapid.Int64Range(0, end-now-1).Draw(t, "later")} {
				if !reflect.DeepEqual(still.valueOf(x, at), got) {
					t.Fatalf("%s: %+v at %d until %d, and not at %d", text, got, now-start, until-start, at-start)
				}
			}
			now += rapid.Int64Range(1, 4*24).Draw(t, "step") * hour
		}
	})
}

// Once more values came than are counted, none is the most frequent.
func TestMostFrequentOfMany(t *testing.T) {
	x, err := ParseExpression([]byte(`{"signal":{"event":"view"},"value":"most_frequent","of":"category"}`))
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewCatalog(nil, ComputedTrait{Key: "v", Of: x})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{}
	for i := range 128 {
		p.events = append(p.events, event{at: start + int64(i), typ: "track", name: "view", category: fmt.Sprint("c", min(i, 126))})
	}
	order := make([]int, len(p.events))
	for i := range order {
		order[i] = i
	}
	eval := c.NewEvaluation()
	eval.Begin(p.view(c.Signals(), order, 1, start+day), start+day)
	if v, _ := eval.Value(0); v.Text != "c126" {
		t.Errorf("of 127 values: %+v", v)
	}
	p.events[0].category = "c127"
	p.events = append(p.events, event{at: start + 500, typ: "track", name: "view", category: "c0"})
	eval.Begin(p.view(c.Signals(), append(order, 128), 1, start+day), start+day)
	if v, _ := eval.Value(0); v.Kind != NoValue {
		t.Errorf("of 128 values: %+v", v)
	}
}

func TestWrongExpressions(t *testing.T) {
	for _, c := range []struct{ text, place, says string }{
		{`[]`, "", "want an object"},
		{`{"value":"count"}`, "", "want signal"},
		{`{"signal":{"event":"x"},"orders":"count","value":"count"}`, "", "want signal"},
		{`{"signal":{"event":"x"},"value":"avg"}`, "value", `unknown value "avg" of events; use count`},
		{`{"signal":{},"value":"count"}`, "signal", "neither a name nor a type"},
		{`{"signal":{"event":"x"},"value":"sum"}`, "of", "one is needed"},
		{`{"signal":{"event":"x"},"value":"count","of":"a"}`, "of", "none is used"},
		{`{"signal":{"event":"x"},"value":"count","last":"7d"}`, "last", "whole days"},
		{`{"signal":{"event":"x"},"value":"last_value","of":"a","from":"7d"}`, "", "leave the window out"},
		{`{"signal":{"event":"x"},"value":"newest","of":"a"}`, "n", "give 1 to 64"},
		{`{"signal":{"event":"x"},"value":"last_value","of":"a","n":2}`, "n", "only"},
		{`{"signal":{"event":"x"},"value":"count","more":1}`, "", `unknown field "more"`},
		{`{"orders":"sum"}`, "orders", "use count, net"},
		{`{"orders":"net"}`, "currency", "money needs one"},
		{`{"orders":"count","currency":"EUR"}`, "currency", "only net"},
		{`{"orders":"last_time","last":"7d"}`, "", "leave the window out"},
	} {
		_, err := ParseExpression([]byte(c.text))
		var placed *PlaceError
		if !errors.As(err, &placed) || placed.Place != c.place || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q at %q", c.text, err, c.says, c.place)
		}
	}
	x, err := ParseExpression([]byte(`{"orders":"count"}`))
	if err != nil {
		t.Fatal(err)
	}
	email := Definition{Key: "a", Where: mustParse(t, `{"identifier":"email"}`)}
	for _, traits := range [][]ComputedTrait{{{"a", x}}, {{"b", x}, {"b", x}}, {{"B", x}}} {
		if _, err := NewCatalog([]Definition{email}, traits...); err == nil {
			t.Errorf("%v is taken", traits)
		}
	}
}
