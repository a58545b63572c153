package audience

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kindred-id/kindred/graph/signal"
)

const start = int64(20_000) * day

// Random trees, as JSON: what a caller sends.

type document = map[string]any

func drawWhere(t *rapid.T) []any {
	var where []any
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		where = append(where, rapid.SampledFrom([][]any{
			{"category", "eq", "tents"},
			{"category", "ne", "tents"},
			{"category", "in", []string{"shoes", "tents"}},
			{"category", "exists"},
			{"category", "missing"},
			{"price", "gt", 2},
			{"price", "le", 2.5},
			{"tags", "eq", "a"},
			{"tags", "not_in", []string{"a", "b"}},
		}).Draw(t, "condition"))
	}
	return where
}

func drawFilter(t *rapid.T) document {
	f := document{"event": rapid.SampledFrom([]string{"view", "buy"}).Draw(t, "event")}
	if where := drawWhere(t); where != nil {
		f["where"] = where
	}
	switch rapid.IntRange(0, 5).Draw(t, "with type") {
	case 0:
		f["type"] = "track"
	case 1:
		delete(f, "event")
		f["type"] = "page"
	}
	return f
}

func addWindow(t *rapid.T, o document, last bool) {
	switch kind := rapid.IntRange(0, 2).Draw(t, "window"); {
	case kind == 0 && last:
		o["last"] = rapid.SampledFrom([]string{"1h", "36h", "7d", "2w"}).Draw(t, "last")
	case kind == 1:
		to := rapid.IntRange(0, 4).Draw(t, "to")
		o["from"] = fmt.Sprintf("%dd", to+rapid.IntRange(0, 6).Draw(t, "length"))
		o["to"] = fmt.Sprintf("%dd", to)
	}
}

func drawRange(t *rapid.T, most int) document {
	low := rapid.IntRange(0, most).Draw(t, "low")
	switch rapid.IntRange(0, 2).Draw(t, "bounds") {
	case 0:
		return document{"at_least": low}
	case 1:
		return document{"at_most": low}
	}
	return document{"at_least": low, "at_most": low + rapid.IntRange(0, 2).Draw(t, "more")}
}

func drawEvents(t *rapid.T) document {
	o := document{"signal": drawFilter(t)}
	switch rapid.IntRange(0, 7).Draw(t, "measure") {
	case 0, 1, 2:
		o["count"] = drawRange(t, 5)
		addWindow(t, o, true)
	case 3:
		r := drawRange(t, 8)
		r["of"] = "price"
		o["sum"] = r
		addWindow(t, o, false)
	case 4:
		r := drawRange(t, 3)
		r["of"] = rapid.SampledFrom([]string{"category", "tags"}).Draw(t, "of")
		o["distinct"] = r
	case 5:
		o["first"] = true
		if addWindow(t, o, true); o["last"] == nil && o["from"] == nil {
			o["last"] = "5d"
		}
	case 6:
		o["first_value"] = []any{"category", "eq", "tents"}
	case 7:
		o["last_value"] = []any{"category", "ne", "tents"}
	}
	return o
}

func drawNode(t *rapid.T, depth int) document {
	kind := rapid.IntRange(0, 13).Draw(t, "kind")
	if depth == 0 {
		kind = max(kind, 4)
	}
	switch kind {
	case 0, 1, 2:
		var children []any
		for range rapid.IntRange(1, 3).Draw(t, "children") {
			children = append(children, drawNode(t, depth-1))
		}
		return document{[]string{"all", "any", "all"}[kind]: children}
	case 3:
		return document{"not": drawNode(t, depth-1)}
	case 4:
		return document{"trait": []any{"plan", rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "op"), "pro"}}
	case 5:
		return document{"identifier": "email"}
	case 6:
		return document{"score": []any{"clv", "gt", -20_000 + rapid.IntRange(0, 15).Draw(t, "score")}}
	case 7:
		o := document{"orders": document{"count": drawRange(t, 3)}}
		addWindow(t, o, true)
		return o
	case 8:
		o := document{"orders": document{"net": drawRange(t, 30)}, "currency": "EUR"}
		addWindow(t, o, true)
		return o
	case 9:
		o := document{"sequence": []any{drawFilter(t), drawFilter(t)}, "within": rapid.SampledFrom([]string{"2h", "3d"}).Draw(t, "within")}
		addWindow(t, o, true)
		return o
	}
	return drawEvents(t)
}

