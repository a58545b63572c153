package signal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// properties are decoded JSON, read by a path as the package describes: the slow and plain way.
type properties map[string]any

func (p properties) Append(values []Scalar, path string) []Scalar {
	return appendValues(values, map[string]any(p), strings.Split(path, "."))
}

func appendValues(values []Scalar, v any, path []string) []Scalar {
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			values = appendValues(values, element, path)
		}
		return values
	case map[string]any:
		if child, ok := v[strings.Join(path[:min(1, len(path))], "")]; ok {
			return appendValues(values, child, path[1:])
		}
		return values
	}
	if len(path) > 0 {
		return values
	}
	return append(values, scalarOf(v))
}

func scalarOf(v any) Scalar {
	switch v := v.(type) {
	case string:
		return Scalar{Kind: Text, Text: []byte(v)}
	case float64:
		return Scalar{Kind: Number, Num: v, Text: []byte(strconv.FormatFloat(v, 'g', -1, 64))}
	case bool:
		return Scalar{Kind: Bool, True: v}
	}
	return Scalar{}
}

func parse(t *testing.T, text string) properties {
	t.Helper()
	var p properties
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func text(s string) Operand    { return Operand{Kind: Text, Text: s} }
func number(n float64) Operand { return Operand{Kind: Number, Num: n} }

func TestConditions(t *testing.T) {
	event := parse(t, `{"category":"tents","price":"249.50","size":4,"new":true,"gone":null,"inf":"Inf","hex":"0x10",
		"products":[{"sku":"a","tags":["red","xl"]},{"sku":"b"}]}`)
	for _, c := range []struct {
		path   string
		op     Op
		values []Operand
		want   bool
	}{
		{"category", Eq, []Operand{text("tents")}, true},
		{"category", Eq, []Operand{text("Tents")}, false},
		{"category", Ne, []Operand{text("tents")}, false},
		{"category", Ne, []Operand{text("shoes")}, true},
		{"missing", Ne, []Operand{text("shoes")}, true},
		{"category", In, []Operand{text("shoes"), text("tents")}, true},
		{"category", NotIn, []Operand{text("shoes"), text("tents")}, false},
		{"category", StartsWith, []Operand{text("ten")}, true},
		{"category", Contains, []Operand{text("ent")}, true},
		{"category", Contains, []Operand{text("x")}, false},
		{"price", Gt, []Operand{number(249)}, true}, // a text that is a number
		{"price", Eq, []Operand{number(249.5)}, true},
		{"price", Lt, []Operand{number(249.5)}, false},
		{"price", Le, []Operand{number(249.5)}, true},
		{"size", Ge, []Operand{number(4)}, true},
		{"size", Eq, []Operand{text("4")}, false}, // a number is no text
		{"inf", Gt, []Operand{number(1)}, false},
		{"hex", Gt, []Operand{number(1)}, false},
		{"new", Eq, []Operand{{Kind: Bool, True: true}}, true},
		{"new", Eq, []Operand{{Kind: Bool}}, false},
		{"gone", Exists, nil, false},
		{"gone", Missing, nil, true},
		{"size", Exists, nil, true},
		{"products.sku", Eq, []Operand{text("b")}, true},
		{"products.sku", Ne, []Operand{text("b")}, false},
		{"products.tags", Eq, []Operand{text("xl")}, true},
		{"products", Exists, nil, false}, // objects have no value of their own
	} {
		condition := Condition{Path: c.path, Op: c.op, Values: c.values}
		if err := condition.Check(); err != nil {
			t.Errorf("%s %s %v: %v", c.path, c.op, c.values, err)
		} else if got := condition.Holds(event, &Scratch{}); got != c.want {
			t.Errorf("%s %s %v: %v", c.path, c.op, c.values, got)
		}
	}
}

func TestWrongDefinitions(t *testing.T) {
	viewed := EventFilter{Name: "Product Viewed"}
	with := func(c Condition) Definition {
		return Definition{Event: EventFilter{Name: "x", Where: []Condition{c}}, Kind: Newest, N: 1}
	}
	for _, c := range []struct {
		def  Definition
		want string
	}{
		{Definition{Kind: Newest, N: 1}, "neither a name nor a type"},
		{Definition{Event: EventFilter{Type: "click"}, Kind: Newest, N: 1}, `unknown type of event "click"`},
		{Definition{Event: viewed, Kind: Newest, N: 65}, "at most 64"},
		{Definition{Event: viewed, Kind: Newest}, "at most 64"},
		{Definition{Event: viewed, Kind: Distinct, N: 3}, "a property is given where none is used"},
		{Definition{Event: viewed, Kind: First, Of: "a..b"}, "empty name"},
		{Definition{Event: viewed, Kind: Newest, N: 1, Of: "a"}, "a property is given"},
		{Definition{Event: viewed}, "unknown kind"},
		{with(Condition{Path: "a", Op: "like", Values: []Operand{text("b")}}), `unknown operator "like"`},
		{with(Condition{Path: "a", Op: Lt, Values: []Operand{text("b")}}), `where[0]: "lt" compares numbers; "b" is none`},
		{with(Condition{Path: "a", Op: Eq}), "0 values; give 1 to 1"},
		{with(Condition{Op: Exists}), "name of 0 bytes"},
		{with(Condition{Path: "a", Op: Contains, Values: []Operand{text("")}}), "not empty"},
	} {
		if err := c.def.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.def, err, c.want)
		}
	}
}

