package audience

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kindred-id/kindred/graph/currency"
	"github.com/kindred-id/kindred/graph/signal"
)

// Limits of a definition.
const (
	DepthMax = 10
	NodesMax = 200
)

// A PlaceError says which part of a definition is wrong.
type PlaceError struct {
	Place string // all[1].signal.where[0]
	Err   error
}

func (e *PlaceError) Error() string {
	if e.Place == "" {
		return e.Err.Error()
	}
	return e.Place + ": " + e.Err.Error()
}

// Unwrap gives the problem.
func (e *PlaceError) Unwrap() error { return e.Err }

func misplaced(place, format string, args ...any) error {
	return &PlaceError{Place: place, Err: fmt.Errorf(format, args...)}
}

// Parse reads a tree of conditions from JSON and gives an id to each node that has none. Every error is a *PlaceError.
func Parse(text []byte) (*Node, error) {
	p := parser{ids: map[string]bool{}}
	n, err := p.node("", text, 1)
	if err != nil {
		return nil, err
	}
	p.number(n, new(int))
	return n, nil
}

type parser struct {
	ids   map[string]bool
	nodes int
}

// number gives an id to each node without one: n1, n2, … in the order of the tree.
func (p *parser) number(n *Node, last *int) {
	for n.ID == "" {
		*last++
		if id := "n" + strconv.Itoa(*last); !p.ids[id] {
			n.ID, p.ids[id] = id, true
		}
	}
	for _, child := range n.Children {
		p.number(child, last)
	}
}

// An object is a JSON object under reading: what is left of it was not understood.
type object struct {
	place  string
	fields map[string]json.RawMessage
}

func (p *parser) object(place string, text []byte) (*object, error) {
	o := &object{place: place}
	err := json.Unmarshal(text, &o.fields)
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		return nil, misplaced(place, "not JSON: byte %d: %w", syntax.Offset, err)
	}
	if err != nil || o.fields == nil {
		return nil, misplaced(place, "want an object in braces")
	}
	return o, nil
}

// take removes a field and returns its text; nil if there is none.
func (o *object) take(name string) json.RawMessage {
	text := o.fields[name]
	delete(o.fields, name)
	return text
}

func (o *object) at(name string) string { return join(o.place, name) }

func join(place, name string) string {
	if place == "" {
		return name
	}
	return place + "." + name
}

// end fails if a field is left.
func (o *object) end(known string) error {
	for _, name := range slices.Sorted(maps.Keys(o.fields)) {
		return misplaced(o.place, "unknown field %q; a condition like this has %s", name, known)
	}
	return nil
}

func (o *object) text(name string) (string, error) {
	raw := o.take(name)
	if raw == nil {
		return "", nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", misplaced(o.at(name), "want a text")
	}
	return s, nil
}

var kinds = []struct {
	field string
	kind  Kind
}{
	{"all", All},
	{"any", Any},
	{"not", Not},
	{"signal", Events},
	{"sequence", Sequence},
	{"trait", Trait},
	{"identifier", Identifier},
	{"orders", Orders},
	{"score", Score},
	{"audience", Member},
}

func (p *parser) node(place string, text []byte, depth int) (*Node, error) {
	if p.nodes++; p.nodes > NodesMax {
		return nil, misplaced(place, "more than %d conditions; make a part an audience of its own", NodesMax)
	}
	if depth > DepthMax {
		return nil, misplaced(place, "conditions nested more than %d deep; make a part an audience of its own", DepthMax)
	}
	o, err := p.object(place, text)
	if err != nil {
		return nil, err
	}
	n := &Node{}
	if n.ID, err = o.text("id"); err != nil {
		return nil, err
	}
	if n.ID != "" && (p.ids[n.ID] || len(n.ID) > 40) {
		return nil, misplaced(o.at("id"), "%q is longer than 40 bytes or the id of another condition", n.ID)
	}
	p.ids[n.ID] = true
	field := ""
	var raw json.RawMessage
	for _, k := range kinds {
		found := o.take(k.field)
		if found == nil {
			continue
		}
		if field != "" {
			return nil, misplaced(place, "%q and %q in one condition; put both into all or any", field, k.field)
		}
		field, n.Kind, raw = k.field, k.kind, found
	}
	if field == "" {
		return nil, misplaced(place, "no condition; give one of all, any, not, signal, sequence, trait, identifier, orders, score, audience")
	}
	known, err := p.leaf(n, o, field, raw, depth)
	if err != nil {
		return nil, err
	}
	return n, o.end(known)
}

