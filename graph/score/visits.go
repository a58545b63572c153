package score

import (
	"cmp"
	"slices"
)

// VisitDays holds the UTC days on which a customer came, and the days on which they ordered. A day is a visit: that is
// coarser than a session, but it needs no clock, no order of events and no session id, and a day that two fragments saw
// counts once. Marking and merging are commutative, associative and idempotent.
//
// No score reads them yet. They are kept because they cannot be recovered later: a chance that a visit ends in an order
// needs years of visits before it can be fitted.
type VisitDays struct {
	periods []VisitPeriod // by period
}

// VisitPeriod is 30 days, a bit each, the first day being the lowest.
type VisitPeriod struct {
	Period  int32  // 0 begins with 1970
	Came    uint32 // days on which the customer was seen to come
	Ordered uint32 // days with an order, seen to come or not
}

// visitPeriodsMax bounds the periods kept: ten years.
const visitPeriodsMax = 122

// periodsFirst is how many periods there is room for at first: most people come in some.
const periodsFirst = 4

// VisitDayBits are the bits that the days of a period have.
const VisitDayBits = 1<<bucketDays - 1

// Came marks the day of a time (ms since 1970 UTC) as one on which the customer came.
func (v *VisitDays) Came(at int64) {
	p, bit := v.period(at)
	v.periods[p].Came |= bit
	v.bound()
}

// Ordered marks the day of a time (ms since 1970 UTC) as one with an order.
func (v *VisitDays) Ordered(at int64) {
	p, bit := v.period(at)
	v.periods[p].Ordered |= bit
	v.bound()
}

// period finds or adds the period of a time, and gives the bit of its day.
func (v *VisitDays) period(at int64) (i int, bit uint32) {
	period := bucket(at)
	bit = 1 << (day(clampTime(at)) - int64(period)*bucketDays)
	if last := len(v.periods) - 1; last >= 0 && v.periods[last].Period == period {
		return last, bit // as nearly always
	}
	i, found := slices.BinarySearchFunc(v.periods, period, func(p VisitPeriod, period int32) int { return cmp.Compare(p.Period, period) })
	if !found {
		if v.periods == nil {
			v.periods = make([]VisitPeriod, 0, periodsFirst)
		}
		v.periods = slices.Insert(v.periods, i, VisitPeriod{Period: period})
	}
	return i, bit
}

// Merge adds the days that another fragment saw. It leaves o as it is.
func (v *VisitDays) Merge(o *VisitDays) {
	if len(o.periods) > 0 {
		*v = NewVisitDays(slices.Concat(v.periods, o.periods))
	}
}

// bound keeps the newest periods. Which they are depends on the set of periods alone: a dropped one never comes back.
func (v *VisitDays) bound() {
	if extra := len(v.periods) - visitPeriodsMax; extra > 0 {
		v.periods = slices.Delete(v.periods, 0, extra)
	}
}

// Periods are the periods with a marked day, in ascending order. They are the days' own: not to be changed.
func (v *VisitDays) Periods() []VisitPeriod { return v.periods }

// NewVisitDays makes days of periods, which become part of it: as Periods gave them, or in any other order. Periods
// without a day are dropped.
func NewVisitDays(periods []VisitPeriod) VisitDays {
	periods = slices.DeleteFunc(periods, func(p VisitPeriod) bool { return (p.Came|p.Ordered)&VisitDayBits == 0 })
	v := VisitDays{periods: unite(periods, func(a, b *VisitPeriod) int { return cmp.Compare(a.Period, b.Period) },
		func(a, b *VisitPeriod) { a.Came, a.Ordered = a.Came|b.Came, a.Ordered|b.Ordered })}
	v.bound()
	return v
}

// Size estimates the memory of the days in bytes.
func (v *VisitDays) Size() int { return 12 * cap(v.periods) }

// Clone is a copy of the days that shares no memory with them.
func (v *VisitDays) Clone() VisitDays { return VisitDays{periods: slices.Clone(v.periods)} }