// Equal definitions have equal ids however they are written, and different ones have not (S3).
func TestCanonical(t *testing.T) {
	def := func(where ...Condition) ID {
		d := Definition{Event: EventFilter{Name: "x", Where: where}, Kind: Newest, N: 1}
		return d.Canonical()
	}
	a := func() Condition { return Condition{Path: "a", Op: In, Values: []Operand{text("1"), text("2")}} }
	b := Condition{Path: "b", Op: Gt, Values: []Operand{number(0)}}
	turned := Condition{Path: "a", Op: In, Values: []Operand{text("2"), text("1"), text("2")}}
	if one, other := def(a(), b), def(b, turned, b); one != other {
		t.Errorf("%x and %x", one, other)
	}
	seen := map[ID]bool{}
	different := []ID{
		def(), def(a()), def(b), def(a(), b),
		def(Condition{Path: "a", Op: In, Values: []Operand{text("12")}}),
		def(Condition{Path: "a", Op: Eq, Values: []Operand{number(1)}}),
		def(Condition{Path: "a", Op: Eq, Values: []Operand{text("1")}}),
		def(Condition{Path: "a", Op: Eq, Values: []Operand{{Kind: Bool, True: true}}}),
		def(Condition{Path: "a", Op: Eq, Values: []Operand{{Kind: Bool}}}),
	}
	for _, id := range different {
		if seen[id] {
			t.Errorf("%x twice", id)
		}
		seen[id] = true
	}
}

type folded struct {
	moment Moment
	value  string
}