// leaf reads the field that makes the condition what it is, and the fields that belong to it, which it names.
func (p *parser) leaf(n *Node, o *object, field string, raw json.RawMessage, depth int) (known string, err error) {
	place := o.at(field)
	switch n.Kind {
	case All, Any:
		n.Children, err = p.children(place, raw, depth)
	case Not:
		child, failed := p.node(place, raw, depth+1)
		n.Children, err = []*Node{child}, failed
	case Events:
		n.Events, err = p.events(o, raw)
		return "id, signal, count, sum, distinct, first, first_value, last_value, last, from, to", err
	case Sequence:
		n.Sequence, err = p.sequence(o, raw)
		return "id, sequence, within, last, from, to", err
	case Trait, Score:
		n.Value, err = comparison(place, raw)
	case Orders:
		n.Orders, err = p.orders(o, raw)
		return "id, orders, currency, last, from, to", err
	case Identifier, Member:
		if json.Unmarshal(raw, &n.Name) != nil || n.Name == "" {
			err = misplaced(place, "want a text that is not empty")
		}
	}
	return "id and " + field, err
}

func (p *parser) children(place string, raw json.RawMessage, depth int) ([]*Node, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) == 0 {
		return nil, misplaced(place, "want a list of conditions, one or more")
	}
	children := make([]*Node, len(texts))
	for i, text := range texts {
		child, err := p.node(fmt.Sprintf("%s[%d]", place, i), text, depth+1)
		if err != nil {
			return nil, err
		}
		children[i] = child
	}
	return children, nil
}

// window reads last, from and to.
func (o *object) window() (w Window, err error) {
	last, from, to := o.fields["last"] != nil, o.fields["from"] != nil, o.fields["to"] != nil
	if last {
		if w.Last, err = o.duration("last"); err != nil {
			return w, err
		}
		if w.Last == 0 {
			return w, misplaced(o.at("last"), "a window of no length; give a duration above 0")
		}
	}
	if to && !from {
		return w, misplaced(o.at("to"), `"to" without "from"; give both, like from 90d to 30d`)
	}
	if from {
		w.Days = true
		if w.From, err = o.days("from"); err != nil {
			return w, err
		}
		if w.To, err = o.days("to"); err != nil {
			return w, err
		}
	}
	if err := w.check(); err != nil {
		return w, &PlaceError{Place: o.place, Err: err}
	}
	return w, nil
}

func (o *object) duration(name string) (int64, error) {
	place := o.at(name)
	text, err := o.text(name)
	if err != nil {
		return 0, err
	}
	ms, err := parseDuration(text)
	if err != nil {
		return 0, &PlaceError{Place: place, Err: err}
	}
	return ms, nil
}

// days reads a duration of whole days; 0 if there is none.
func (o *object) days(name string) (int32, error) {
	if o.fields[name] == nil {
		return 0, nil
	}
	ms, err := o.duration(name)
	if err != nil {
		return 0, err
	}
	if ms%day != 0 {
		return 0, misplaced(o.at(name), "%s is not a number of whole days; use last for hours and minutes", FormatDuration(ms))
	}
	return int32(ms / day), nil
}

func (p *parser) filter(place string, raw json.RawMessage) (f signal.EventFilter, err error) {
	o, err := p.object(place, raw)
	if err != nil {
		return f, err
	}
	if f.Name, err = o.text("event"); err != nil {
		return f, err
	}
	if f.Type, err = o.text("type"); err != nil {
		return f, err
	}
	if where := o.take("where"); where != nil {
		var texts []json.RawMessage
		if err := json.Unmarshal(where, &texts); err != nil {
			return f, misplaced(o.at("where"), "want a list of conditions, each [property, operator, value]")
		}
		for i, text := range texts {
			c, err := comparison(fmt.Sprintf("%s[%d]", o.at("where"), i), text)
			if err != nil {
				return f, err
			}
			f.Where = append(f.Where, *c)
		}
	}
	if err := o.end("event, type, where"); err != nil {
		return f, err
	}
	if err := f.Check(); err != nil {
		return f, &PlaceError{Place: place, Err: err}
	}
	f.Canonical()
	return f, nil
}

