package identifier

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
)

// phone gives a phone number in E.164, "+" and digits, reading one without a country code as one of
// the registry's region. An extension is dropped. Digits that are no possible number of their country, such as a short
// code, a country code alone or a number without its area code, are refused: they would join strangers.
//
// The table of numbering_table.go knows what the phone library makes of most values. The library is asked about the
// rest; it takes 25 µs a value, so its answers are remembered.
func (n *Normaliser) phone(value []byte) ([]byte, error) {
	if normal, sure, err := n.sure(value); sure {
		return normal, err
	}
	p, ok := n.phones.get(value)
	if !ok {
		p = readPhone(string(value), n.registry.region)
		n.phones.put(value, p)
	}
	if p.err != nil {
		return nil, p.err
	}
	n.out = append(n.out[:0], p.value...)
	return n.out, nil
}

// sure reads a number by the table alone. It reports whether the table knows what the library would say.
func (n *Normaliser) sure(value []byte) (normal []byte, sure bool, err error) {
	var x number
	if !x.scan(value) {
		return nil, false, nil
	}
	country, national, is := x.read(n.registry.home)
	if is != readingSure {
		return nil, is == readingRefused, errNotPossible
	}
	n.out = strconv.AppendUint(append(n.out[:0], '+'), uint64(country.code), 10)
	n.out = append(n.out, national...)
	return n.out, len(n.out) <= 1+e164DigitsMax, nil
}

// Bounds of a number in E.164, and of one without a country code that is believed by its length alone: below it are short
// codes and numbers that lack their area code.
const (
	e164DigitsMax     = 15
	nationalDigitsMin = 7
)

// noRegion is a region that no number belongs to by default.
const noRegion = "ZZ"

// readPhone reads a number. It is read as what it says, or refused; nothing is guessed.
func readPhone(value, region string) phone {
	text, err := cleanPhone(value)
	if err != nil {
		return phone{err: err}
	}
	start := strings.IndexAny(text, "+0123456789")
	if start < 0 {
		return phone{err: errNoDigits}
	}
	if strings.Trim(strings.Map(onlyDigit, text), "0") == "" {
		return phone{err: ruleZeros.err}
	}
	if strings.LastIndexByte(text, '+') > start {
		return phone{err: errTwoNumbers} // or a number with a sum in it
	}
	var number *phonenumbers.PhoneNumber
	if text[start] == '+' {
		number = parsePhone(text[start:], noRegion)
	} else {
		number = parseNational(text, region)
	}
	if number == nil {
		if zero, err := phonenumbers.Parse(text, region); err == nil && zero.GetNationalNumber() == 0 {
			return phone{err: ruleZeros.err} // but for the country code
		}
		return phone{err: errNotPossible}
	}
	if isOneDigit(strconv.FormatUint(number.GetNationalNumber(), 10)) {
		return phone{err: ruleDigits.err}
	}
	normal := phonenumbers.Format(number, phonenumbers.E164)
	if len(normal) > 1+e164DigitsMax {
		return phone{err: errNotPossible}
	}
	// N1: the normal form must read as itself.
	if again := parsePhone(normal, noRegion); again == nil || phonenumbers.Format(again, phonenumbers.E164) != normal {
		return phone{err: errNotPossible}
	}
	return phone{value: normal}
}

// parseNational reads a number without a +: as one of the region, or as an international one where it begins as those are
// dialled from much of the world, 00 or 011, and is no possible number of the region, or is valid abroad and not at home.
func parseNational(text, region string) *phonenumbers.PhoneNumber {
	home := parsePhone(text, region)
	digits := strings.Map(onlyDigit, text)
	for _, prefix := range [...]string{"00", "011"} {
		rest, ok := strings.CutPrefix(digits, prefix)
		if !ok || home != nil && phonenumbers.IsValidNumber(home) {
			continue
		}
		if abroad := parsePhone("+"+rest, noRegion); abroad != nil && (home == nil || phonenumbers.IsValidNumber(abroad)) {
			return abroad
		}
	}
	return home
}

