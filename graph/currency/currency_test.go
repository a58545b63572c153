package currency

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestCurrencies(t *testing.T) {
	for text, want := range map[string]int{
		"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4, "UYW": 4, "IQD": 3, "IDR": 2, "COP": 2, "VND": 0, "ISK": 0,
		"VES": 2, "MRU": 2, "SLE": 2, "VED": 2, "XCG": 2, "ZWG": 2, "STN": 2, // that came after 2017
		"BGN": 2, "HRK": 2, "DEM": 2, "ITL": 0, "ANG": 2, "ZWL": 2, "VEF": 2, "JEP": 2, // of the past, and of markets
	} {
		if c := code([]byte(text)); !IsCurrency(c) || Decimals(c) != want {
			t.Errorf("%s: known %t, %d decimals, want %d", text, IsCurrency(c), Decimals(c), want)
		}
	}
	for _, text := range []string{"XXX", "XTS", "XAU", "ZZZ", "usd", "\x00\x00\x00", "U$D"} {
		if IsCurrency(code([]byte(text))) {
			t.Errorf("%q is a currency", text)
		}
	}
	if Decimals(code([]byte("ZZZ"))) != 0 || Decimals(code{}) != 0 || Decimals(code([]byte("XXX"))) != 2 {
		t.Error("decimals of what is no currency")
	}
	if _, err := time.Parse(time.DateOnly, date()); err != nil {
		t.Error(err)
	}
	known := 0
	for _, u := range list().uses {
		if u == used {
			known++
		}
	}
	if known != 295 {
		t.Errorf("%d currencies: whoever changes the list changes its date, and this number", known)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"EUR=2":                                        "before the first section",
		"date 2026-01-01\ncurrent\nEURO=2":             "want a code",
		"date 2026-01-01\ncurrent\nEUR=5":              "want a code",
		"date 2026-01-01\ncurrent\nEuR=2":              "three capitals",
		"date 2026-01-01\ncurrent\nEUR=2\npast\nEUR=2": "repeated code",
		"current\nEUR=2":                               "no date",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestFromFormer(t *testing.T) {
	for _, c := range []struct {
		code         string
		amount, want int64
	}{
		{"IDR", 150000, 15000000},
		{"IQD", 12, 12000},
		{"EUR", 1999, 1999},
		{"JPY", 1999, 1999},
		{"XXX", 5, 5},
		{"MNT", math.MaxInt64 / 10, math.MaxInt64},
		{"\x00\x00\x00", 5, 5},
	} {
		if c.want != math.MaxInt64 {
			if got := ToFormer(c.want, code([]byte(c.code))); got != c.amount {
				t.Errorf("%d %s of today: %d, want %d", c.want, c.code, got, c.amount)
			}
		}
		if got := FromFormer(c.amount, code([]byte(c.code))); got != c.want {
			t.Errorf("%d %s: %d, want %d", c.amount, c.code, got, c.want)
		}
	}
}