// drawOrder is an order in which the events of a person come in.
func (p *person) drawOrder(t *rapid.T) []int {
	order := make([]int, len(p.events))
	for i := range order {
		order[i] = i
	}
	if len(order) > 0 {
		order = rapid.Permutation(order).Draw(t, "order")
	}
	return order
}

func drawPerson(t *rapid.T) *person {
	p := &person{
		plan:  rapid.SampledFrom([]string{"", "pro", "free"}).Draw(t, "plan"),
		email: rapid.Bool().Draw(t, "email"),
		score: float64(rapid.IntRange(0, 15).Draw(t, "score")),
	}
	span := rapid.SampledFrom([]int64{12 * hour, 10 * day, 25 * day}).Draw(t, "span")
	// Full hours, so that windows end exactly at events; never two events at one time, whose order the oracle can't know.
	slots := map[int64]bool{}
	for range rapid.IntRange(0, 14).Draw(t, "events") {
		slot := rapid.Int64Range(0, span/hour).Draw(t, "slot")
		if slots[slot] {
			continue
		}
		slots[slot] = true
		p.events = append(p.events, event{
			at:       start + slot*hour,
			typ:      rapid.SampledFrom([]string{"track", "page"}).Draw(t, "type"),
			name:     rapid.SampledFrom([]string{"view", "buy", "view"}).Draw(t, "name"),
			category: rapid.SampledFrom([]string{"", "tents", "shoes"}).Draw(t, "category"),
			price:    float64(rapid.IntRange(-2, 10).Draw(t, "price")) / 2,
			priced:   rapid.Bool().Draw(t, "priced"),
			tags:     [][]string{nil, {"a"}, {"b", "c"}}[rapid.IntRange(0, 2).Draw(t, "tags")],
		})
	}
	for range rapid.IntRange(0, 4).Draw(t, "orders") {
		p.orders = append(p.orders, Order{
			PlacedAt:  start + rapid.Int64Range(0, span/hour).Draw(t, "placed")*hour,
			Net:       rapid.Int64Range(0, 3000).Draw(t, "net"),
			Currency:  rapid.SampledFrom([]string{"EUR", "EUR", "USD"}).Draw(t, "currency"),
			Cancelled: rapid.IntRange(0, 4).Draw(t, "cancelled") == 0,
		})
	}
	return p
}

func drawCatalog(t *rapid.T) (*Catalog, *Node) {
	text, err := json.Marshal(drawNode(t, 3))
	if err != nil {
		t.Fatal(err)
	}
	n, err := Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	c, err := NewCatalog([]Definition{{Key: "a", Where: n}})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c, n
}