// comparison reads [name, operator, value] or, without a value, [name, operator].
func comparison(place string, raw json.RawMessage) (*signal.Condition, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) < 2 || len(parts) > 3 {
		return nil, misplaced(place, `want [name, operator, value], like ["category", "eq", "tents"]`)
	}
	c := &signal.Condition{}
	var op string
	if json.Unmarshal(parts[0], &c.Path) != nil || json.Unmarshal(parts[1], &op) != nil {
		return nil, misplaced(place, "name and operator are texts")
	}
	c.Op = signal.Op(op)
	if len(parts) == 3 {
		values := []json.RawMessage{parts[2]}
		if c.Op == signal.In || c.Op == signal.NotIn {
			if err := json.Unmarshal(parts[2], &values); err != nil {
				return nil, misplaced(place, "%q needs a list of values", op)
			}
		}
		for _, text := range values {
			v, err := operand(text)
			if err != nil {
				return nil, &PlaceError{Place: place, Err: err}
			}
			c.Values = append(c.Values, v)
		}
	}
	if err := c.Check(); err != nil {
		return nil, &PlaceError{Place: place, Err: err}
	}
	return c, nil
}

func operand(text json.RawMessage) (signal.Operand, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return signal.Operand{}, fmt.Errorf("value: %w", err)
	}
	switch v := v.(type) {
	case string:
		return signal.Operand{Kind: signal.Text, Text: v}, nil
	case float64:
		return signal.Operand{Kind: signal.Number, Num: v}, nil
	case bool:
		return signal.Operand{Kind: signal.Bool, True: v}, nil
	}
	return signal.Operand{}, fmt.Errorf("%s is no text, number or truth; use exists or missing for null", text)
}

// bounds reads {"at_least": …, "at_most": …}: numbers, or texts of numbers, in units of 10^-decimals.
func (p *parser) bounds(place string, raw json.RawMessage, decimals int) (r Range, of string, err error) {
	o, err := p.object(place, raw)
	if err != nil {
		return r, "", err
	}
	if of, err = o.text("of"); err != nil {
		return r, "", err
	}
	if low := o.take("at_least"); low != nil {
		r.HasLow = true
		if r.Low, err = decimal(o.at("at_least"), low, decimals); err != nil {
			return r, "", err
		}
	}
	if high := o.take("at_most"); high != nil {
		r.HasHigh = true
		if r.High, err = decimal(o.at("at_most"), high, decimals); err != nil {
			return r, "", err
		}
	}
	if err := o.end("of, at_least, at_most"); err != nil {
		return r, "", err
	}
	switch {
	case !r.HasLow && !r.HasHigh:
		return r, "", misplaced(place, "no bound; give at_least, at_most or both")
	case r.HasLow && r.HasHigh && r.Low > r.High:
		return r, "", misplaced(place, "at_least is above at_most")
	}
	return r, of, nil
}

// decimal reads a number exactly, with at most so many decimals.
func decimal(place string, raw json.RawMessage, decimals int) (int64, error) {
	text := strings.Trim(string(raw), `"`)
	whole, fraction, _ := strings.Cut(text, ".")
	trimmed := strings.TrimRight(fraction, "0")
	if len(trimmed) > decimals || len(text) > 20 || fraction == "" && strings.Contains(text, ".") {
		return 0, misplaced(place, "%s is no number with at most %d decimals", text, decimals)
	}
	n, err := strconv.ParseInt(whole+trimmed+strings.Repeat("0", decimals-len(trimmed)), 10, 64)
	if err != nil || n == math.MinInt64 {
		return 0, misplaced(place, "%s is no number with at most %d decimals", text, decimals)
	}
	return n, nil
}

var measures = []Measure{Count, Sum, DistinctOf, FirstEvent, FirstValue, LastValue}

func (p *parser) events(o *object, raw json.RawMessage) (*EventCondition, error) {
	e := &EventCondition{}
	var err error
	if e.Filter, err = p.filter(o.at("signal"), raw); err != nil {
		return nil, err
	}
	if e.Window, err = o.window(); err != nil {
		return nil, err
	}
	var text json.RawMessage
	for _, m := range measures {
		if found := o.take(string(m)); found != nil {
			if e.Measure != "" {
				return nil, misplaced(o.place, "%q and %q in one condition; give one", e.Measure, m)
			}
			e.Measure, text = m, found
		}
	}
	if err := p.measure(e, o, text); err != nil {
		return nil, err
	}
	d := e.signal()
	if err := d.Check(); err != nil {
		return nil, &PlaceError{Place: o.place, Err: err}
	}
	return e, nil
}