// Folding the events in any order, in any number of parts that are merged in any order, gives the same state (S1).
func TestStateProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		def := rapid.SampledFrom([]Definition{
			{Kind: Newest, N: 3},
			{Kind: Oldest, N: 3},
			{Kind: Days, Of: "p"},
			{Kind: First, Of: "p"},
			{Kind: Last, Of: "p"},
			{Kind: Distinct, N: 4, Of: "p"},
			{Kind: Recent, N: 4, Of: "p"},
		}).Draw(t, "def")
		span := rapid.SampledFrom([]int64{50, 20 * DayMillis, 4000 * DayMillis}).Draw(t, "span")
		most := 40
		if span > 1000*DayMillis {
			most = 1500 // more days than are kept
		}
		count := rapid.IntRange(0, most).Draw(t, "count")
		seed := rapid.Uint64().Draw(t, "seed")
		events := make([]folded, count)
		for i := range events {
			seed = seed*6364136223846793005 + 1442695040888963407
			events[i] = folded{Moment{Time: int64(seed>>16)%span - span/4, Tie: uint64(i)}, strconv.Itoa(int(seed>>40) % 9)}
		}
		fold := func(events []folded, parts int) State {
			states := make([]State, parts)
			for i := range states {
				states[i] = def.NewState()
			}
			for _, e := range events {
				states[int(e.moment.Tie)%parts].Fold(e.moment, Scalar{Kind: Text, Text: []byte(e.value)}, e.value != "8")
			}
			whole := def.NewState()
			for _, i := range rapid.Permutation(slices.Collect(func(yield func(int) bool) {
				for i := range parts {
					if !yield(i) {
						return
					}
				}
			})).Draw(t, "order of parts") {
				other := states[i].Clone()
				other.Restore()
				whole.Merge(&other)
			}
			return whole
		}
		want := fold(events, 1)
		shuffled := slices.Clone(events)
		slices.SortFunc(shuffled, func(a, b folded) int {
			return cmp.Compare(a.moment.Tie*0x9e3779b97f4a7c15, b.moment.Tie*0x9e3779b97f4a7c15)
		})
		got := fold(shuffled, rapid.IntRange(1, 5).Draw(t, "parts"))
		if !same(&got, &want) {
			t.Fatalf("%v\n%+v\n%+v", def.Kind, got, want)
		}
		checkAgainstEvents(t, &want, events)
		if def.Kind == Days {
			return
		}
		again := want.Clone()
		for _, e := range events { // S2
			again.Fold(e.moment, Scalar{Kind: Text, Text: []byte(e.value)}, e.value != "8")
		}
		if def.Kind != Distinct && !same(&again, &want) {
			t.Fatalf("folded twice: %v\n%+v\n%+v", def.Kind, again, want)
		}
	})
}

func same(a, b *State) bool {
	return a.Empty() && b.Empty() || reflect.DeepEqual(*a, *b)
}

// checkAgainstEvents computes plainly from all events what the state should say.
func checkAgainstEvents(t *rapid.T, s *State, events []folded) {
	slices.SortFunc(events, func(a, b folded) int { return a.moment.Compare(b.moment) }) // the oldest first
	switch s.Kind {
	case Newest, Oldest:
		if s.Kind == Newest {
			slices.Reverse(events)
		}
		var moments []Moment
		for _, e := range events[:min(len(events), s.N)] {
			moments = append(moments, e.moment)
		}
		if !slices.Equal(moments, s.Moments) {
			t.Fatalf("%v, want %v", s.Moments, moments)
		}
	case Days:
		checkDays(t, s, events)
	default:
		checkValues(t, s, events)
	}
}

