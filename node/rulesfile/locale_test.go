package rulesfile

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A value that no file states is assumed, and stays so through what a directory stores, until somebody states it.
func TestAssumed(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "phone_region: US default_currency: USD",
		"extends: default":      "phone_region: US default_currency: USD",
		"phone_region: us":      "default_currency: USD",
		"default_currency: eur": "phone_region: US",
		"phone_region: DE\ndefault_currency: EUR":   "",
		"phone_region: DE\nassumed: [phone_region]": "phone_region: DE default_currency: USD",
	} {
		f := parse(t, text)
		if got := strings.Join(f.Assumptions(), " "); got != want {
			t.Errorf("%q: assumed %q, want %q", text, got, want)
		}
		if again := parse(t, string(f.YAML())); !slices.Equal(again.Assumptions(), f.Assumptions()) {
			t.Errorf("%q: stored and read again, %q are assumed", text, again.Assumptions())
		}
		if stated := f.With("FR", "CHF"); len(stated.Assumptions()) > 0 || stated.Identifier.Region != "FR" || stated.Currency != "CHF" || f.Rules != stated.Rules {
			t.Errorf("%q: stated %+v", text, stated)
		}
	}
}

// Rules that are silent about region and currency keep those that a directory has; rules that state them replace them.
func TestInherit(t *testing.T) {
	kept := parse(t, "phone_region: DE\ndefault_currency: JPY\nassumed: [default_currency]\n")
	for text, want := range map[string]string{
		"extends: default":      "DE JPY false true",
		"phone_region: FR":      "FR JPY false true",
		"default_currency: CHF": "DE CHF false false",
	} {
		f := parse(t, text).Inherit(kept)
		if got := fmt.Sprint(f.Identifier.Region, " ", f.Currency, " ", f.Assumed.Region, f.Assumed.Currency); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestParseLocale(t *testing.T) {
	for text, want := range map[string]string{"de": "DE", " GB ": "GB", "XX": "", "Germany": "", "": ""} {
		if got, err := ParseRegion(text); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("region %q: %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{"eur": "EUR", " USD": "USD", "€": "", "EURO": "", "": ""} {
		if got, err := ParseCurrency(text); err == nil && got != want || (err != nil) != (want == "") {
			t.Errorf("currency %q: %q, %v", text, got, err)
		}
	}
}
