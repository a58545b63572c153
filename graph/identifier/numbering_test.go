package identifier

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/nyaruka/phonenumbers"
)

// numbers makes values of phones for one region at a time.
type numbers struct {
	*rand.Rand
	examples map[string][]string // by region, national digits; under a country code those of no region
	regions  []string
}

var numberKinds = []phonenumbers.PhoneNumberType{
	phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE, phonenumbers.PREMIUM_RATE,
	phonenumbers.SHARED_COST, phonenumbers.VOIP, phonenumbers.PERSONAL_NUMBER, phonenumbers.PAGER, phonenumbers.UAN, phonenumbers.VOICEMAIL,
}

// newNumbers takes the example numbers of each kind and region out of the library.
func newNumbers(seed uint64) *numbers {
	g := &numbers{Rand: rand.New(rand.NewPCG(seed, 0)), examples: make(map[string][]string)}
	g.regions = slices.Sorted(maps.Keys(phonenumbers.GetSupportedRegions()))
	for _, region := range g.regions {
		for _, kind := range numberKinds {
			if x := phonenumbers.GetExampleNumberForType(region, kind); x != nil {
				g.examples[region] = append(g.examples[region], phonenumbers.GetNationalSignificantNumber(x))
			}
		}
	}
	return g
}

// national makes digits: of an example with some of them changed, more or fewer, or of any.
func (g *numbers) national(region string) string {
	var digits []byte
	if examples := g.examples[region]; len(examples) > 0 && g.IntN(8) > 0 {
		digits = []byte(examples[g.IntN(len(examples))])
		for range g.IntN(len(digits) + 1) {
			digits[len(digits)-1-min(g.IntN(len(digits)), g.IntN(len(digits)))] = g.digit()
		}
	} else {
		for range g.IntN(19) {
			digits = append(digits, g.digit())
		}
	}
	switch g.IntN(8) {
	case 0:
		digits = append(digits, g.digit())
	case 1:
		digits = digits[:max(len(digits)-1-g.IntN(3), 0)]
	case 2: // another beginning
		for i := range min(1+g.IntN(4), len(digits)) {
			digits[i] = g.digit()
		}
	case 3:
		for i := g.IntN(len(digits) + 1); i < len(digits); i++ {
			digits[i] = digits[0]
		}
	}
	return string(digits)
}

// digit makes a digit, 0 and 1 more often than others: they stand where rules begin.
func (g *numbers) digit() byte {
	if g.IntN(4) == 0 {
		return byte('0' + g.IntN(2))
	}
	return byte('0' + g.IntN(10))
}

// value makes what is sent of a number, for a deployment at home in a region.
func (g *numbers) value(home string) string {
	region := home
	if g.IntN(4) == 0 {
		region = g.regions[g.IntN(len(g.regions))]
	}
	national, code := g.national(region), strconv.Itoa(phonenumbers.GetCountryCodeForRegion(region))
	if g.IntN(16) == 0 {
		code = strconv.Itoa(g.IntN(1000))
	}
	text := national
	switch g.IntN(12) {
	case 0, 1, 2, 3:
		text = "+" + code + national
	case 4:
		text = "+" + code + g.trunk(region) + national
	case 5, 6:
		text = g.trunk(region) + national
	case 7:
		text = code + national
	case 8:
		text = []string{"00", "011", "0", "1", "8", "0" + code, "1" + code}[g.IntN(7)] + text
	}
	if g.IntN(3) == 0 {
		text = g.marked(text)
	}
	return text
}

// trunk is what is dialled before a number within a region, near enough.
func (g *numbers) trunk(region string) string {
	if prefix := phonenumbers.GetNddPrefixForRegion(region, true); prefix != "" && g.IntN(4) > 0 {
		return prefix
	}
	return []string{"0", "1", "8", "06", "015", "90"}[g.IntN(6)]
}

// marked puts the marks of people between digits.
func (g *numbers) marked(text string) string {
	marks := []string{" ", "-", ".", "/", "(", ")", ") ", " - "}
	one := marks[g.IntN(len(marks))]
	var out []byte
	for i := range text {
		if g.IntN(4) == 0 {
			if g.IntN(3) == 0 {
				one = marks[g.IntN(len(marks))]
			}
			out = append(out, one...)
		}
		out = append(out, text[i])
	}
	switch g.IntN(16) {
	case 0:
		return "(" + string(out)
	case 1:
		return string(out) + "."
	case 2:
		return string(out) + ".0"
	case 3:
		return "2026-01-" + string(out)
	}
	return string(out)
}

