package identifier

import (
	"errors"
	"testing"
)

func TestPhone(t *testing.T) {
	const none = ""
	for _, c := range []struct{ region, raw, want string }{
		// A text that is no number joins nobody.
		{"US", "+1", none},
		{"US", "+39", none},
		{"US", "1", none},
		{"US", "+", none},
		{"US", "+49", none},
		{"DE", "+49", none},
		{"US", "911", none},
		{"DE", "911", none},
		{"DE", "112", none},
		{"US", "12345", none},
		{"DE", "12345", none},
		{"FR", "3631", none},
		{"US", "#911", none},
		{"US", "555-2671", none},
		{"US", "+999 12 34", none},
		{"US", "2026-01-31", none},
		{"DE", "2026-01-31", none},
		{"DE", "31.01.2026", none},
		{"DE", "2026-01-31T10:00:00Z", none},
		{"DE", "01/31/2026", none},
		{"US", "call me", none},
		{"US", "+1201555012", none},
		{"DE", "+1201555012", none},
		{"DE", "+1 201 555 01234", none},
		{"DE", "+999 1234567", none},
		{"GB", "+359 2 1", none},
		{"US", "1111111111", none},
		{"US", "+12222222222", none},
		{"US", "9999999999", none},
		{"DE", "+491111111111", none},
		{"US", "1234567890", none},
		{"DE", "0123456789", none},
		{"US", "12", none},
		{"US", "+0049 151 12345678", none},
		{"US", "++49", none},
		{"DE", "+491234567890123456", none},
		// Numbers that were rounded, or written as decimals.
		{"US", "4.47911E+11", none},
		{"GB", "4.47911E+11", none},
		{"GB", "4,47911E+11", none},
		{"US", "1.2015550123e10", none},
		{"US", "12015550123.0", none},
		{"US", "2015550123.0", none},
		{"DE", "15112345678.00", none},
		{"DE", "15112345678,0", none},
		// Two numbers in a field.
		{"US", "+12015550123/+12015550124", none},
		{"US", "201-555-0123 / 201-555-0124", none},
		{"US", "2015550123, 2015550124", none},
		{"US", "2015550123;2015550124", none},
		{"US", "201-555-0123 or 201-555-0124", none},
		{"DE", "0151 12345678 oder 030 1234567", none},
		{"DE", "030 1234567 / 0151 12345678", none},
		{"US", "2015550123 2015550124", none},
		{"US", "2015550123 | 2015550124", none},
		{"US", "+12015550123 +12015550124", none},
		{"US", "2015550123\n2015550124", none},
		// A number with a + is of its own country.
		{"DE", "01201 555012", "+491201555012"},
		{"DE", "+52 1 55 1234 5678", "+525512345678"},
		{"US", "+5215512345678", "+525512345678"},
		{"DE", "+52 55 1234 5678", "+525512345678"},
		{"MX", "+52 1 55 1234 5678", "+525512345678"},
		{"MX", "55 1234 5678", "+525512345678"},
		{"GB", "+359 2 123 4567", "+35921234567"},
		{"DE", "(+1) 415 555 2671", "+14155552671"},
		{"DE", "+1 (415) 555-2671", "+14155552671"},
		{"AR", "+54 9 11 1234-5678", "+5491112345678"},
		{"DE", "Tel. +1 415 555 2671", "+14155552671"},
		// As spreadsheets, phone books and links have it.
		{"US", "tel:+1-415-555-2671", "+14155552671"},
		{"US", "TEL: (415) 555-2671", "+14155552671"},
		{"US", "tel:+14155552671;ext=5", "+14155552671"},
		{"US", "tel:415-555-2671;phone-context=+1", "+14155552671"},
		{"US", `="+14155552671"`, "+14155552671"},
		{"US", `="4155552671"`, "+14155552671"},
		{"US", "'+14155552671", "+14155552671"},
		{"US", `"+1 415 555 2671"`, "+14155552671"},
		{"US", "＋１４１５５５５２６７１", "+14155552671"},
		{"US", "４１５－５５５－２６７１", "+14155552671"},
		{"US", "（415）555-2671", "+14155552671"},
		{"US", "+1\u00a0415\u00a0555\u00a02671", "+14155552671"},
		{"US", "\u202a+14155552671\u202c", "+14155552671"},
		{"US", "+1415\u00ad555\u20602671", "+14155552671"},
		{"US", "+1 415‑555–2671", "+14155552671"},
		{"US", "+1 415 555 2671 x 12", "+14155552671"},
		{"US", "whatsapp:+14155552671", "+14155552671"},
		// 00 and 011 are international everywhere where the number is not possible at home.
		{"US", "0049 151 12345678", "+4915112345678"},
		{"US", "00442079460958", "+442079460958"},
		{"US", "011 49 151 12345678", "+4915112345678"},
		{"DE", "011 44 20 7946 0958", "+442079460958"},
		{"DE", "00442079460958", "+442079460958"},
		{"GB", "011 49 151 12345678", "+4915112345678"},
		{"AU", "0011 49 151 12345678", "+4915112345678"},
		{"AU", "00 49 151 12345678", "+4915112345678"},
		{"DE", "0014155552671", "+14155552671"},
		{"NL", "0031 6 12345678", "+31612345678"},
		{"NL", "06 12345678", "+31612345678"},
		{"GB", "0117 496 0123", "+441174960123"},
		{"IT", "011 561 0123", "+390115610123"}, // Turin
		{"DK", "22 22 22 22", "+4522222222"},
		{"DE", "0151/12345678", "+4915112345678"},
		{"DE", "030/1234567", "+49301234567"},
		{"IS", "555 1234", "+3545551234"},
	} {
		n := newRegistry(t, Config{Region: c.region}).NewNormaliser()
		id, err := identify(n, "phone", c.raw)
		if c.want == none {
			if err == nil {
				t.Errorf("%s: %q gives %q, want none", c.region, c.raw, id.Value)
			}
			continue
		}
		if err != nil || string(id.Value) != c.want {
			t.Errorf("%s: %q gives %q, %v; want %s", c.region, c.raw, id.Value, err, c.want)
			continue
		}
		for _, region := range []string{"US", "DE", "MX", "IT"} {
			elsewhere := newRegistry(t, Config{Region: region}).NewNormaliser()
			if again, err := identify(elsewhere, "phone", c.want); err != nil || string(again.Value) != c.want {
				t.Errorf("N1: %s in %s gives %q, %v", c.want, region, again.Value, err)
			}
		}
	}
}

func TestPhoneReasons(t *testing.T) {
	n := newRegistry(t, Config{}).NewNormaliser()
	for raw, want := range map[string]error{
		"+1": errNotPossible, "4.47911E+11": ErrRounded, "201-555-0123 / 201-555-0124": errTwoNumbers, "call me": errNoDigits,
		"+12222222222": ErrBlocked, "+1 000 000 0000": ErrBlocked,
	} {
		if _, err := identify(n, "phone", raw); !errors.Is(err, want) {
			t.Errorf("%q gives %v, want %v", raw, err, want)
		}
	}
}
