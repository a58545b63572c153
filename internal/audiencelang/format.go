package audiencelang

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/audience"
	"github.com/kindred-id/kindred/graph/signal"
)

// Format writes a tree as text. Equal trees have equal texts, and Parse reads the text back, but for the ids of conditions.
func Format(n *audience.Node) string {
	f := &formatter{}
	f.node(n, 0)
	return f.String()
}

// FormatValue writes an expression as text likewise: ParseValue reads it back.
func FormatValue(x *audience.Expression) string {
	f := &formatter{}
	if x.Orders {
		f.WriteString("orders()")
	} else {
		f.filter(&x.Filter)
	}
	f.window(x.Window)
	f.WriteString("." + string(x.Measure) + "(")
	switch {
	case x.Currency != "":
		f.WriteString(quote(x.Currency))
	case x.Of != "":
		f.WriteString(path("p", x.Of))
	}
	if x.N != 0 {
		f.WriteString(", " + strconv.Itoa(x.N))
	}
	f.WriteByte(')')
	return f.String()
}

type formatter struct{ strings.Builder }

// node writes a condition. A condition of a looser operator than the one around it, or of the same, stands in parentheses, so
// that lists within lists stay what they are.
func (f *formatter) node(n *audience.Node, outer audience.Kind) {
	switch n.Kind {
	case audience.All, audience.Any:
		f.list(n, outer)
	case audience.Not:
		f.WriteByte('!')
		f.node(n.Children[0], audience.Not)
	case audience.Events:
		f.measured(n.Events, outer)
	case audience.Sequence:
		f.filter(&n.Sequence.First)
		f.WriteString(".then(")
		f.filter(&n.Sequence.Then)
		f.WriteString(", " + quote(audience.FormatDuration(n.Sequence.Within)) + ")")
		f.window(n.Sequence.Window)
		f.WriteString(".any()")
	case audience.Trait:
		f.comparison("trait", n.Value, outer)
	case audience.Score:
		f.comparison("score", n.Value, outer)
	case audience.Identifier:
		f.WriteString("has_identifier(" + quote(n.Name) + ")")
	case audience.Member:
		f.WriteString("audience(" + quote(n.Name) + ")")
	case audience.Orders:
		f.orders(n.Orders, outer)
	}
}

func (f *formatter) list(n *audience.Node, outer audience.Kind) {
	if len(n.Children) == 1 {
		f.node(n.Children[0], outer)
		return
	}
	operator := map[audience.Kind]string{audience.All: " && ", audience.Any: " || "}[n.Kind]
	open := outer == audience.Not || n.Kind == audience.Any && outer == audience.All
	if open {
		f.WriteByte('(')
	}
	for i, child := range n.Children {
		if i > 0 {
			f.WriteString(operator)
		}
		f.node(child, n.Kind)
	}
	if open {
		f.WriteByte(')')
	}
}

var functions = map[string]string{"": "events", "identify": "identifies", "track": "tracks", "page": "pages", "screen": "screens", "group": "groups", "alias": "aliases"}

func (f *formatter) filter(e *signal.EventFilter) {
	f.WriteString(functions[e.Type] + "(")
	if e.Name != "" {
		f.WriteString(quote(e.Name))
	}
	for i := range e.Where {
		switch {
		case i > 0:
			f.WriteString(" && ")
		case e.Name != "":
			f.WriteString(", ")
		}
		f.comparison("p", &e.Where[i], audience.All)
	}
	f.WriteByte(')')
}

func (f *formatter) window(w audience.Window) {
	if w.Last > 0 {
		f.WriteString(".last(" + quote(audience.FormatDuration(w.Last)) + ")")
	}
	if w.Days {
		f.WriteString(".days(" + quote(days(w.From)) + ", " + quote(days(w.To)) + ")")
	}
}

func days(n int32) string { return strconv.Itoa(int(n)) + "d" }

func (f *formatter) measured(c *audience.EventCondition, outer audience.Kind) {
	start := f.Len()
	f.filter(&c.Filter)
	f.window(c.Window)
	of := path("p", c.Of)
	switch c.Measure {
	case audience.Count:
		if c.Range == (audience.Range{HasLow: true, Low: 1}) {
			f.WriteString(".any()")
			return
		}
		f.bounds(start, outer, ".count()", c.Range, 0)
	case audience.Sum:
		f.bounds(start, outer, ".sum("+of+")", c.Range, audience.SumDecimals)
	case audience.DistinctOf:
		f.bounds(start, outer, ".distinct("+of+")", c.Range, 0)
	case audience.FirstEvent:
		f.WriteString(".first()")
	case audience.FirstValue, audience.LastValue:
		left := f.cut(start) + "." + string(c.Measure) + "(" + of + ")"
		f.compared(left, c.Value, outer)
	}
}

