package audiencelang

import (
	"errors"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/audience"
)

// texts are in canonical form, with the trees that they mean.
var texts = []struct{ text, tree string }{
	{
		`events("Product Viewed", p.category == "tents").last("7d").count() >= 3`,
		`{"signal":{"event":"Product Viewed","where":[["category","eq","tents"]]},"count":{"at_least":3},"last":"7d"}`,
	},
	{`events("a").any()`, `{"signal":{"event":"a"}}`},
	{`!pages().days("90d", "30d").any()`, `{"not":{"signal":{"type":"page"},"from":"90d","to":"30d"}}`},
	{`pages(p.url.startsWith("/tents")).any()`, `{"signal":{"type":"page","where":[["url","starts_with","/tents"]]}}`},
	{`events("a").count() <= 2`, `{"signal":{"event":"a"},"count":{"at_most":2}}`},
	{`events("a").count() == 2`, `{"signal":{"event":"a"},"count":{"at_least":2,"at_most":2}}`},
	{`events("a").count().between(2, 4)`, `{"signal":{"event":"a"},"count":{"at_least":2,"at_most":4}}`},
	{`events("a").days("30d", "0d").sum(p.revenue) >= 10.5`, `{"signal":{"event":"a"},"sum":{"of":"revenue","at_least":"10.5"},"from":"30d","to":"0d"}`},
	{`events("a").distinct(p.products.sku) >= 2`, `{"signal":{"event":"a"},"distinct":{"of":"products.sku","at_least":2}}`},
	{`tracks("a").last("36h").first()`, `{"signal":{"event":"a","type":"track"},"first":true,"last":"36h"}`},
	{`events("a").first_value(p.size) in ["L", "XL"]`, `{"signal":{"event":"a"},"first_value":["size","in",["L","XL"]]}`},
	{`!(events("a").last_value(p.size) != 4.5)`, `{"not":{"signal":{"event":"a"},"last_value":["size","ne",4.5]}}`},
	{`events("a").then(events("b", p.x == true), "2h").last("30d").any()`, `{"sequence":[{"event":"a"},{"event":"b","where":[["x","eq",true]]}],"within":"2h","last":"30d"}`},
	{`orders().last("365d").count() >= 2`, `{"orders":{"count":{"at_least":2}},"last":"365d"}`},
	{`orders().last("365d").net("EUR").between(250, 1000.5)`, `{"orders":{"net":{"at_least":250,"at_most":"1000.5"}},"currency":"EUR","last":"365d"}`},
	{`orders().net("JPY") >= 5000`, `{"orders":{"net":{"at_least":5000}},"currency":"JPY"}`},
	{`has(trait.address.city)`, `{"trait":["address.city","exists"]}`},
	{`present(trait["first name"])`, `{"trait":["first name","exists"]}`},
	{`missing(trait.plan)`, `{"trait":["plan","missing"]}`},
	{`trait["in"] == "a \"b\" \\ é\u000a"`, `{"trait":["in","eq","a \"b\" \\ é\n"]}`},
	{`trait.plan.notIn(["free"])`, `{"trait":["plan","not_in",["free"]]}`},
	{`trait.plan.contains("pro")`, `{"trait":["plan","contains","pro"]}`},
	{`score.clv > 100 && score.discount_affinity.band == "high"`, `{"all":[{"score":["clv","gt",100]},{"score":["discount_affinity.band","eq","high"]}]}`},
	{`score.delta >= -0.5`, `{"score":["delta","ge",-0.5]}`},
	{`has_identifier("email") || audience("vip")`, `{"any":[{"identifier":"email"},{"audience":"vip"}]}`},
	{
		`(trait.a == 1 || trait.b == 2) && !(trait.c == 3 && has(trait.d)) && !missing(trait.e)`,
		`{"all":[{"any":[{"trait":["a","eq",1]},{"trait":["b","eq",2]}]},{"not":{"all":[{"trait":["c","eq",3]},{"trait":["d","exists"]}]}},{"not":{"trait":["e","missing"]}}]}`,
	},
	{`trait.a == 1 && trait.b == 2 || trait.c == 3`, `{"any":[{"all":[{"trait":["a","eq",1]},{"trait":["b","eq",2]}]},{"trait":["c","eq",3]}]}`},
}

