package score

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestVisitDaysByHand(t *testing.T) {
	day0 := int64(20010) * dayMillis // the first of a period of 30 days
	var v VisitDays
	v.Came(day0)
	v.Came(day0 + dayMillis - 1) // the same day
	v.Came(day0 + 29*dayMillis)
	v.Ordered(day0 + 29*dayMillis + 5)
	v.Ordered(day0 + 30*dayMillis) // at the till: no visit was seen
	v.Came(day0 - 1)
	want := []VisitPeriod{{Period: 666, Came: 1 << 29}, {Period: 667, Came: 1<<29 | 1, Ordered: 1 << 29}, {Period: 668, Ordered: 1}}
	if !slices.Equal(v.Periods(), want) {
		t.Errorf("%+v, want %+v", v.Periods(), want)
	}
}

// Marks, merges, repetition and storage have no order; beyond ten years the newest periods stay.
func TestVisitDaysHaveNoOrder(t *testing.T) {
	type mark struct {
		at      int64
		ordered bool
	}
	put := func(v *VisitDays, m mark) {
		if m.ordered {
			v.Ordered(m.at)
		} else {
			v.Came(m.at)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) mark {
			return mark{rapid.OneOf(rapid.Int64Range(ago(5000), ago(-10)), rapid.Int64()).Draw(t, "at"), rapid.Bool().Draw(t, "ordered")}
		}), 0, 300).Draw(t, "marks")
		var whole VisitDays
		for _, m := range all {
			put(&whole, m)
		}
		var parts [3]VisitDays
		for _, m := range rapid.Permutation(slices.Concat(all, all)).Draw(t, "shuffled, twice") {
			put(&parts[rapid.IntRange(0, 2).Draw(t, "part")], m)
		}
		parts[1].Merge(&parts[2])
		parts[1] = NewVisitDays(rapid.Permutation(parts[1].Periods()).Draw(t, "stored"))
		parts[0].Merge(&parts[1])
		if !slices.Equal(parts[0].Periods(), whole.Periods()) {
			t.Fatalf("merged %+v\nwhole  %+v", parts[0], whole)
		}
		for _, p := range whole.Periods() {
			if (p.Came|p.Ordered)&^VisitDayBits != 0 || p.Came|p.Ordered == 0 {
				t.Fatalf("%+v", p)
			}
		}
		if len(whole.Periods()) > visitPeriodsMax {
			t.Fatalf("%d periods", len(whole.Periods()))
		}
	})
}
