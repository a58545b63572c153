package score

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func interests(t testing.TB, dealings map[string]uint64, k float64) *InterestPopulation {
	t.Helper()
	p, err := newInterestPopulation(dealings, k, 0)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// middle is the middle of a period of 30 days, where what is of that period has not faded.
var middle = int64(20000/30*30+15) * dayMillis

// The population has 60, 30 and 7 dealings; each category counts half a dealing more, and so does what is in none: shares of
// 60.5, 30.5, 7.5 and 0.5 of 99. A customer has 6 of 10 with the third and 4 with the second; with K = 90 the shares
// are (90 × 7.5/99 + 6)/100 and (90 × 30.5/99 + 4)/100.
func TestInterestsByHand(t *testing.T) {
	p := interests(t, map[string]uint64{"shoes": 60, "books": 30, "toys": 7}, 90)
	var c InterestCounts
	c.Add("toys", middle, 4)
	c.Add("toys", middle-dayMillis, 2)
	c.Add("books", middle, 4)
	c.Add("", middle, 100) // no category
	c.Add("shoes", middle, 0)
	books, toys := (90*30.5/99+4)/100, (90*7.5/99+6)/100
	near(t, "books", p.Share(&c, "books", middle), books, 1e-9)
	near(t, "toys", p.Share(&c, "toys", middle), toys, 1e-9)
	near(t, "never dealt with", p.Share(&c, "shoes", middle), 90*60.5/99/100, 1e-9)
	near(t, "unknown", p.Share(&c, "cars", middle), 90*0.5/99/100, 1e-9)
	top := p.Top(make([]Interest, 5), &c, middle)
	if len(top) != 2 || top[0].Category != "books" || top[1].Category != "toys" || top[0].Count != 4 || top[1].Count != 6 {
		t.Fatalf("%+v, want books and toys", top)
	}
	near(t, "lift of books", top[0].Lift, books/(30.5/99), 1e-9)
	near(t, "lift of toys", top[1].Lift, toys/(7.5/99), 1e-9)
	if top := p.Top(make([]Interest, 1), &c, middle); len(top) != 1 || top[0].Category != "books" {
		t.Errorf("%+v, want books", top)
	}
	c.Add("zoos", middle, 90) // the last in the alphabet, and the greatest
	if top := p.Top(make([]Interest, 2), &c, middle); len(top) != 2 || top[0].Category != "zoos" || top[1].Category != "books" {
		t.Errorf("%+v, want zoos and books", top)
	}
	c = InterestCounts{}
	c.Add("toys", middle, 6)
	c.Add("books", middle, 4)
	if top := p.Top(nil, &c, middle); len(top) != 0 {
		t.Errorf("%+v, want none", top)
	}
	// A year later half of the evidence is left.
	near(t, "faded", p.Share(&c, "toys", middle+365*dayMillis), (90*7.5/99+3)/95, 1e-4)
}

type dealing struct {
	category string
	at       int64
	n        uint32
}

func TestInterestsHaveNoOrder(t *testing.T) {
	dealings := map[string]uint64{}
	for i := range InterestsMax {
		dealings[fmt.Sprint("c", i)] = uint64(i)
	}
	p := interests(t, dealings, 0)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) dealing {
			return dealing{fmt.Sprint("c", rapid.IntRange(0, InterestsMax-1).Draw(t, "c")), rapid.Int64Range(ago(4000), ago(-10)).Draw(t, "at"), rapid.Uint32Range(0, 9).Draw(t, "n")}
		}), 0, 200).Draw(t, "dealings")
		var whole, left, right InterestCounts
		for _, d := range all {
			whole.Add(d.category, d.at, d.n)
		}
		for _, d := range rapid.Permutation(all).Draw(t, "shuffled") {
			if rapid.Bool().Draw(t, "left") {
				left.Add(d.category, d.at, d.n)
			} else {
				right.Add(d.category, d.at, d.n)
			}
		}
		right.Merge(&left)
		if !slices.Equal(right.cells, whole.cells) || right.Categories() != whole.Categories() {
			t.Fatalf("merged %+v\nwhole  %+v", right, whole)
		}
		a, b := p.Top(make([]Interest, 10), &whole, today0), p.Top(make([]Interest, 10), &right, today0)
		if !slices.Equal(a, b) {
			t.Fatalf("merged %+v\nwhole  %+v", b, a)
		}
		sorted := slices.IsSortedFunc(a, func(x, y Interest) int {
			if x.Share > y.Share {
				return -1
			}
			return 0
		})
		sum := 0.0
		for _, interest := range a {
			sum += interest.Share
		}
		if !sorted || sum > 1+1e-12 {
			t.Fatalf("%+v", a)
		}
	})
}