// Signals answer as all events do, in any order and any division into fragments (T1, T2), and nothing changes before the
// moment that is given for it (T5, T6).
func TestAgainstOracleProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, n := drawCatalog(t)
		p := drawPerson(t)
		order := p.drawOrder(t)
		fragments := rapid.IntRange(1, 3).Draw(t, "fragments")
		eval := c.NewEvaluation()
		now := start - day + rapid.Int64Range(0, 30*24).Draw(t, "now")*hour
		for range 6 {
			v := p.view(c.Signals(), order, fragments, now)
			eval.Begin(v, now)
			a := eval.Audience(0)
			text, _ := n.MarshalJSON()
			if want := p.holds(n, now); a.Holds != want {
				t.Fatalf("%s at %d: %v, want %v", text, now-start, a.Holds, want)
			}
			if a.Until <= now {
				t.Fatalf("%s: until %d at %d", text, a.Until-start, now-start)
			}
			// Without an event: as if the person had none later than now.
			still := *p
			still.events = nil
			for _, e := range p.events {
				if e.at <= now {
					still.events = append(still.events, e)
				}
			}
			end := min(a.Until, now+40*day)
			for _, at := range []int64{end - 1, now + 1, now + (end-now)/2, now + rapid.Int64Range(0, end-now-1).Draw(t, "later")} {
				if at >= now && at < end && still.holds(n, at) != a.Holds {
					t.Fatalf("%s: %v at %d until %d, and not at %d", text, a.Holds, now-start, a.Until-start, at-start)
				}
			}
			eval.Begin(v, now)
			if r := eval.Explain(0); r.Holds != a.Holds || r.Until != a.Until {
				t.Fatalf("%s: explained as %v until %d, evaluated as %v until %d", text, r.Holds, r.Until, a.Holds, a.Until)
			}
			now += rapid.Int64Range(1, 4*24).Draw(t, "step") * hour
		}
	})
}

// A tree and its opposite by De Morgan's law exclude each other, at all times, with the same moments of change.
func TestOppositeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawNode(t, 2), drawNode(t, 2)
		def := func(o document) *Node {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			n, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c, err := NewCatalog([]Definition{
			{Key: "both", Where: def(document{"not": document{"all": []any{a, b}}})},
			{Key: "either", Where: def(document{"any": []any{document{"not": a}, document{"not": b}}})},
			{Key: "named", Where: def(document{"not": document{"audience": "both"}})},
		})
		if err != nil {
			t.Fatal(err)
		}
		p := drawPerson(t)
		order := make([]int, len(p.events))
		for i := range order {
			order[i] = i
		}
		now := start + rapid.Int64Range(0, 30*24).Draw(t, "now")*hour
		eval := c.NewEvaluation()
		eval.Begin(p.view(c.Signals(), order, 1, now), now)
		both, either, named := eval.find("both"), eval.find("either"), eval.find("named")
		if both != either || named.Holds == both.Holds || named.Until != both.Until {
			t.Fatalf("%+v, %+v, %+v", both, either, named)
		}
	})
}

func (e *Evaluation) find(key string) Answer {
	n, _ := e.catalog.Find(key)
	return e.Audience(n)
}

// A tree that is written and read again is the same tree, and has one text.
func TestFormatProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, n := drawCatalog(t)
		text, _ := n.MarshalJSON()
		if !json.Valid(text) {
			t.Fatalf("not JSON: %s", text)
		}
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if written, _ := again.MarshalJSON(); string(written) != string(text) || again.Hash() != n.Hash() {
			t.Fatalf("%s was read, and written as %s", text, written)
		}
	})
}

