package segment

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

// sums are the amounts that an event states, and what follows from those that are absent or dropped (M2). An absent
// amount and a dropped one are both 0 here and differ in state: what is not stated is taken for none, unless there is
// doubt, and what can't be read may be any.
type sums struct {
	amounts [sumsEnd]int64
	state   [sumsEnd]amountState
}

// sure reports whether an amount may be subtracted: it was read, or it is absent and there is no doubt.
func (s *sums) sure(i sum, doubt bool) bool {
	return s.state[i] == amountGiven || s.state[i] == amountAbsent && !doubt
}

// gross reports whether the amount is present and the stated tax and shipping can be subtracted from it.
func (s *sums) gross(i sum) bool {
	return s.state[i] == amountGiven && s.sure(sumTax, false) && s.sure(sumShipping, false)
}

// less returns an amount without tax and shipping. REQUIRES: gross(i)
func (s *sums) less(i sum) int64 {
	return max(0, s.amounts[i]-s.amounts[sumTax]-s.amounts[sumShipping])
}

// stated reports whether one of the amounts is present.
func (s *sums) stated(of ...sum) bool {
	for _, i := range of {
		if s.state[i] == amountGiven {
			return true
		}
	}
	return false
}

// oddSum reports whether an amount that may be the refund's could not be read.
func (s *sums) oddSum() bool {
	for _, i := range [...]sum{sumTotal, sumRevenue, sumSubtotal, sumValue, sumAmount} {
		if s.state[i] == amountOdd {
			return true
		}
	}
	return false
}

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
