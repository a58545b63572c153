package audience

import (
	"encoding/json"
	"strconv"

	"github.com/kindred-id/kindred/graph/currency"
)

// ParseExpression reads an expression from JSON. Every error is a *PlaceError.
//
//	{"signal": {"event": "Product Viewed"}, "value": "newest", "of": "sku", "n": 5}
//	{"orders": "net", "currency": "EUR", "last": "365d"}
func ParseExpression(text []byte) (*Expression, error) {
	p := parser{}
	o, err := p.object("", text)
	if err != nil {
		return nil, err
	}
	x := &Expression{}
	events, orders := o.take("signal"), o.fields["orders"]
	switch {
	case (events == nil) == (orders == nil):
		return nil, misplaced("", "want signal, of events, or orders")
	case events != nil:
		return x, p.eventExpression(x, o, events)
	}
	return x, p.orderExpression(x, o)
}

func (p *parser) eventExpression(x *Expression, o *object, events json.RawMessage) (err error) {
	if x.Filter, err = p.filter(o.at("signal"), events); err != nil {
		return err
	}
	if err := x.read(o); err != nil {
		return err
	}
	if n := o.take("n"); n != nil && json.Unmarshal(n, &x.N) != nil {
		return misplaced(o.at("n"), "want a whole number")
	}
	if err := o.end("signal, value, of, n, from, to"); err != nil {
		return err
	}
	of := true
	switch x.Measure {
	case Count, FirstTime, LastTime:
		of = false
	case Sum, DistinctOf, FirstValue, LastValue, MostFrequent:
	case NewestValues:
		if x.N < 1 || x.N > NewestMax {
			return misplaced(o.at("n"), "%d values; give 1 to %d", x.N, NewestMax)
		}
	default:
		return misplaced(o.at("value"), "unknown value %q of events; use count, sum, distinct, first_value, last_value, first_time, last_time, newest or most_frequent", x.Measure)
	}
	switch {
	case of != (x.Of != ""):
		return misplaced(o.at("of"), "a property is given where none is used, or none where one is needed")
	case x.N != 0 && x.Measure != NewestValues:
		return misplaced(o.at("n"), `only "newest" has a number of values`)
	case x.Window.Last != 0 && (x.Measure == Count || x.Measure == Sum):
		return misplaced(o.at("last"), `counts and sums as values are of whole days; give "from" and "to" in days, like from 7d to 0d`)
	case !x.Window.ever() && x.Measure != Count && x.Measure != Sum:
		return misplaced("", "%q is that of all time; leave the window out", x.Measure)
	}
	d := x.signal()
	if err := d.Check(); err != nil {
		return &PlaceError{Err: err}
	}
	return nil
}

// read reads what follows the kind of an expression.
func (x *Expression) read(o *object) (err error) {
	measure := ""
	if measure, err = o.text("value"); err != nil {
		return err
	}
	x.Measure = Measure(measure)
	if x.Of, err = o.text("of"); err != nil {
		return err
	}
	x.Window, err = o.window()
	return err
}

func (p *parser) orderExpression(x *Expression, o *object) (err error) {
	measure, err := o.text("orders")
	if err != nil {
		return err
	}
	x.Orders, x.Measure = true, Measure(measure)
	if x.Currency, err = o.text("currency"); err != nil {
		return err
	}
	if x.Window, err = o.window(); err != nil {
		return err
	}
	if err := o.end("orders, currency, last, from, to"); err != nil {
		return err
	}
	switch x.Measure {
	case Count:
	case FirstTime, LastTime:
		if !x.Window.ever() {
			return misplaced("", "%q is that of all time; leave the window out", x.Measure)
		}
	case Net:
		var code [3]byte
		if copy(code[:], x.Currency); len(x.Currency) != len(code) || !currency.IsCurrency(code) {
			return misplaced(o.at("currency"), "%q is no currency; money needs one, like EUR", x.Currency)
		}
		return nil
	default:
		return misplaced(o.at("orders"), "unknown value %q of orders; use count, net, first_time or last_time", x.Measure)
	}
	if x.Currency != "" {
		return misplaced(o.at("currency"), "only net has a currency; leave it out")
	}
	return nil
}

// decimals is how many decimals the value of Net has.
func (x *Expression) decimals() int {
	var code [3]byte
	copy(code[:], x.Currency)
	return currency.Decimals(code)
}

// MarshalJSON writes the expression in its canonical form: ParseExpression reads it back, and equal expressions have equal texts.
func (x *Expression) MarshalJSON() ([]byte, error) {
	var b []byte
	if x.Orders {
		b = appendText(append(b, `{"orders":`...), string(x.Measure))
		if x.Currency != "" {
			b = appendText(append(b, `,"currency":`...), x.Currency)
		}
		return append(x.Window.append(b), '}'), nil
	}
	b = appendFilter(append(b, `{"signal":`...), &x.Filter)
	b = appendText(append(b, `,"value":`...), string(x.Measure))
	if x.Of != "" {
		b = appendText(append(b, `,"of":`...), x.Of)
	}
	if x.N != 0 {
		b = strconv.AppendInt(append(b, `,"n":`...), int64(x.N), 10)
	}
	return append(x.Window.append(b), '}'), nil
}
