package segment

import (
	"errors"
	"fmt"

	"github.com/kindred-id/kindred/internal/jsonscan"
	"github.com/kindred-id/kindred/internal/money"
)

// sum is one of the amounts that an order may state.
type sum uint8

const (
	sumRevenue sum = iota
	sumSubtotal
	sumTotal
	sumTax
	sumShipping
	sumValue
	sumAmount // only in refunds, like the next
	sumBack
	sumDiscount
	sumsEnd

	sumsRefund = sumDiscount // the sums before it may state the amount of a refund
)

// amountState describes whether an event has an amount.
type amountState uint8

const (
	amountAbsent amountState = iota
	amountGiven
	amountOdd // present, and dropped
)

// readSums reads every stated amount, so that an unreadable one is reported even if another decides.
func (o *orderReader) readSums() {
	for i := declaredFields.first; i < declaredFields.end; i++ {
		o.readSum(sum(i-declaredFields.first), i, o.inRefund)
	}
	for i := backFields.first; i < backFields.end; i++ {
		if o.inRefund && o.state[sumBack] != amountGiven {
			o.readSum(sumBack, i, true)
		}
	}
	for i := discountFields.first; i < discountFields.end; i++ {
		if o.state[sumDiscount] != amountGiven {
			o.readSum(sumDiscount, i, true)
		}
	}
}

// readSum reads an amount from one of the fields.
func (o *orderReader) readSum(i sum, from int, magnitude bool) {
	v := o.fields[from]
	if absent(v) {
		return
	}
	if o.lost { // the currency is unknown
		o.state[i] = amountOdd
		return
	}
	amount, state := o.amount(propertyFields[from], v, magnitude)
	if state != amountAbsent {
		o.amounts[i], o.state[i] = amount, state
	}
}

// amount reads an amount of a field. With magnitude, a minus is notation (M3).
func (o *orderReader) amount(field string, v jsonscan.Value, magnitude bool) (amount int64, state amountState) {
	number, state := o.number(field, v, magnitude, &o.d.rooms[0])
	if state != amountGiven {
		return 0, state
	}
	var err error
	if o.named {
		amount, err = money.Parse(number, o.exponent)
	} else {
		amount, err = money.ParseOpen(number)
	}
	if err != nil {
		o.dropMoney(field, o.d.text(v), err)
		return 0, amountOdd
	}
	return amount, amountGiven
}

// number reads an amount as a plain decimal number in the event's currency. Its result may point into room.
func (o *orderReader) number(field string, v jsonscan.Value, magnitude bool, room *money.Room) ([]byte, amountState) {
	var t money.Text
	text := o.d.text(v)
	switch v.Kind {
	case jsonscan.Number:
		t = money.ReadNumber(text)
	case jsonscan.String:
		if len(money.TrimSpace(text)) == 0 {
			return nil, amountAbsent
		}
		var err error
		if t, err = money.ReadText(text, room); err != nil {
			o.dropMoney(field, text, err)
			return nil, amountOdd
		}
	default:
		o.d.dropKind(field, "a number", v.Kind)
		return nil, amountOdd
	}
	if !t.Mark.IsZero() && !(o.named && t.Mark.Means(o.code)) {
		o.dropMoney(field, text, errMark)
		return nil, amountOdd
	}
	if t.Negative && !magnitude && !money.IsZero(t.Number) {
		o.dropMoney(field, text, money.ErrNegative)
		return nil, amountOdd
	}
	number, ok := o.settled(&t)
	if !ok {
		o.dropMoney(field, text, money.ErrAmbiguous)
		return nil, amountOdd
	}
	return number, amountGiven
}

// settled decides how to read a number with three digits after a point. An order without a currency has the default
// currency; a refund has that of its order, which the graph knows later.
func (o *orderReader) settled(t *money.Text) ([]byte, bool) {
	decimals := money.Exponent(o.code)
	if t.Thousandths && !t.Comma && o.inRefund && !o.named {
		o.thousandths = true
		decimals = 3
	}
	number, err := t.In(decimals)
	return number, err == nil
}

// errMark is for an amount with the sign or code of another currency than its event's, or of an ambiguous one.
var errMark = errors.New("with the sign of a currency that the event does not name")

// dropMoney drops an amount and reports why.
func (o *orderReader) dropMoney(field string, text []byte, err error) {
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
	if !o.d.telling() {
		o.d.drop(field, CodeBadMoney, "", "")
		return
	}
	o.d.drop(field, CodeBadMoney, fmt.Sprintf("%s is %v", quote(text), err), hint)
}