func (p *parser) measure(e *EventCondition, o *object, text json.RawMessage) (err error) {
	place := o.at(string(e.Measure))
	switch e.Measure {
	case "":
		e.Measure, e.Range = Count, Range{HasLow: true, Low: 1} // there is such an event
	case Count:
		if e.Range, e.Of, err = p.bounds(place, text, 0); err != nil {
			return err
		}
		return e.checkCount(place)
	case Sum:
		if e.Range, e.Of, err = p.bounds(place, text, SumDecimals); err != nil {
			return err
		}
		if e.Of == "" {
			return misplaced(place, `no property; name it with "of"`)
		}
		if e.Window.Last != 0 {
			return misplaced(o.at("last"), `a sum is of whole days; give "from" and "to" in days`)
		}
	case DistinctOf:
		if e.Range, e.Of, err = p.bounds(place, text, 0); err != nil {
			return err
		}
		switch {
		case e.Of == "":
			return misplaced(place, `no property; name it with "of"`)
		case !e.Window.ever():
			return misplaced(place, "distinct values are counted over all time; leave the window out")
		case max(e.Range.Low, e.Range.High+1) > signal.DistinctMax:
			return misplaced(place, "at most %d values are told apart", signal.DistinctMax)
		}
	case FirstEvent:
		if string(text) != "true" {
			return misplaced(place, "want true, and a window in which the first event lies")
		}
		if e.Window.ever() {
			return misplaced(place, `no window; give "last", or "from" and "to"`)
		}
	case FirstValue, LastValue:
		if e.Value, err = comparison(place, text); err != nil {
			return err
		}
		if !e.Window.ever() {
			return misplaced(place, "a value is that of all time; leave the window out")
		}
		e.Of = e.Value.Path
	}
	return nil
}

func (e *EventCondition) checkCount(place string) error {
	switch _, exact := e.moments(); {
	case e.Of != "":
		return misplaced(place, `"of" names a property of a sum; leave it out`)
	case e.Range.HasLow && e.Range.Low < 0, e.Range.HasHigh && e.Range.High < 0:
		return misplaced(place, "a count below 0")
	case !exact && e.Window.Last != 0:
		return misplaced(place, `at most %d events are counted to the millisecond; count whole days with "from" and "to"`, signal.MomentsMax-1)
	}
	return nil
}

func (p *parser) sequence(o *object, raw json.RawMessage) (*SequenceOf, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(raw, &texts); err != nil || len(texts) != 2 {
		return nil, misplaced(o.at("sequence"), "want a list of two events")
	}
	s := &SequenceOf{}
	var err error
	if s.First, err = p.filter(o.at("sequence[0]"), texts[0]); err != nil {
		return nil, err
	}
	if s.Then, err = p.filter(o.at("sequence[1]"), texts[1]); err != nil {
		return nil, err
	}
	if o.fields["within"] == nil {
		return nil, misplaced(o.place, `no "within"; give the longest time between the two events, like 2h`)
	}
	if s.Within, err = o.duration("within"); err != nil {
		return nil, err
	}
	s.Window, err = o.window()
	return s, err
}

func (p *parser) orders(o *object, raw json.RawMessage) (*OrderCondition, error) {
	c := &OrderCondition{}
	var err error
	if c.Currency, err = o.text("currency"); err != nil {
		return nil, err
	}
	if c.Window, err = o.window(); err != nil {
		return nil, err
	}
	inner, err := p.object(o.at("orders"), raw)
	if err != nil {
		return nil, err
	}
	count, net := inner.take("count"), inner.take("net")
	if err := inner.end("count or net"); err != nil {
		return nil, err
	}
	of := ""
	switch {
	case (count == nil) == (net == nil):
		return nil, misplaced(inner.place, "want count or net")
	case count != nil:
		if c.Currency != "" {
			return nil, misplaced(o.at("currency"), "a count has no currency; leave it out")
		}
		c.Measure = OrderCount
		c.Range, of, err = p.bounds(inner.at("count"), count, 0)
	default:
		var code [3]byte
		if copy(code[:], c.Currency); len(c.Currency) != len(code) || !currency.IsCurrency(code) {
			return nil, misplaced(o.at("currency"), "%q is no currency; money needs one, like EUR", c.Currency)
		}
		c.Measure = OrderNet
		c.Range, of, err = p.bounds(inner.at("net"), net, c.Decimals())
	}
	if err == nil && of != "" {
		err = misplaced(inner.place, `"of" has no meaning here; leave it out`)
	}
	return c, err
}
