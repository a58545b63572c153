package score

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// InterestCounts is how often one customer dealt with each category, by 30 days: views, carts or orders, as the
// caller counts them. It is a sum of integers, so the order of events and merges does not matter.
//
// Beyond InterestsMax categories it keeps those whose names hash lowest, and sums up the others as one (OtherInterest).
// Which those are depends on the names alone, and what is kept was never summed up: so the counts are the same whatever the
// order, as they would not be if the greatest were kept. A period more than interestPeriods older than the
// newest counts as that old: that bounds the cells, and has no order either.
type InterestCounts struct {
	cells      []InterestCell // by category, then period; counts are not 0
	categories int
	newest     int32 // period of the newest cell
}

// InterestCell is how often a customer dealt with a category in a period.
type InterestCell struct {
	Category string // OtherInterest for those that were summed up
	Period   int32  // 30 days each; 0 begins with 1970
	Count    uint32 // not 0
}

const (
	// InterestsMax bounds the categories of a customer, beside OtherInterest.
	InterestsMax = 128
	// OtherInterest is the category of all that was summed up. It is no category of an event.
	OtherInterest = ""

	interestPeriods = 61 // of 30 days: five years
)

func compareCells(a, b *InterestCell) int {
	return cmp.Or(strings.Compare(a.Category, b.Category), cmp.Compare(a.Period, b.Period))
}

func (c *InterestCell) merge(o *InterestCell) { c.Count = addCount(c.Count, o.Count) }

// cellsFirst is how many cells there is room for at first: most people have some.
const cellsFirst = 4

// Add counts n dealings with a category at a time (ms since 1970 UTC). An empty category is not counted.
func (c *InterestCounts) Add(category string, at int64, n uint32) {
	c.AddBytes([]byte(category), at, n, nil)
}

// AddBytes is Add for a name that is bytes, of which nothing is kept: a new cell takes its name from names. It allocates only
// where a cell is new.
func (c *InterestCounts) AddBytes(category []byte, at int64, n uint32, names *Names) {
	if n == 0 || len(category) == 0 {
		return
	}
	period := bucket(at)
	if len(c.cells) > 0 {
		period = max(period, c.oldest())
	}
	i, found := c.search(category, period)
	if found {
		c.cells[i].Count = addCount(c.cells[i].Count, n)
		return
	}
	before := i > 0 && c.cells[i-1].Category == string(category)
	after := i < len(c.cells) && c.cells[i].Category == string(category)
	if c.cells == nil {
		c.cells = make([]InterestCell, 0, cellsFirst)
	}
	c.cells = slices.Insert(c.cells, i, InterestCell{Category: names.Of(category), Period: period, Count: n})
	if !before && !after {
		c.categories++
	}
	if len(c.cells) == 1 || period > c.newest {
		c.boundAge()
	}
	if c.categories > InterestsMax {
		c.boundCategories()
	}
}