func checkValues(t *rapid.T, s *State, events []folded) {
	newest, count := map[string]Moment{}, map[string]uint32{}
	var seen []string // by the oldest event
	for _, e := range events {
		if e.value == "8" {
			continue
		}
		if count[e.value]++; count[e.value] == 1 {
			seen = append(seen, e.value)
		}
		newest[e.value] = e.moment
	}
	byNewest := slices.SortedFunc(maps.Keys(newest), func(a, b string) int { return newest[b].Compare(newest[a]) })
	want := byNewest
	switch s.Kind {
	case First:
		want = seen[:min(1, len(seen))]
	case Last:
		want = byNewest[:min(1, len(seen))]
	case Distinct:
		slices.SortFunc(want, func(a, b string) int { return cmp.Compare(hashOf([]byte(a)), hashOf([]byte(b))) })
		want = want[:min(s.N, len(want))]
	case Recent:
		want = want[:min(s.N, len(want))]
	}
	var got []string
	for _, v := range s.Values {
		got = append(got, v.Text)
		if s.Kind != First && v.Newest != newest[v.Text] {
			t.Fatalf("%s was seen last at %v, want %v", v.Text, v.Newest, newest[v.Text])
		}
		if s.Kind == Distinct && v.Count != count[v.Text] {
			t.Fatalf("%s: %d events, want %d", v.Text, v.Count, count[v.Text])
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("values %v, want %v", got, want)
	}
}

func checkDays(t *rapid.T, s *State, events []folded) {
	count, sum, days := 0, int64(0), map[int32]bool{}
	for _, e := range events {
		days[DayOf(e.moment.Time)] = true
		if e.value != "8" {
			n, _ := strconv.ParseInt(e.value, 10, 64)
			sum += n * unitsPerOne
		}
	}
	kept := 0
	for _, d := range s.Days {
		count += int(d.Count)
		sum -= d.Sum
		if !d.Long {
			kept++
		} else if mod(d.Day, PeriodDays) != 0 {
			t.Fatalf("a period begins with day %d", d.Day)
		}
	}
	if count != len(events) || sum != 0 || kept != min(len(days), DaysMax) {
		t.Fatalf("%d events of %d, sums differ by %d, %d days of %d", count, len(events), sum, kept, len(days))
	}
}

func TestIndex(t *testing.T) {
	tents := EventFilter{Name: "Product Viewed", Where: []Condition{{Path: "category", Op: Eq, Values: []Operand{text("tents")}}}}
	defs := []Definition{
		{Event: tents, Kind: Newest, N: 3},
		{Event: tents, Kind: Newest, N: 3}, // shared
		{Event: EventFilter{Type: "page"}, Kind: Newest, N: 1},
		{Event: EventFilter{Type: "page", Name: "Product Viewed"}, Kind: Newest, N: 1},
		{Event: EventFilter{Name: "Order Completed"}, Kind: Days, Of: "revenue"},
		{Event: EventFilter{Name: "Order Completed"}, Kind: Recent, N: 9, Of: "products.sku"},
	}
	x, err := NewIndex(defs)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(x.Signals()); n != 5 {
		t.Errorf("%d signals", n)
	}
	match := func(eventType, name, props string) string {
		var values []string
		for _, m := range x.Match(nil, eventType, []byte(name), parse(t, props), &Scratch{}) {
			d, _ := x.Definition(m.Signal)
			values = append(values, fmt.Sprintf("%d %s %s", d.Kind, d.Event.Type, m.Value.Text))
		}
		return strings.Join(values, ", ")
	}
	for _, c := range []struct{ eventType, name, props, want string }{
		{"track", "Product Viewed", `{"category":"tents"}`, "1  "},
		{"track", "Product Viewed", `{"category":"shoes"}`, ""},
		{"page", "Product Viewed", `{}`, "1 page , 1 page "},
		{"page", "", `{}`, "1 page "},
		{"track", "Order Completed", `{"revenue":12.5,"products":[{"sku":"a"},{"sku":"b"}]}`, "3  12.5, 7  a, 7  b"},
		{"track", "Order Completed", `{}`, "3  "},
		{"track", "other", `{}`, ""},
	} {
		if got := match(c.eventType, c.name, c.props); got != c.want {
			t.Errorf("%s %q %s: %q, want %q", c.eventType, c.name, c.props, got, c.want)
		}
	}
	many := make([]Definition, LiveMax+1)
	for i := range many {
		many[i] = Definition{Event: EventFilter{Name: strconv.Itoa(i)}, Kind: Newest, N: 1}
	}
	if _, err := NewIndex(many); err == nil || !strings.Contains(err.Error(), "at most 1000") {
		t.Error(err)
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[string]int64{"12.34": 123400, "0.00005": 0, "0.00016": 2, "-1": -10000, "1e300": unitsMax} {
		n, err := strconv.ParseFloat(in, 64)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []Scalar{{Kind: Number, Num: n}, {Kind: Text, Text: []byte(in)}} {
			if got, ok := s.Units(); !ok || got != want {
				t.Errorf("%s: %d, %v", in, got, ok)
			}
		}
	}
	if _, ok := (Scalar{Kind: Text, Text: []byte("many")}).Units(); ok {
		t.Error("a word is a number")
	}
}

func TestClip(t *testing.T) {
	if got := string(clip([]byte(strings.Repeat("é", 150)))); got != strings.Repeat("é", 100) {
		t.Error(len(got), got)
	}
	if got := clip([]byte("a" + strings.Repeat("é", 150))); len(got) != 199 {
		t.Error(len(got))
	}
}

func BenchmarkFold(b *testing.B) {
	d := Definition{Event: EventFilter{Name: "x"}, Kind: Newest, N: 5}
	s := d.NewState()
	b.ReportAllocs()
	at := int64(0)
	for b.Loop() {
		at++
		s.Fold(Moment{Time: at}, Scalar{}, false)
	}
}
