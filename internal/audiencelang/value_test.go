package audiencelang

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph/audience"
)

// values are in canonical form, with what is stored of them.
var values = []struct{ text, stored string }{
	{`events("Product Viewed").days("30d", "0d").count()`, `{"signal":{"event":"Product Viewed"},"value":"count","from":"30d","to":"0d"}`},
	{`pages(p.url.startsWith("/tents")).count()`, `{"signal":{"type":"page","where":[["url","starts_with","/tents"]]},"value":"count"}`},
	{`events("a").sum(p.revenue)`, `{"signal":{"event":"a"},"value":"sum","of":"revenue"}`},
	{`events("a").distinct(p.products.sku)`, `{"signal":{"event":"a"},"value":"distinct","of":"products.sku"}`},
	{`tracks("a").first_value(p["the size"])`, `{"signal":{"event":"a","type":"track"},"value":"first_value","of":"the size"}`},
	{`events("a").last_value(p.size)`, `{"signal":{"event":"a"},"value":"last_value","of":"size"}`},
	{`events("a").first_time()`, `{"signal":{"event":"a"},"value":"first_time"}`},
	{`events("a").last_time()`, `{"signal":{"event":"a"},"value":"last_time"}`},
	{`events("a").newest(p.sku, 5)`, `{"signal":{"event":"a"},"value":"newest","of":"sku","n":5}`},
	{`events("a").most_frequent(p.category)`, `{"signal":{"event":"a"},"value":"most_frequent","of":"category"}`},
	{`orders().last("365d").count()`, `{"orders":"count","last":"365d"}`},
	{`orders().days("90d", "30d").net("EUR")`, `{"orders":"net","currency":"EUR","from":"90d","to":"30d"}`},
	{`orders().first_time()`, `{"orders":"first_time"}`},
	{`orders().last_time()`, `{"orders":"last_time"}`},
}

// Text and what is stored are each other's opposite.
func TestValuesBothWays(t *testing.T) {
	for _, c := range values {
		want, err := audience.ParseExpression([]byte(c.stored))
		if err != nil {
			t.Errorf("%s: %v", c.stored, err)
			continue
		}
		if text := FormatValue(want); text != c.text {
			t.Errorf("%s is written %s, want %s", c.stored, text, c.text)
		}
		got, err := ParseValue(c.text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is read as %+v, %v; want %+v", c.text, got, err, want)
		}
		if stored, _ := want.MarshalJSON(); string(stored) != c.stored {
			t.Errorf("%s is stored as %s, want %s", c.text, stored, c.stored)
		}
	}
}

// An error about a value names the place, and what to write instead.
func TestWrongValues(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{`events("a")`, "line 1, column 7: this is no value; measure events or orders"},
		{`orders().count() >= 2`, "this is no value"},
		{`trait.plan`, "this is no value"},
		{`events("a").any()`, "is a condition, and no value"},
		{`events("a").last("7d").count()`, "counts and sums as values are of whole days"},
		{`events("a").then(events("b"), "2h").count()`, "a sequence has no value"},
		{`events("a").newest(p.sku, 500)`, "give 1 to 64"},
		{`events("a").sum(trait.plan)`, "want a property of the event"},
		{`orders().net("XYZ")`, "is no currency"},
		{`orders().sum(p.x)`, "found no matching overload"},
		{`events("a").last("7d").last_value(p.x)`, "leave the window out"},
	} {
		_, err := ParseValue(c.text)
		var placed *Error
		if !errors.As(err, &placed) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", c.text, err, c.says)
		}
	}
	if _, err := Parse(`events("a").last_time()`); err == nil {
		t.Error("a value is taken for a condition")
	}
}