// cut takes back what was written since start.
func (f *formatter) cut(start int) string {
	all := f.String()
	f.Reset()
	f.WriteString(all[:start])
	return all[start:]
}

// bounds compares what was written since start, and a measure of it, with a range.
func (f *formatter) bounds(start int, outer audience.Kind, measure string, r audience.Range, decimals int) {
	left := f.cut(start) + measure
	number := func(n int64) string { return audience.FormatDecimal(n, decimals) }
	switch {
	case r.HasLow && r.HasHigh && r.Low == r.High:
		f.binary(outer, left, "==", number(r.Low))
	case r.HasLow && r.HasHigh:
		f.WriteString(left + ".between(" + number(r.Low) + ", " + number(r.High) + ")")
	case r.HasLow:
		f.binary(outer, left, ">=", number(r.Low))
	default:
		f.binary(outer, left, "<=", number(r.High))
	}
}

// binary writes a comparison, in parentheses after "!", which binds more tightly.
func (f *formatter) binary(outer audience.Kind, left, operator, right string) {
	text := left + " " + operator + " " + right
	if outer == audience.Not {
		text = "(" + text + ")"
	}
	f.WriteString(text)
}

func (f *formatter) orders(c *audience.OrderCondition, outer audience.Kind) {
	start := f.Len()
	f.WriteString("orders()")
	f.window(c.Window)
	measure := ".count()"
	if c.Measure == audience.OrderNet {
		measure = ".net(" + quote(c.Currency) + ")"
	}
	f.bounds(start, outer, measure, c.Range, c.Decimals())
}

func (f *formatter) comparison(root string, c *signal.Condition, outer audience.Kind) {
	f.compared(path(root, c.Path), c, outer)
}

var symbols = map[signal.Op]string{
	signal.Eq: "==", signal.Ne: "!=", signal.Lt: "<", signal.Le: "<=", signal.Gt: ">", signal.Ge: ">=", signal.In: "in",
}

var methods = map[signal.Op]string{signal.NotIn: "notIn", signal.Contains: "contains", signal.StartsWith: "startsWith"}

func (f *formatter) compared(left string, c *signal.Condition, outer audience.Kind) {
	values := make([]string, len(c.Values))
	for i := range c.Values {
		values[i] = operand(&c.Values[i])
	}
	right := strings.Join(values, ", ")
	if c.Op == signal.In || c.Op == signal.NotIn {
		right = "[" + right + "]"
	}
	switch {
	case c.Op == signal.Exists && strings.HasSuffix(left, "]"):
		f.WriteString("present(" + left + ")") // has() takes names only
	case c.Op == signal.Exists:
		f.WriteString("has(" + left + ")")
	case c.Op == signal.Missing:
		f.WriteString("missing(" + left + ")")
	case methods[c.Op] != "":
		f.WriteString(left + "." + methods[c.Op] + "(" + right + ")")
	default:
		f.binary(outer, left, symbols[c.Op], right)
	}
}

func operand(v *signal.Operand) string {
	switch v.Kind {
	case signal.Text:
		return quote(v.Text)
	case signal.Bool:
		return strconv.FormatBool(v.True)
	}
	return strconv.FormatFloat(v.Num, 'f', -1, 64)
}

// path writes a property with the names between its dots: trait.address.city, or p["first name"].
func path(root, names string) string {
	var b strings.Builder
	b.WriteString(root)
	for name := range strings.SplitSeq(names, ".") {
		if plain(name) {
			b.WriteString("." + name)
		} else {
			b.WriteString("[" + quote(name) + "]")
		}
	}
	return b.String()
}

// reserved are the words that CEL gives no field.
var reserved = []string{
	"as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "namespace", "null",
	"package", "return", "true", "var", "void", "while",
}

func plain(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != "" && !slices.Contains(reserved, name)
}

// quote writes a text in CEL's double quotes.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	return b.String() + `"`
}