// parsePhone reads a number and gives nil where it is no possible number of its country.
func parsePhone(text, region string) *phonenumbers.PhoneNumber {
	number, err := phonenumbers.Parse(text, region)
	if err != nil {
		return nil
	}
	national := strconv.FormatUint(number.GetNationalNumber(), 10)
	// Until 2019 a Mexican mobile number had a 1 after its country code, and messengers still write it.
	if number.GetCountryCode() == mexico && len(national) == 11 && national[0] == '1' {
		if number, err = phonenumbers.Parse("+52"+national[1:], noRegion); err != nil {
			return nil
		}
	}
	if phonenumbers.IsPossibleNumberWithReason(number) != phonenumbers.IS_POSSIBLE || number.GetNationalNumber() == 0 {
		return nil
	}
	if len(national) < nationalDigitsMin && !phonenumbers.IsValidNumber(number) {
		return nil
	}
	return number
}

const mexico = 52

var (
	// Between two numbers of a field. Seven digits are a number; fewer before a slash are an area code.
	twoPhones = regexp.MustCompile(`(?i)(?:[0-9][^0-9a-z/,;|&]*){7,}\s*(?:[/,;|&\n]|\bor\b|\band\b|\boder\b|\bund\b|\bof\b|\ben\b|\bou\b|\bet\b|\by\b|\bo\b)[^0-9]*(?:[0-9][^0-9a-z/,;|&]*){7,}`)
	// 4.47911E+11, 1e10
	scientific = regexp.MustCompile(`(?i)[0-9]\s*e\s*[+-]?\s*[0-9]`)
	// 12015550123.0
	decimal = regexp.MustCompile(`^[^.,]*[0-9]{4,}[.,]0{1,2}$`)
	// 2026-01-31, 31.01.2026, each with or without a time
	date = regexp.MustCompile(`^(?:(?:19|20)[0-9]{2}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12][0-9]|3[01])|` +
		`(?:0?[1-9]|[12][0-9]|3[01])[-/.](?:0?[1-9]|[12][0-9]|3[01])[-/.](?:19|20)[0-9]{2})(?:[T ].*)?$`)
	telScheme = regexp.MustCompile(`(?i)^(?:tel|callto|sms|phone|whatsapp)\s*:\s*(?://)?`)
)

// cleanPhone gives a text as a person sees it, in ASCII digits, and refuses what is no number or more than one.
func cleanPhone(value string) (string, error) {
	text := strings.TrimSpace(strings.Map(phoneRune, value))
	text = strings.TrimSpace(unwrap(text))
	text = strings.TrimSpace(telScheme.ReplaceAllString(text, ""))
	if local, context, ok := strings.Cut(text, ";phone-context=+"); ok { // RFC 3966
		text = "+" + context + local
	}
	switch {
	case scientific.MatchString(text) || decimal.MatchString(text):
		return "", ErrRounded
	case date.MatchString(text):
		return "", errNotPossible
	case twoPhones.MatchString(text):
		return "", errTwoNumbers
	}
	return text, nil
}

func phoneRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		return r
	case isInvisible(r):
		return -1
	case unicode.Is(unicode.Pd, r), r == '\u2212':
		return '-'
	}
	return asciiDigit(narrow(r))
}

// asciiDigit turns a decimal digit of any script into the ASCII one.
func asciiDigit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.IsDigit(r) {
		return r
	}
	// Digits come in runs of ten from 0 to 9, and a range is one run or several.
	for _, t := range unicode.Nd.R16 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	for _, t := range unicode.Nd.R32 {
		if rune(t.Lo) <= r && r <= rune(t.Hi) {
			return '0' + (r-rune(t.Lo))%10
		}
	}
	return r
}

func onlyDigit(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}