// However many categories there are: InterestsMax of them stay, what the others counted is kept as one sum, and which is
// which has no order, be it of events, of merges or of what was stored in between.
func TestInterestsAreBounded(t *testing.T) {
	p := interests(t, nil, 0)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) dealing {
			return dealing{fmt.Sprint("c", rapid.IntRange(0, 400).Draw(t, "c")), rapid.Int64().Draw(t, "at"), rapid.Uint32Range(1, 5).Draw(t, "n")}
		}), 0, 600).Draw(t, "dealings")
		var whole InterestCounts
		total, names := uint64(0), map[string]bool{}
		for _, d := range all {
			whole.Add(d.category, d.at, d.n)
			total += uint64(d.n)
			names[d.category] = true
		}
		var parts [3]InterestCounts
		for _, d := range rapid.Permutation(all).Draw(t, "shuffled") {
			parts[rapid.IntRange(0, 2).Draw(t, "part")].Add(d.category, d.at, d.n)
		}
		parts[1].Merge(&parts[2])
		parts[1] = NewInterestCounts(rapid.Permutation(parts[1].Cells()).Draw(t, "stored"))
		parts[0].Merge(&parts[1])
		if !slices.Equal(parts[0].cells, whole.cells) || parts[0].newest != whole.newest || parts[0].categories != whole.categories {
			t.Fatalf("merged %+v\nwhole  %+v", parts[0], whole)
		}
		sum := uint64(0)
		for _, cell := range whole.cells {
			sum += uint64(cell.Count)
		}
		want := min(len(names), InterestsMax)
		if len(names) > InterestsMax {
			want++ // the others
		}
		if whole.Categories() != want || sum != total {
			t.Fatalf("%d categories of %d, with %d of %d dealings", whole.Categories(), len(names), sum, total)
		}
		for _, interest := range p.Top(make([]Interest, InterestsMax+1), &whole, rapid.Int64().Draw(t, "now")) {
			if !(interest.Share > 0 && interest.Share <= 1) || math.IsInf(interest.Lift, 0) || interest.Category == OtherInterest {
				t.Fatalf("%+v", interest)
			}
		}
	})
}

// A dealing with a category that is there already allocates nothing.
func TestKnownInterestsDoNotAllocate(t *testing.T) {
	var c InterestCounts
	category := []byte("a category whose name is much longer than thirty-two bytes")
	c.AddBytes(category, today0, 1, nil)
	if n := testing.AllocsPerRun(100, func() { c.AddBytes(category, today0, 1, nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Customers are simulated whose shares scatter around the population's with a concentration of 30.
func TestInterestFitRecoversConcentration(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	shares := []float64{0.4, 0.3, 0.15, 0.1, 0.05}
	var whole, left, right InterestSample
	for i := range 5000 {
		var own [5]float64
		sum := 0.0
		for k, share := range shares {
			own[k] = gammaDraw(rng, 30*share)
			sum += own[k]
		}
		var c InterestCounts
		for range 20 {
			at, k := rng.Float64()*sum, 0
			for ; k < 4 && at > own[k]; k++ {
				at -= own[k]
			}
			c.Add(fmt.Sprint("c", k), ago(1), 1)
		}
		whole.Add(&c)
		if i%2 == 0 {
			left.Add(&c)
		} else {
			right.Add(&c)
		}
	}
	p, err := whole.Fit(0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "concentration", p.Concentration(), 30, 0.06)
	near(t, "share", p.populationShare("c0"), 0.4, 0.03)
	left.Merge(&right)
	if merged, err := left.Fit(0); err != nil || merged.Concentration() != p.Concentration() {
		t.Errorf("merged samples give %v, one sample %v", merged.Concentration(), p.Concentration())
	}
}

// Counts of the least period there is, which no event has and a damaged row may have, stay what they are.
func TestInterestsOfTheLeastPeriod(t *testing.T) {
	cells := []InterestCell{{Category: "a", Period: math.MinInt32, Count: 3}, {Category: "b", Period: math.MinInt32 + 1, Count: 1}}
	counts := NewInterestCounts(slices.Clone(cells))
	if !slices.Equal(counts.Cells(), cells) {
		t.Errorf("cells %v became %v", cells, counts.Cells())
	}
}