// search finds a cell without turning the name into a string.
func (c *InterestCounts) search(category []byte, period int32) (int, bool) {
	lo, hi := 0, len(c.cells)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		cell := &c.cells[mid]
		if cell.Category < string(category) || cell.Category == string(category) && cell.Period < period {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(c.cells) && c.cells[lo].Category == string(category) && c.cells[lo].Period == period
}

// Merge adds the counts of other events. It leaves o as it is.
func (c *InterestCounts) Merge(o *InterestCounts) {
	if len(o.cells) == 0 {
		return
	}
	c.cells = unite(slices.Concat(c.cells, o.cells), compareCells, (*InterestCell).merge)
	c.bound()
}

// Cells are the counts by category, then period: distinct, in ascending order. They are the counts' own: not to be changed.
func (c *InterestCounts) Cells() []InterestCell { return c.cells }

// NewInterestCounts makes counts of cells, which become part of it: as Cells gave them, or in any other order. Cells
// without a count are dropped.
func NewInterestCounts(cells []InterestCell) InterestCounts {
	cells = slices.DeleteFunc(cells, func(cell InterestCell) bool { return cell.Count == 0 })
	c := InterestCounts{cells: unite(cells, compareCells, (*InterestCell).merge)}
	c.bound()
	return c
}

// Clone is a copy of the counts that shares no memory with them.
func (c *InterestCounts) Clone() InterestCounts {
	clone := *c
	clone.cells = slices.Clone(c.cells)
	return clone
}

// Size estimates the memory of the counts in bytes.
func (c *InterestCounts) Size() int {
	size := 48
	for i := range c.cells {
		size += c.cells[i].Size()
	}
	return size
}

// Size estimates the memory of the cell in bytes.
func (c *InterestCell) Size() int { return 24 + len(c.Category) }

// bound moves what is too old to the oldest period, and sums up the categories beyond InterestsMax.
func (c *InterestCounts) bound() {
	c.boundAge()
	c.boundCategories()
}

// oldest is the period into which what is older goes. No time is as far away as the least period; what was stored may say so.
func (c *InterestCounts) oldest() int32 {
	return max(c.newest, math.MinInt32+interestPeriods) - interestPeriods
}

func (c *InterestCounts) boundAge() {
	if len(c.cells) == 0 {
		return
	}
	oldest := c.cells[0].Period
	c.newest = oldest
	for i := range c.cells {
		oldest, c.newest = min(oldest, c.cells[i].Period), max(c.newest, c.cells[i].Period)
	}
	limit := c.oldest()
	if oldest >= limit {
		return
	}
	for i := range c.cells {
		c.cells[i].Period = max(c.cells[i].Period, limit)
	}
	c.cells = unite(c.cells, compareCells, (*InterestCell).merge)
}

func (c *InterestCounts) boundCategories() {
	var names []string
	if c.categories = c.countCategories(); c.categories <= InterestsMax {
		return
	}
	for i := range c.cells {
		if name := c.cells[i].Category; name != OtherInterest && (len(names) == 0 || names[len(names)-1] != name) {
			names = append(names, name)
		}
	}
	if len(names) <= InterestsMax {
		return
	}
	slices.SortFunc(names, compareHashes)
	last := names[InterestsMax-1]
	for i := range c.cells {
		if name := c.cells[i].Category; name != OtherInterest && compareHashes(name, last) > 0 {
			c.cells[i].Category = OtherInterest
		}
	}
	c.cells = unite(c.cells, compareCells, (*InterestCell).merge)
	c.categories = c.countCategories()
}

// compareHashes orders names by their hashes, which is no order that anybody meant.
func compareHashes(a, b string) int {
	return cmp.Or(cmp.Compare(hash64(nil, a), hash64(nil, b)), strings.Compare(a, b))
}

func (c *InterestCounts) countCategories() int {
	n := 0
	for i := range c.cells {
		if i == 0 || c.cells[i].Category != c.cells[i-1].Category {
			n++
		}
	}
	return n
}

// Categories is how many categories the customer dealt with, OtherInterest included.
func (c *InterestCounts) Categories() int { return c.categories }

// InterestPopulation is what the interests of one customer are compared with: the share of each category in all
// dealings, and for how many dealings of a customer that counts.
type InterestPopulation struct {
	decay         Decay
	shares        map[string]float64
	unseen        float64 // share of a category that is not in shares
	concentration float64
}

const (
	interestConcentrationDefault = 100
	interestConcentrationMin     = 1e-3
	interestConcentrationMax     = 1e6
)

// errInterests is returned for parameters that describe no interests.
var errInterests = errors.New("interests: invalid parameter")

// newInterestPopulation makes a population of the dealings with each category in it, at least 0 each; a category that is not among
// them counts as half a dealing. halfLife is in days, 0 for 365; concentration (K) is from 0.001 to a million, 0 for 100.
func newInterestPopulation(dealings map[string]uint64, concentration float64, halfLife int) (*InterestPopulation, error) {
	if concentration == 0 {
		concentration = interestConcentrationDefault
	}
	if !(concentration >= interestConcentrationMin && concentration <= interestConcentrationMax) {
		return nil, fmt.Errorf("%w: a concentration of %v; give one from %v to %v", errInterests, concentration, interestConcentrationMin, interestConcentrationMax)
	}
	const unseen = 0.5
	sum := unseen
	for _, category := range sortedKeys(dealings) {
		sum += float64(dealings[category]) + unseen
	}
	p := &InterestPopulation{
		decay: NewDecay(halfLife), shares: make(map[string]float64, len(dealings)),
		unseen: unseen / sum, concentration: concentration,
	}
	for category, n := range dealings {
		p.shares[category] = (float64(n) + unseen) / sum
	}
	return p, nil
}

func sortedKeys(m map[string]uint64) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// populationShare is the share of a category in the population, above 0.
func (p *InterestPopulation) populationShare(category string) float64 {
	if share, known := p.shares[category]; known {
		return share
	}
	return p.unseen
}

// Interest is one category of a customer.
type Interest struct {
	Category string
	Count    uint64  // dealings, not faded
	Share    float64 // the customer's, shrunk to the population's: the chance that the next dealing is with it
	Lift     float64 // Share over the population's share
}

// Top fills interests with the categories that the customer dealt with, the greatest share first, and returns those
// filled. Give it a slice with room for as many as are wanted; OtherInterest is never among them. Category c has the share (K π + n)/(K + N) of a
// Dirichlet-multinomial, with the customer's dealings n of N faded by age and the population's share π.
func (p *InterestPopulation) Top(interests []Interest, c *InterestCounts, now int64) []Interest {
	room := len(interests)
	interests = interests[:0]
	if room == 0 {
		return interests
	}
	today := day(clampTime(now))
	all := p.weigh(c, today)
	for i := 0; i < len(c.cells); {
		category, dealings, weighed := c.cells[i].Category, uint64(0), uint64(0)
		for ; i < len(c.cells) && c.cells[i].Category == category; i++ {
			dealings += uint64(c.cells[i].Count)
			weighed += p.weighCell(&c.cells[i], today)
		}
		if category == OtherInterest {
			continue
		}
		population := p.populationShare(category)
		share := (p.concentration*population + float64(weighed)/interestUnit) / (p.concentration + all)
		interest := Interest{Category: category, Count: dealings, Share: share, Lift: share / population}
		interests = insertInterest(interests, interest, room)
	}
	return interests
}

// insertInterest keeps the room greatest. Of equal shares the first in the alphabet, which was there before, comes first.
func insertInterest(top []Interest, interest Interest, room int) []Interest {
	if len(top) == room {
		if interest.Share <= top[room-1].Share {
			return top
		}
		top = top[:room-1]
	}
	at := len(top)
	top = append(top, interest)
	for ; at > 0 && top[at-1].Share < interest.Share; at-- {
		top[at] = top[at-1]
	}
	top[at] = interest
	return top
}

// Share is the customer's share of a category, dealt with or not.
func (p *InterestPopulation) Share(c *InterestCounts, category string, now int64) float64 {
	today := day(clampTime(now))
	var weighed uint64
	for i := range c.cells {
		if c.cells[i].Category == category {
			weighed += p.weighCell(&c.cells[i], today)
		}
	}
	return (p.concentration*p.populationShare(category) + float64(weighed)/interestUnit) / (p.concentration + p.weigh(c, today))
}

// interestUnit is the unit of weighed dealings: coarser than decayUnit, so that 2^32 dealings in each of 2^16 cells fit.
const interestUnit = 1 << 16

func (p *InterestPopulation) weighCell(c *InterestCell, today int64) uint64 {
	age := today - (int64(c.Period)*bucketDays + bucketDays/2)
	return uint64(c.Count) * (p.decay.weight(age) / (decayUnit / interestUnit))
}

func (p *InterestPopulation) weigh(c *InterestCounts, today int64) float64 {
	var sum uint64
	for i := range c.cells {
		sum += p.weighCell(&c.cells[i], today)
	}
	return float64(sum) / interestUnit
}

// InterestSample is what an InterestPopulation is fitted to: dealings by category, and histograms of how they are spread over
// customers. Samples of different customers add up exactly.
type InterestSample struct {
	dealings map[string]uint64
	totals   map[uint64]uint64       // customers by all their dealings
	counts   map[interestCount]int64 // customers by dealings with one category
}

type interestCount struct {
	category string
	dealings uint64
}

// Add adds a customer.
func (s *InterestSample) Add(c *InterestCounts) {
	s.init()
	var all uint64
	for i := 0; i < len(c.cells); {
		category, n := c.cells[i].Category, uint64(0)
		for ; i < len(c.cells) && c.cells[i].Category == category; i++ {
			n += uint64(c.cells[i].Count)
		}
		s.dealings[category] += n
		s.counts[interestCount{category, n}]++
		all += n
	}
	if all > 0 {
		s.totals[all]++
	}
}

func (s *InterestSample) init() {
	if s.dealings == nil {
		s.dealings, s.totals, s.counts = map[string]uint64{}, map[uint64]uint64{}, map[interestCount]int64{}
	}
}

// Merge adds a sample of other customers.
func (s *InterestSample) Merge(o *InterestSample) {
	s.init()
	for category, n := range o.dealings {
		s.dealings[category] += n
	}
	for n, customers := range o.totals {
		s.totals[n] += customers
	}
	for k, customers := range o.counts {
		s.counts[k] += customers
	}
}

// Fit makes the population of the sample. The concentration is where the Dirichlet-multinomial likelihood of the customers'
// dealings is greatest; a sample of fewer than 50 customers keeps the default.
func (s *InterestSample) Fit(halfLife int) (*InterestPopulation, error) {
	p, err := newInterestPopulation(s.dealings, 0, halfLife)
	if err != nil {
		return nil, err
	}
	var customers uint64
	for _, n := range s.totals {
		customers += n
	}
	if customers < fitMin {
		return p, nil
	}
	counts := make([]interestCount, 0, len(s.counts))
	for k := range s.counts {
		counts = append(counts, k)
	}
	slices.SortFunc(counts, func(a, b interestCount) int {
		return cmp.Or(strings.Compare(a.category, b.category), cmp.Compare(a.dealings, b.dealings))
	})
	totals := make([]uint64, 0, len(s.totals))
	for n := range s.totals {
		totals = append(totals, n)
	}
	slices.Sort(totals)
	p.concentration = math.Exp(maximise(func(logK float64) float64 {
		k, sum := math.Exp(logK), 0.0
		for _, c := range counts {
			sum += float64(s.counts[c]) * lnRising(k*p.populationShare(c.category), float64(c.dealings))
		}
		for _, n := range totals {
			sum -= float64(s.totals[n]) * lnRising(k, float64(n))
		}
		return sum / float64(customers)
	}, math.Log(interestConcentrationMin), math.Log(interestConcentrationMax)))
	return p, nil
}

// Concentration is for how many dealings the population counts in a customer's shares.
func (p *InterestPopulation) Concentration() float64 { return p.concentration }

// Dealings are the sample's dealings with each category, those of the categoriesMax with the most.
func (s *InterestSample) Dealings() map[string]uint64 {
	categories := sortedKeys(s.dealings)
	slices.SortStableFunc(categories, func(a, b string) int { return cmp.Compare(s.dealings[b], s.dealings[a]) })
	dealings := make(map[string]uint64, min(len(categories), categoriesMax))
	for _, category := range categories[:min(len(categories), categoriesMax)] {
		dealings[category] = s.dealings[category]
	}
	return dealings
}