// Text and tree are each other's opposite.
func TestBothWays(t *testing.T) {
	for _, c := range texts {
		want, err := audience.Parse([]byte(c.tree))
		if err != nil {
			t.Errorf("%s: %v", c.tree, err)
			continue
		}
		if text := Format(want); text != c.text {
			t.Errorf("%s\n is written %s\n       want %s", c.tree, text, c.text)
		}
		got, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got.Hash() != want.Hash() {
			tree, _ := got.MarshalJSON()
			t.Errorf("%s\n is read as %s\n      want %s", c.text, tree, c.tree)
		}
	}
}

// Other ways to write the same.
func TestSpellings(t *testing.T) {
	for _, c := range []struct{ text, canonical string }{
		{`events('a').count() > 2`, `events("a").count() >= 3`},
		{`events("a").count() < 3`, `events("a").count() <= 2`},
		{`events("a").count() >= 1`, `events("a").any()`},
		{`events("a").last("1w").any()`, `events("a").last("7d").any()`},
		{`events("a", p.x == 1, p.y == 2).any()`, ""},
		{`(trait.a == 1) && (trait.b == 1 && trait.c == 1)`, `trait.a == 1 && trait.b == 1 && trait.c == 1`},
		{`trait["a"]["b c"] == 1`, `trait.a["b c"] == 1`},
		{"events(\"a\", p.y == 2 && p.x == 1)\n  .any()", `events("a", p.x == 1 && p.y == 2).any()`},
	} {
		n, err := Parse(c.text)
		if c.canonical == "" {
			if err == nil {
				t.Errorf("%s: no error", c.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := Format(n); got != c.canonical {
			t.Errorf("%s: %s, want %s", c.text, got, c.canonical)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
		says         string
	}{
		{`events("a").last("7 days").any()`, 1, 0, "is no duration"},
		{`trait.a == 1 &&`, 1, 16, "Syntax error"},
		{`evnts("a").any()`, 1, 6, "undeclared reference to 'evnts'"},
		{`events("a").count() >= "x"`, 1, 0, "no matching overload"},
		{`trait.a`, 1, 0, "compare it, like == true"},
		{`trait == 1`, 1, 0, ""},
		{`trait.a == trait.b`, 1, 0, "want a value here"},
		{`p.category == "tents"`, 1, 0, `use it within events`},
		{`events("a", trait.x == 1).any()`, 1, 0, "want a property of the event"},
		{`events("a", p.x == 1 || p.y == 2).any()`, 1, 0, "all conditions hold"},
		{"trait.a == 1 &&\n  events(\"a\").count() >= 100 && events(\"b\").last(\"7d\").count() >= 100", 2, 0, "whole days"},
		{`events("a").last("1d").last("2d").any()`, 1, 0, "two windows"},
		{`events("a").sum(p.x) > 3`, 1, 0, "want >=, <=, == or between"},
		{`orders().net("EURO") >= 1`, 1, 0, "is no currency"},
		{`events("a").then(events("b").last("2d"), "2h").any()`, 1, 0, "without windows"},
		{`events("").any()`, 1, 0, "neither a name nor a type"},
		{`trait.a + 1 == 2`, 1, 0, "undeclared reference to '_+_'"},
		{`[1].exists(x, x == 1)`, 1, 0, ""},
		{`1 == 1`, 1, 0, "left side"},
		{`events("a")`, 1, 0, "no condition"},
		{strings.Repeat(" ", TextMax+1), 1, 1, "at most 20000"},
		{``, 1, 0, ""},
	} {
		_, err := Parse(c.text)
		var placed *Error
		if !errors.As(err, &placed) {
			t.Errorf("%.60s: %v is no *Error", c.text, err)
			continue
		}
		if placed.Line != c.line || c.column != 0 && placed.Column != c.column || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.60s: %v; want line %d, column %d, %q", c.text, err, c.line, c.column, c.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range texts {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			if placed := (*Error)(nil); !errors.As(err, &placed) {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		written := Format(n)
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("%s is written %s: %v", text, written, err)
		}
		if again.Hash() != n.Hash() || Format(again) != written {
			t.Fatalf("%s is written %s, which is another tree", text, written)
		}
	})
}
