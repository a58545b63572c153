package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// digitsMax bounds a number without its country code, as it does in the library.
const digitsMax = phonenumbers.MAX_LENGTH_FOR_NSN

// A verdict is what the library surely does to the digits of a number before it looks at their length.
type verdict int

// ask is the verdict where that depends on digits that are not known, or where the library does more than cut off
// digits. A verdict of 0 or more is how many digits it cuts off.
const ask verdict = -1

// A plan reads the numbers of one region as the library reads them.
type plan struct {
	region  string
	country string
	lengths []int32 // possible ones, as the library compares them
	local   []int32 // of numbers that are called from nearby only

	general  *machine // what numbers are like
	national *machine // what is dialled before a number within the country; nil when nothing is
	abroad   *machine // what is dialled before a country code
	rewrites bool     // where the last group of national matches, the library writes the number anew
}

func newPlan(meta *phonenumbers.PhoneMetadata) (*plan, error) {
	p := &plan{
		region:   meta.GetId(),
		country:  strconv.Itoa(int(meta.GetCountryCode())),
		lengths:  meta.GetGeneralDesc().GetPossibleLength(),
		local:    meta.GetGeneralDesc().GetPossibleLengthLocalOnly(),
		rewrites: meta.GetNationalPrefixTransformRule() != "",
	}
	var err error
	if p.general, err = newMachine("^(?:" + meta.GetGeneralDesc().GetNationalNumberPattern() + ")$"); err != nil {
		return nil, err
	}
	if p.abroad, err = newMachine("^(?:" + meta.GetInternationalPrefix() + ")"); err != nil {
		return nil, err
	}
	if prefix := meta.GetNationalPrefixForParsing(); prefix != "" {
		if p.national, err = newMachine("^(?:" + prefix + ")"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// possible are the lengths of possible numbers.
func (p *plan) possible() (set lengths) {
	for n := range digitsMax + 1 {
		if p.compare(n) == phonenumbers.IS_POSSIBLE {
			set |= 1 << n
		}
	}
	return set
}

// compare compares a length with those of the region.
func (p *plan) compare(n int) phonenumbers.ValidationResult {
	length := int32(n)
	switch {
	case slices.Contains(p.local, length):
		return phonenumbers.IS_POSSIBLE_LOCAL_ONLY
	case slices.Contains(p.lengths, length):
		return phonenumbers.IS_POSSIBLE
	case length < p.lengths[0]:
		return phonenumbers.TOO_SHORT
	case length > p.lengths[len(p.lengths)-1]:
		return phonenumbers.TOO_LONG
	}
	return phonenumbers.INVALID_LENGTH
}

// A reading is what is known of the numbers that begin with some digits.
type reading struct {
	prefix                    string
	national, abroad, general matches
}

func (p *plan) read(prefix string) reading {
	r := reading{prefix: prefix, abroad: p.abroad.match(prefix), general: p.general.match(prefix)}
	if p.national != nil {
		r.national = p.national.match(prefix)
	}
	return r
}

// afterCountry says what becomes of n digits that stand after the country code.
func (p *plan) afterCountry(r reading, n int) verdict {
	if p.national == nil {
		return 0
	}
	cuts, rewritten := r.national.of(n)
	if !p.rewrites {
		cuts |= rewritten
	} else if rewritten != 0 {
		return ask
	}
	cut := 0
	for k := 1; k <= n; k++ {
		if !cuts.has(k) {
			continue
		}
		// The library goes on with all digits where those that remain would be too few.
		left := p.compare(n - k)
		if left != phonenumbers.IS_POSSIBLE && left != phonenumbers.TOO_LONG {
			continue
		}
		if cuts != 1<<k || k > len(r.prefix) || left == phonenumbers.TOO_LONG {
			return ask // the library may cut off this or that
		}
		cut = k
	}
	if without, within := r.general.of(n); cut > 0 && (without | within).has(n) {
		return ask // the library cuts nothing off a number that is good as it is
	}
	return verdict(cut)
}

// atHome says what becomes of n digits without a +. Main is the plan of the region by which the library knows the
// country. Where the digits of the country code come first, rest and mainRest are the readings of what follows them.
func (p *plan) atHome(r, rest, mainRest reading, main *plan, n int) verdict {
	if without, within := r.abroad.of(n); without|within != 0 {
		return ask
	}
	code := len(p.country)
	switch {
	case strings.HasPrefix(r.prefix, p.country):
		// Here the library cuts off a national prefix whatever is left.
		if without, within := rest.national.of(n - code); (without|within)&^1 != 0 || within != 0 {
			return ask
		}
		if p.compare(n) == phonenumbers.TOO_LONG { // the country code without a +
			if main.afterCountry(mainRest, n-code) != 0 {
				return ask
			}
			return verdict(code)
		}
		if without, within := rest.general.of(n - code); (without | within).has(n - code) {
			return ask
		}
	case strings.HasPrefix(p.country, r.prefix) && n >= code:
		return ask
	}
	return p.afterCountry(r, n)
}

// A judge says what becomes of the numbers that begin with prefix: a verdict by the number of digits, and whether more
// leading digits would tell more.
type judge func(prefix string) (verdict func(n int) verdict, open bool)

func (p *plan) judgeAbroad(prefix string) (func(n int) verdict, bool) {
	r := p.read(prefix)
	return func(n int) verdict { return p.afterCountry(r, n) }, r.national.open || r.national.cuts() && r.general.open
}

func (m matches) cuts() bool { return (m.inner|m.innerGroup|m.whole|m.wholeGroup)&^1 != 0 }

func (p *plan) judgeHome(main *plan) judge {
	return func(prefix string) (func(n int) verdict, bool) {
		r := p.read(prefix)
		after, coded := strings.CutPrefix(prefix, p.country)
		rest, mainRest := r, r
		if coded {
			rest, mainRest = p.read(after), main.read(after)
		}
		open := r.national.open || r.abroad.open || strings.HasPrefix(p.country, prefix) ||
			coded && (rest.national.open || mainRest.national.open || rest.general.open) || r.national.cuts() && r.general.open
		return func(n int) verdict { return p.atHome(r, rest, mainRest, main, n) }, open
	}
}