func TestFormat(t *testing.T) {
	for _, c := range []struct{ in, out string }{
		{
			`{"signal":{"event":"Product Viewed","where":[["category","eq","tents"]]},"count":{"at_least":3},"last":"1w"}`,
			`{"id":"n1","signal":{"event":"Product Viewed","where":[["category","eq","tents"]]},"count":{"at_least":3},"last":"7d"}`,
		},
		{
			`{"all":[{"id":"a","identifier":"email"},{"not":{"audience":"vip"}}]}`,
			`{"id":"n1","all":[{"id":"a","identifier":"email"},{"id":"n2","not":{"id":"n3","audience":"vip"}}]}`,
		},
		{
			`{"orders":{"net":{"at_least":"250.50","at_most":1000}},"currency":"EUR","last":"365d"}`,
			`{"id":"n1","orders":{"net":{"at_least":"250.5","at_most":1000}},"currency":"EUR","last":"365d"}`,
		},
		{
			`{"signal":{"event":"x"},"sum":{"of":"price","at_least":-0.5},"from":"90d","to":"30d"}`,
			`{"id":"n1","signal":{"event":"x"},"sum":{"of":"price","at_least":"-0.5"},"from":"90d","to":"30d"}`,
		},
		{`{"signal":{"type":"page"}}`, `{"id":"n1","signal":{"type":"page"}}`},
		{`{"score":["discount_affinity.band","in",["high","mid"]]}`, `{"id":"n1","score":["discount_affinity.band","in",["high","mid"]]}`},
	} {
		n, err := Parse([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got, _ := n.MarshalJSON(); string(got) != c.out {
			t.Errorf("%s\n got %s\nwant %s", c.in, got, c.out)
		}
	}
}

func TestWrongDefinitions(t *testing.T) {
	deep := strings.Repeat(`{"not":`, DepthMax) + `{"identifier":"email"}` + strings.Repeat("}", DepthMax)
	many := `{"all":[` + strings.Repeat(`{"identifier":"email"},`, NodesMax) + `{"identifier":"email"}]}`
	for _, c := range []struct{ text, place, says string }{
		{`[]`, "", "want an object"},
		{`{"all":`, "", "not JSON"},
		{`{}`, "", "no condition; give one of"},
		{`{"identifier":"email"} x`, "", "not JSON: byte 24"},
		{`{"all":[]}`, "all", "one or more"},
		{`{"all":[{"identifier":"email"},{"signal":{"event":"x","were":[]}}]}`, "all[1].signal", `unknown field "were"; a condition like this has event, type, where`},
		{`{"identifier":"email","last":"7d"}`, "", `unknown field "last"`},
		{`{"identifier":"email","trait":["a","exists"]}`, "", `"trait" and "identifier" in one condition`},
		{`{"signal":{"event":"x","where":[["a","like","b"]]}}`, "signal.where[0]", `unknown operator "like"`},
		{`{"signal":{"event":"x","where":[["a","lt","b"]]}}`, "signal.where[0]", "compares numbers"},
		{`{"signal":{"event":"x","where":["a"]}}`, "signal.where[0]", "want [name, operator, value]"},
		{`{"signal":{}}`, "signal", "neither a name nor a type"},
		{`{"signal":{"event":"x"},"last":"7 days"}`, "last", "is no duration"},
		{`{"signal":{"event":"x"},"last":"0d"}`, "last", "no length"},
		{`{"signal":{"event":"x"},"last":"9999d"}`, "last", "longer than"},
		{`{"signal":{"event":"x"},"to":"7d"}`, "to", `without "from"`},
		{`{"signal":{"event":"x"},"from":"7d","to":"9d"}`, "", "is no window"},
		{`{"signal":{"event":"x"},"from":"36h"}`, "from", "whole days"},
		{`{"signal":{"event":"x"},"last":"7d","from":"9d"}`, "", "give one"},
		{`{"signal":{"event":"x"},"count":{}}`, "count", "no bound"},
		{`{"signal":{"event":"x"},"count":{"at_least":2,"at_most":1}}`, "count", "above"},
		{`{"signal":{"event":"x"},"count":{"at_least":1.5}}`, "count.at_least", "0 decimals"},
		{`{"signal":{"event":"x"},"count":{"at_least":-1}}`, "count", "below 0"},
		{`{"signal":{"event":"x"},"count":{"at_least":100},"last":"7d"}`, "count", "whole days"},
		{`{"signal":{"event":"x"},"count":{"at_least":1},"sum":{"of":"a","at_least":1}}`, "", "give one"},
		{`{"signal":{"event":"x"},"sum":{"at_least":1}}`, "sum", "no property"},
		{`{"signal":{"event":"x"},"sum":{"of":"a","at_least":1},"last":"7d"}`, "last", "whole days"},
		{`{"signal":{"event":"x"},"distinct":{"of":"a","at_least":200}}`, "distinct", "at most 128"},
		{`{"signal":{"event":"x"},"first":true}`, "first", "no window"},
		{`{"sequence":[{"event":"x"}],"within":"2h"}`, "sequence", "two events"},
		{`{"sequence":[{"event":"x"},{"event":"y"}]}`, "", `no "within"`},
		{`{"orders":{"net":{"at_least":1}}}`, "currency", "money needs one"},
		{`{"orders":{"net":{"at_least":1}},"currency":"XYZ"}`, "currency", `"XYZ" is no currency`},
		{`{"orders":{"net":{"at_least":"1.001"}},"currency":"EUR"}`, "orders.net.at_least", "2 decimals"},
		{`{"orders":{"count":{"at_least":1}},"currency":"EUR"}`, "currency", "a count has no currency"},
		{`{"orders":{}}`, "orders", "want count or net"},
		{`{"id":"a","not":{"id":"a","identifier":"email"}}`, "not.id", "id of another"},
		{deep, "not.not.not.not.not.not.not.not.not.not", "deep"},
		{many, "all[199]", "more than 200"},
	} {
		_, err := Parse([]byte(c.text))
		var placed *PlaceError
		if !errors.As(err, &placed) || placed.Place != c.place || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.80s: %v; want %q at %q", c.text, err, c.says, c.place)
		}
	}
}

func mustParse(t testing.TB, text string) *Node {
	t.Helper()
	n, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWrongCatalogs(t *testing.T) {
	ref := func(key, to string) Definition {
		return Definition{Key: key, Where: mustParse(t, `{"audience":"`+to+`"}`)}
	}
	leaf := Definition{Key: "leaf", Where: mustParse(t, `{"identifier":"email"}`)}
	for _, c := range []struct {
		defs []Definition
		says string
	}{
		{[]Definition{ref("a", "b"), ref("b", "c"), ref("c", "a")}, "a: refers to itself: a → b → c → a"},
		{[]Definition{ref("a", "a")}, "a → a"},
		{[]Definition{ref("a", "b")}, `a: condition n1: no audience "b"; create it first`},
		{[]Definition{leaf, leaf}, `"leaf" is that of another audience`},
		{[]Definition{{Key: "A b", Where: leaf.Where}}, "lower-case letters"},
		{[]Definition{{Key: "7", Where: leaf.Where}}, "begin with a letter"},
	} {
		if _, err := NewCatalog(c.defs); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v; want %q", err, c.says)
		}
	}
	var many []Definition
	for i := range 10 {
		text := `{"all":[`
		for j := range 101 {
			text += fmt.Sprintf(`{"signal":{"event":"e%d"}},`, i*101+j)
		}
		many = append(many, Definition{Key: fmt.Sprintf("a%d", i), Where: mustParse(t, text[:len(text)-1]+"]}")})
	}
	if _, err := NewCatalog(many); err == nil || !strings.Contains(err.Error(), "1010 signals; at most 1000") {
		t.Error(err)
	}
}

// Only those audiences are evaluated that read what changed.
func TestAffected(t *testing.T) {
	c, err := NewCatalog([]Definition{
		{Key: "mail", Where: mustParse(t, `{"identifier":"email"}`)},
		{Key: "buyers", Where: mustParse(t, `{"all":[{"orders":{"count":{"at_least":1}}},{"trait":["plan","eq","pro"]}]}`)},
		{Key: "viewers", Where: mustParse(t, `{"any":[{"signal":{"event":"view"}},{"signal":{"event":"view"}},{"audience":"buyers"}]}`)},
		{Key: "address", Where: mustParse(t, `{"trait":["address.city","eq","Utrecht"]}`)},
		{Key: "worth", Where: mustParse(t, `{"score":["clv","gt",100]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	view := mustParse(t, `{"signal":{"event":"view"}}`).Events.signal()
	for _, tc := range []struct {
		change Change
		want   string
	}{
		{Change{}, ""},
		{Change{Signals: []signal.ID{view.Canonical()}}, "viewers"},
		{Change{Traits: []string{"plan"}}, "buyers"},
		{Change{Traits: []string{"address", "plan"}}, "address buyers"},
		{Change{Identifiers: true, Orders: true}, "buyers mail"},
		{Change{Scores: true}, "worth"},
	} {
		var keys []string
		for _, i := range c.Affected(&tc.change) {
			keys = append(keys, c.Key(i))
		}
		if got := strings.Join(keys, " "); got != tc.want {
			t.Errorf("%+v: %q, want %q", tc.change, got, tc.want)
		}
	}
	buyers, _ := c.Find("buyers")
	viewers, _ := c.Find("viewers")
	if d := c.Dependents(buyers); len(d) != 1 || d[0] != viewers || viewers < buyers {
		t.Errorf("%v", d)
	}
}

// The moment of change is the latest that is certain, so that nobody asks again for nothing.
func TestUntil(t *testing.T) {
	views := func(last string) string { return `{"signal":{"event":"view"},"last":"` + last + `"}` }
	for _, c := range []struct {
		text  string
		until int64
	}{
		{views("7d"), start + 7*day},
		{`{"all":[` + views("7d") + `,` + views("3d") + `]}`, start + 3*day},
		{`{"any":[` + views("7d") + `,` + views("3d") + `]}`, start + 7*day},
		{`{"not":{"any":[` + views("7d") + `,` + views("3d") + `]}}`, start + 7*day},
		{`{"all":[{"not":` + views("9d") + `},{"not":` + views("3d") + `}]}`, start + 9*day},
		{`{"all":[{"identifier":"email"},` + views("3d") + `]}`, Never},
		{`{"signal":{"event":"view"},"from":"5d","to":"2d"}`, start + 2*day},
	} {
		a, err := NewCatalog([]Definition{{Key: "a", Where: mustParse(t, c.text)}})
		if err != nil {
			t.Fatal(err)
		}
		p := &person{events: []event{{at: start + hour, typ: "track", name: "view"}}}
		eval := a.NewEvaluation()
		eval.Begin(p.view(a.Signals(), []int{0}, 1, start+2*hour), start+2*hour)
		want := c.until
		if want != Never && !strings.Contains(c.text, "from") {
			want += hour
		}
		if got := eval.Audience(0); got.Until != want {
			t.Errorf("%s: until %d, want %d", c.text, got.Until-start, want-start)
		}
	}
}

// A window ends, and a sequence is too slow, at an exact millisecond.
func TestBoundaries(t *testing.T) {
	view := func(at int64) event { return event{at: start + at, typ: "track", name: "view"} }
	buy := func(at int64) event { return event{at: start + at, typ: "track", name: "buy"} }
	sequence := `{"sequence":[{"event":"view"},{"event":"buy"}],"within":"2h"}`
	same := `{"sequence":[{"event":"view"},{"event":"view"}],"within":"2h"}`
	for _, c := range []struct {
		text   string
		events []event
		now    int64
		want   bool
	}{
		{`{"signal":{"event":"view"},"last":"7d"}`, []event{view(0)}, 7*day - 1, true},
		{`{"signal":{"event":"view"},"last":"7d"}`, []event{view(0)}, 7 * day, false},
		{`{"signal":{"event":"view"},"from":"1d","to":"0d"}`, []event{view(0)}, 2*day - 1, true},
		{`{"signal":{"event":"view"},"from":"1d","to":"0d"}`, []event{view(0)}, 2 * day, false},
		{`{"signal":{"event":"view"},"from":"1d","to":"1d"}`, []event{view(day - 1)}, day - 1, false},
		{`{"signal":{"event":"view"},"from":"1d","to":"1d"}`, []event{view(day - 1)}, day, true},
		{sequence, []event{view(0), buy(2 * hour)}, day, true},
		{sequence, []event{view(0), buy(2*hour + 1)}, day, false},
		{sequence, []event{buy(0), view(1)}, day, false},
		{sequence, []event{view(0), buy(hour), buy(day)}, 2 * day, true}, // the first purchase after it counts
		{sequence, []event{view(0), view(day), buy(day + 1)}, 2 * day, true},
		{same, []event{view(0)}, day, false}, // one event is no sequence
		{same, []event{view(0), view(0)}, day, true},
		{`{"not":{"signal":{"event":"view"}}}`, []event{buy(0)}, day, true},
		{`{"signal":{"event":"view"},"count":{"at_most":0}}`, nil, day, true},
	} {
		a, err := NewCatalog([]Definition{{Key: "a", Where: mustParse(t, c.text)}})
		if err != nil {
			t.Fatal(err)
		}
		p := &person{events: c.events}
		order := make([]int, len(c.events))
		for i := range order {
			order[i] = i
		}
		eval := a.NewEvaluation()
		eval.Begin(p.view(a.Signals(), order, 1, start+c.now), start+c.now)
		if got := eval.Audience(0).Holds; got != c.want {
			t.Errorf("%s of %d events after %d ms: %v", c.text, len(c.events), c.now, got)
		}
	}
}

func TestExplain(t *testing.T) {
	c, err := NewCatalog([]Definition{
		{Key: "pro", Where: mustParse(t, `{"trait":["plan","eq","pro"]}`)},
		{Key: "tents", Where: mustParse(t, `{"all":[
			{"id":"views","signal":{"event":"view","where":[["category","eq","tents"]]},"count":{"at_least":3},"last":"7d"},
			{"id":"pro","audience":"pro"},
			{"id":"none","not":{"signal":{"event":"buy"},"last":"30d"}}]}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := &person{plan: "pro"}
	for i := range int64(3) {
		p.events = append(p.events, event{at: start + i*day, typ: "track", name: "view", category: "tents"})
	}
	now := start + 3*day
	eval := c.NewEvaluation()
	eval.Begin(p.view(c.Signals(), []int{2, 0, 1}, 1, now), now)
	number, _ := c.Find("tents")
	r := eval.Explain(number)
	if !r.Holds || r.Until != start+7*day {
		t.Errorf("%v until %v", r.Holds, r.Until-start)
	}
	views, pro, none := r.Children[0], r.Children[1], r.Children[2]
	if views.ID != "views" || views.Number != 3 || len(views.Moments) != 3 || views.Moments[0].Time != start+2*day || views.AtLeast {
		t.Errorf("%+v", views)
	}
	if pro.Name != "pro" || !pro.Holds || pro.Children[0].Text != "pro" || pro.Until != Never {
		t.Errorf("%+v", pro)
	}
	if !none.Holds || none.Children[0].Holds || none.Children[0].Number != 0 {
		t.Errorf("%+v", none)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	n := mustParse(b, `{"all":[
		{"signal":{"event":"view","where":[["category","eq","tents"]]},"count":{"at_least":3},"last":"7d"},
		{"not":{"signal":{"event":"buy","where":[["category","eq","tents"]]},"last":"30d"}},
		{"score":["clv","gt",-20000]},
		{"trait":["plan","eq","pro"]}]}`)
	c, err := NewCatalog([]Definition{{Key: "a", Where: n}})
	if err != nil {
		b.Fatal(err)
	}
	p := &person{plan: "pro", score: 10}
	for i := range int64(5) {
		p.events = append(p.events, event{at: start + i*day, typ: "track", name: "view", category: "tents"})
	}
	now := start + 5*day
	v := p.view(c.Signals(), []int{0, 1, 2, 3, 4}, 1, now)
	eval := c.NewEvaluation()
	b.ReportAllocs()
	for b.Loop() {
		eval.Begin(v, now)
		if a := eval.Audience(0); !a.Holds {
			b.Fatal(a)
		}
	}
}
