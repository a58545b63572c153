package segment

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// moneyReader reads the amounts and quantities of one order's event, in the currency that the event names, and guesses
// none (M1). The currency is named, or found to be lost, before the first amount is read: it says how many decimals an
// amount has, and so how 1.234 is to be read.
type moneyReader struct {
	d *commerceReader

	code     graph.Currency // named by the event, else the default
	named    bool
	lost     bool // the currency can't be read, so amounts can't either
	exponent int
	inRefund bool

	thousandths bool // an amount of a refund in an unknown currency may have three decimals
}

// name settles in which currency amounts are.
func (m *moneyReader) name(c graph.Currency) {
	m.code, m.named, m.exponent = c, true, money.Exponent(c)
}

// nameByMark finds the currency from the sign or code beside an amount.
func (m *moneyReader) nameByMark(v jsonscan.Value) bool {
	if v.Kind != jsonscan.String {
		return false
	}
	t, err := money.ReadText(m.d.text(v), &m.d.rooms[0])
	if err != nil || t.Mark.IsZero() {
		return false
	}
	c, ok := t.Mark.Currency(m.d.currency)
	if ok {
		m.name(c)
	}
	return ok
}

// amount reads an amount of a field. With magnitude, a minus is notation (M3).
func (m *moneyReader) amount(field string, v jsonscan.Value, magnitude bool) (amount int64, state amountState) {
	number, state := m.number(field, v, magnitude, &m.d.rooms[0])
	if state != amountGiven {
		return 0, state
	}
	var err error
	if m.named {
		amount, err = money.Parse(number, m.exponent)
	} else {
		amount, err = money.ParseOpen(number)
	}
	if err != nil {
		m.dropMoney(field, m.d.text(v), err)
		return 0, amountOdd
	}
	return amount, amountGiven
}

// number reads an amount as a plain decimal number in the event's currency. Its result may point into room.
func (m *moneyReader) number(field string, v jsonscan.Value, magnitude bool, room *money.Room) ([]byte, amountState) {
	var t money.Text
	text := m.d.text(v)
	switch v.Kind {
	case jsonscan.Number:
		t = money.ReadNumber(text)
	case jsonscan.String:
		if len(money.TrimSpace(text)) == 0 {
			return nil, amountAbsent
		}
		var err error
		if t, err = money.ReadText(text, room); err != nil {
			m.dropMoney(field, text, err)
			return nil, amountOdd
		}
	default:
		m.d.dropKind(field, "a number", v.Kind)
		return nil, amountOdd
	}
	if !t.Mark.IsZero() && !(m.named && t.Mark.Means(m.code)) {
		m.dropMoney(field, text, errMark)
		return nil, amountOdd
	}
	if t.Negative && !magnitude && !money.IsZero(t.Number) {
		m.dropMoney(field, text, money.ErrNegative)
		return nil, amountOdd
	}
	number, ok := m.settled(&t)
	if !ok {
		m.dropMoney(field, text, money.ErrAmbiguous)
		return nil, amountOdd
	}
	return number, amountGiven
}

// settled decides how to read a number with three digits after a point. An order without a currency has the default
// currency; a refund has that of its order, which the graph knows later.
func (m *moneyReader) settled(t *money.Text) ([]byte, bool) {
	decimals := money.Exponent(m.code)
	if t.Thousandths && !t.Comma && m.inRefund && !m.named {
		m.thousandths = true
		decimals = 3
	}
	number, err := t.In(decimals)
	return number, err == nil
}

// quantity reads the quantity of a product as a plain decimal number. A point never separates thousands.
func (m *moneyReader) quantity(field string, v jsonscan.Value, room *money.Room) (text []byte, ok bool) {
	if absent(v) {
		return one, true
	}
	t, err := money.Text{}, error(nil)
	switch text = m.d.text(v); v.Kind {
	case jsonscan.Number:
		t = money.ReadNumber(text)
	case jsonscan.String:
		if len(money.TrimSpace(text)) == 0 {
			return one, true
		}
		t, err = money.ReadText(text, room)
	default:
		m.d.dropKind(field, "a number", v.Kind)
		return nil, false
	}
	switch {
	case err == nil && !t.Mark.IsZero():
		err = money.ErrNumber
	case err == nil && t.Negative && !m.inRefund && !money.IsZero(t.Number):
		err = money.ErrNegative
	case err == nil && t.Thousandths && t.Comma:
		err = money.ErrAmbiguous
	}
	if err != nil {
		m.dropMoney(field, text, err)
		return nil, false
	}
	return t.Number, true
}

var one = []byte("1")

// errMark is for an amount with the sign or code of another currency than its event's, or of an ambiguous one.
var errMark = errors.New("with the sign of a currency that the event does not name")

// dropMoney drops an amount and reports why.
func (m *moneyReader) dropMoney(field string, text []byte, err error) {
	hint := "send a plain decimal number, as in 19.99"
	switch {
	case errors.Is(err, money.ErrNegative):
		hint = "send amounts of zero or more; a refund is an Order Refunded event"
	case errors.Is(err, money.ErrRange):
		hint = "send the amount in the currency's unit, with no more digits than it has"
	case errors.Is(err, money.ErrAmbiguous):
		hint = "send a number, not a string, as in 1234.00"
	case errors.Is(err, errMark):
		hint = "send the currency as properties.currency, and the amount without it"
	}
	if !m.d.telling() {
		m.d.drop(field, CodeBadMoney, "", "")
		return
	}
	m.d.drop(field, CodeBadMoney, fmt.Sprintf("%s is %v", quote(text), err), hint)
}
