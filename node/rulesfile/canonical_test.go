package rulesfile

import (
	"reflect"
	"strings"
	"testing"
)

// allKeys is a file with every key, and with values that YAML would read differently without quotes.
const allKeys = `extends: default
name: "yes: {no}"
order: latest_wins
alias: refused
limits:
  email: 7
  phone: none
  anonymous_id: {max: 5, within: 7d}
  device_id: {max: 5, within: 1h30m0.5s}
generic: {customers: 0, neighbours: 0}
caps: {identifiers: 2000, hosted: 2500, links: 77}
namespaces:
  loyalty_card: {class: customer, normalise: trim}
  box: {class: device}
identifiers:
  - {path: properties.card, namespace: loyalty_card}
  - {path: "context.a-b,c", namespace: box}
blocked:
  values: [nobody, "null", "~", "1", "phone:+1 415 555 0000", "a\"b\\c # d", "\u2028é"]
  patterns: ['(?i)^qa-\d+$', "- x"]
  allow: [default, "user_id:(none)"]
phone_region: "NO"
default_currency: EUR
sources: ["on", web, "3"]
context: {keep: [page, "1", "a, b", "null"], ip: truncated, max_bytes: 300}
times: {earliest: 1999-02-28, ahead: 90m}
scores: {horizon_days: inf, annual_discount: 0.15, margin: 1e-7}
`

// F4.
func TestYAML(t *testing.T) {
	texts := map[string]string{"all keys": allKeys, "nothing": "", "caps of before": "caps: {identifiers: 1000, links: 10000}"}
	for _, name := range Presets() {
		text, err := presetText(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[name] = string(text)
	}
	for name, text := range texts {
		f, err := Parse(name+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		canonical := f.YAML()
		again, err := Parse("elsewhere", canonical)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, canonical)
		}
		if !reflect.DeepEqual(f, again) {
			t.Errorf("%s: read again\n%+v\nwant\n%+v\n%s", name, *again, *f, canonical)
		}
		if again := again.YAML(); string(again) != string(canonical) {
			t.Errorf("%s: written again\n%s\nwant\n%s", name, again, canonical)
		}
		if lines := Changes(f, again); len(lines) > 0 {
			t.Errorf("%s: equal rules differ in %q", name, lines)
		}
	}
}

func TestChanges(t *testing.T) {
	from, to := parse(t, "extends: default\n"), parse(t, allKeys)
	got := strings.Join(Changes(from, to), "\n")
	want := `name: yes: {no}, was rules
order: latest_wins, was keep_first
alias: refused, was merges
limits.email: 7, was 5
limits.device_id: {max: 5, within: 1h30m0.5s}, was 20
limits.anonymous_id: {max: 5, within: 7d}, was 1000
generic.customers: 0, was 10
generic.neighbours: 0, was 100
caps.identifiers: 2000, was 2500
caps.hosted: 2500, was 100000
caps.links: 77, was 1000000
namespaces.loyalty_card: {class: customer, normalise: trim}, was not set
namespaces.box: {class: device, normalise: trim}, was not set
identifiers: properties.card to loyalty_card, context.a-b,c to box, was none
phone_region: NO, was US (assumed)
default_currency: EUR, was USD (assumed)
sources: on, web, 3, was none
context.keep: page, 1, a, b, null, was consent, consentManagement, groupId, campaign, page, referrer, timezone, locale, userAgent, library, app, os, screen
context.ip: truncated, was none
context.max_bytes: 300, was 4096
times.earliest: 1999-02-28, was 2000-01-01
times.ahead: 1h30m0s, was 1d
scores.horizon_days: inf, was 365
scores.annual_discount: 0.15, was 0
scores.margin: 1e-07, was 1
limits.phone: not set, was 3
blocked.values: 7 added, 0 removed
blocked.patterns: 2 added, 0 removed
blocked.allow: 2 added, 0 removed`
	if got != want {
		t.Errorf("changes:\n%s\nwant:\n%s", got, want)
	}
}