// asLibrary fails where the table has another answer about a value than the library. It reports whether the table has
// an answer.
func asLibrary(t testing.TB, n *Normaliser, value string) bool {
	t.Helper()
	normal, sure, err := n.sure([]byte(value))
	if !sure {
		return false
	}
	want := readPhone(value, n.registry.region)
	if string(normal) != want.value || !errors.Is(err, want.err) {
		t.Errorf("%s: %q gives %q, %v; the library says %q, %v", n.registry.region, value, normal, err, want.value, want.err)
	}
	return true
}

// byRegion compares so many values for each region, and returns the share that the table knew.
func byRegion(t *testing.T, seed uint64, each int) float64 {
	all := newNumbers(seed)
	var known atomic.Int64
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, region := range all.regions {
		group.Go(func() error {
			g, n := *all, newRegistry(t, Config{Region: region}).NewNormaliser()
			g.Rand = rand.New(rand.NewPCG(seed, uint64(i)))
			for range each {
				if asLibrary(t, n, g.value(region)) {
					known.Add(1)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // nothing fails but the test
	return float64(known.Load()) / float64(each*len(all.regions))
}

// A sample of the property below.
func TestNumbering(t *testing.T) {
	if share := byRegion(t, 1, 40); share < 0.6 {
		t.Errorf("the table knew %.2f of the values, want 0.6 or more", share)
	}
}

// The table says what the library says about more than a million values: good and bad numbers of every region, written
// in the ways that people write them, and read at home in every region.
func TestNumberingProperty(t *testing.T) {
	if testing.Short() {
		t.Skip("a million numbers")
	}
	seed := rand.Uint64()
	share := byRegion(t, seed, 4100)
	t.Logf("seed %d: the table knew %.3f of the values", seed, share)
}

// The table knows nearly every example of the library, written as within its region and as abroad.
func TestNumberingOfExamples(t *testing.T) {
	unknown, all := 0, 0
	for _, region := range newNumbers(0).regions {
		n := newRegistry(t, Config{Region: region}).NewNormaliser()
		for _, kind := range numberKinds {
			x := phonenumbers.GetExampleNumberForType(region, kind)
			if x == nil {
				continue
			}
			for _, format := range []phonenumbers.PhoneNumberFormat{
				phonenumbers.E164, phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL,
			} {
				all++
				if !asLibrary(t, n, phonenumbers.Format(x, format)) {
					unknown++
				}
			}
		}
	}
	if unknown*10 > all {
		t.Errorf("the table does not know %d examples of %d", unknown, all)
	}
}

// The table has no answer where cleanPhone or a later rule may take a value for something else than a number.
func TestNumberingLeavesOtherTexts(t *testing.T) {
	n := newRegistry(t, Config{}).NewNormaliser()
	for _, value := range []string{
		"2026-01-31", "31.01.2026", "1/2/2026", " 03/26/2045", "(1.2.2026)", "2026-1-1 12125550123",
		"12015550123.0", "+12015550123.00", "2015550123/2015550124",
		"1 2015550123/12125550124", "+1+2015550123", "1+2015550123", "00442079460958", "011442079460958", "", "+", "()", "+1",
		"tel:+12015550123", "+1201555012３", "+12015550123 x5", "+12222222222", "+10000000000", "+5215512345678",
		"+99912345678",
	} {
		if asLibrary(t, n, value) {
			t.Errorf("%q: the table has an answer", value)
		}
	}
}

func FuzzNumbering(f *testing.F) {
	var normalisers []*Normaliser
	for _, region := range []string{"US", "DE", "AR", "BR", "IT", "MX", "GB", "JE", "AG", "JP", "KR", "RU"} {
		normalisers = append(normalisers, newRegistry(f, Config{Region: region}).NewNormaliser())
	}
	for _, seed := range []string{
		"+1 (415) 555-2671", "0151/12345678", "+54 9 11 1234-5678", "015500655555", "06.12.20.56.78", "1.2.1999",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, n := range normalisers {
			if text := trim([]byte(value)); len(text) > 0 && !bytes.ContainsRune(text, 0) {
				asLibrary(t, n, string(text))
			}
		}
	})
}
