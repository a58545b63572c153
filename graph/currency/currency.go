// Package currency lists the currencies of ISO 4217 with the number of decimals that an amount in each has.
//
// The list is a data file with its date, currencies.txt, which is compiled in. It has the codes of today and those of
// the past, so that old orders keep their money.
package currency

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"sync"
)

//go:embed currencies.txt
var text string

// DecimalsMax is the largest number of decimals that a currency has.
const DecimalsMax = 4

// code is a code of three capitals.
type code = [3]byte

// IsCurrency reports whether a price can be in the currency of this code, of today or of the past.
func IsCurrency(c code) bool {
	i := slot(c)
	return i >= 0 && list().uses[i] == used
}

// Decimals is how many decimals an amount in a currency has: 2 for USD, 0 for JPY, 3 for KWD. It is 0 for a code that is not a currency.
func Decimals(c code) int {
	if i := slot(c); i >= 0 {
		return int(list().decimals[i])
	}
	return 0
}

// FromFormer turns an amount that an earlier version of this program stored into one with the decimals of today. Those versions
// took decimals from the Unicode CLDR of 2017, which gives none to currencies whose coins are out of use. An amount beyond
// 63 bits becomes the largest that they hold.
func FromFormer(amount int64, c code) int64 {
	if !strings.Contains(formerlyWhole, string(c[:])) {
		return amount
	}
	for range Decimals(c) {
		if amount > math.MaxInt64/10 {
			return math.MaxInt64
		}
		amount *= 10
	}
	return amount
}

// ToFormer is the inverse of FromFormer, rounded towards zero.
func ToFormer(amount int64, c code) int64 {
	if !strings.Contains(formerlyWhole, string(c[:])) {
		return amount
	}
	for range Decimals(c) {
		amount /= 10
	}
	return amount
}

const formerlyWhole = "AFN ALL AMD COP GYD IDR IQD IRR KPW LAK LBP MGA MMK MNT MRO MUR PKR RSD SLL SOS STD SYP TMM TZS UZS YER ZMK ZWD"

// date is the day up to which the list has the amendments of ISO 4217, as in 2026-01-01.
func date() string { return list().date }

const (
	letters = 26
	slots   = letters * letters * letters
)

// slot numbers the codes of three capitals; -1 for anything else.
func slot(c code) int {
	n := 0
	for _, b := range c {
		if b < 'A' || b > 'Z' {
			return -1
		}
		n = n*letters + int(b-'A')
	}
	return n
}

// use is what a code stands for.
type use uint8

const (
	unknown use = iota
	used        // a currency, of today or of the past
	notUsed     // of the standard, but no currency: gold, tests
)

type table struct {
	date     string
	uses     [slots]use
	decimals [slots]uint8
}

var list = sync.OnceValue(func() *table {
	t, err := parse(text)
	if err != nil {
		panic(err) // the text is compiled in: this is a bug of the text
	}
	return t
})

var sections = map[string]use{"current": used, "past": used, "none": notUsed}

// parse reads the list: a comment, the date, the name of a section, or codes with their decimals on each line.
func parse(text string) (*table, error) {
	t := &table{}
	section := unknown
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if date, ok := strings.CutPrefix(line, "date "); ok {
			t.date = date
			continue
		}
		if s, ok := sections[line]; ok {
			section = s
			continue
		}
		for _, word := range strings.Fields(line) {
			if err := t.add(word, section); err != nil {
				return nil, fmt.Errorf("currencies.txt: %q: %w", word, err)
			}
		}
	}
	if t.date == "" {
		return nil, fmt.Errorf("currencies.txt: no date; add a line such as date 2026-01-01")
	}
	return t, nil
}

func (t *table) add(word string, section use) error {
	if section == unknown {
		return fmt.Errorf("code before the first section; put it under current, past or none")
	}
	if len(word) != 5 || word[3] != '=' || word[4] < '0' || word[4] > '0'+DecimalsMax {
		return fmt.Errorf("want a code, = and 0 to %d decimals, as in EUR=2", DecimalsMax)
	}
	i := slot(code([]byte(word[:3])))
	if i < 0 {
		return fmt.Errorf("malformed code; want three capitals")
	}
	if t.uses[i] != unknown {
		return fmt.Errorf("repeated code; list it once")
	}
	t.uses[i], t.decimals[i] = section, word[4]-'0'
	return nil
}
