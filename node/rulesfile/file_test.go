package rulesfile

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/identifier"
	"github.com/kindred-id/kindred/graph/score"
)

func load(t *testing.T, nameOrPath string) *File {
	t.Helper()
	f, err := Load(nameOrPath)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func parse(t *testing.T, content string) *File {
	t.Helper()
	f, err := Parse("rules.yaml", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPresets(t *testing.T) {
	if got, want := Presets(), []string{"default", "last_login", "open"}; !slices.Equal(got, want) {
		t.Fatalf("presets %v, want %v", got, want)
	}
	versions := make(map[uint64]string)
	for _, name := range Presets() {
		f := load(t, name)
		if f.Rules.Name != name {
			t.Errorf("preset %s is named %s", name, f.Rules.Name)
		}
		if other, ok := versions[f.Rules.Version]; ok {
			t.Errorf("presets %s and %s have one version", name, other)
		}
		versions[f.Rules.Version] = name
		if f.Currency != "USD" || f.Identifier.Region != "US" {
			t.Errorf("preset %s: currency %s and region %s, want USD and US", name, f.Currency, f.Identifier.Region)
		}
	}
}

func TestPresetDefault(t *testing.T) {
	got, want := load(t, "default").Rules, graph.DefaultRules()
	// The default rules of graph have a version of their own, since graph cannot hash a file.
	if !reflect.DeepEqual(got, want) {
		t.Errorf("preset default\n%+v\ngraph.DefaultRules\n%+v", got, want)
	}
}

func TestPresetLastLogin(t *testing.T) {
	got, want := load(t, "last_login").Rules, load(t, "default").Rules
	if got.Version == want.Version {
		t.Error("last_login has the version of default")
	}
	want.Name, want.Version, want.Precedence = "last_login", got.Version, graph.LatestWins
	if !reflect.DeepEqual(got, want) {
		t.Errorf("preset last_login\n%+v\nwant\n%+v", got, want)
	}
}

func TestPresetOpen(t *testing.T) {
	got := load(t, "open").Rules
	want := &graph.Rules{Name: "open", Version: got.Version, MaxIdentity: 1_000_000, MaxMembers: 1_000_000, MaxLinks: 10_000_000}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("preset open\n%+v\nwant\n%+v", got, want)
	}
}

// Versions are stored with the data, so those of these rules must never change.
func TestVersionsStay(t *testing.T) {
	for name, want := range map[string]uint64{
		"default": 4809595706359221269, "last_login": 1609442873308397542, "open": 12383121477599406436,
	} {
		if got := load(t, name).Rules.Version; got != want {
			t.Errorf("version of %s is %d, want %d", name, got, want)
		}
	}
}

// formerDefault is the preset default as stored by a program without a rule about aliases.
const formerDefault = `name: default
order: keep_first
limits:
  user_id: 1
  email: 5
  phone: 3
  device_id: 20
  idfa: 20
  gaid: 20
  push_token: 20
  anonymous_id: 1000
  ga_client_id: 1000
generic: {customers: 10, neighbours: 100}
caps: {identifiers: 1000, links: 10000}
phone_region: US
default_currency: USD
scores: {horizon_days: 365, annual_discount: 0, margin: 1}
`

// Rules stored by a former program keep their version and their meaning. Present rules with the same text have another
// version, so that everything is judged again.
func TestFormerRules(t *testing.T) {
	f, err := ParseKept("kept", []byte(formerDefault))
	if err != nil {
		t.Fatal(err)
	}
	if !f.Rules.Former || f.Rules.Alias != graph.AliasRefused || f.Rules.Version != 1521125752543814200 {
		t.Errorf("kept rules %+v: want the former meaning and version", f.Rules)
	}
	// Rules without times have the default times.
	if again := strings.Replace(string(f.YAML()), "times: {earliest: 2000-01-01, ahead: 1d}\n", "", 1); again != formerDefault {
		t.Errorf("written again\n%s", f.YAML())
	}
	if r := f.Rules; r.MaxIdentity != 0 || r.MaxMembers != 1000 || r.MaxLinks != 10000 {
		t.Errorf("kept caps %d, %d and %d: want those of a component", r.MaxIdentity, r.MaxMembers, r.MaxLinks)
	}
	today := f.Today()
	if r := today.Rules; r.MaxIdentity != 2500 || r.MaxMembers != 100_000 || r.MaxLinks != 1_000_000 {
		t.Errorf("caps of today %d, %d and %d: want those of a person", r.MaxIdentity, r.MaxMembers, r.MaxLinks)
	}
	if today.Rules.Former || today.Rules.Alias != graph.AliasMerges || today.Rules.Version == f.Rules.Version {
		t.Errorf("rules of today %+v", today.Rules)
	}
	again, err := ParseKept("kept", today.YAML())
	if err != nil || !reflect.DeepEqual(again, today) {
		t.Errorf("kept again %+v, want %+v (%v)", again, today, err)
	}
	if again.Today() != again {
		t.Error("rules of today are made into others")
	}
}

func TestUnreachable(t *testing.T) {
	for text, lines := range map[string]int{
		"extends: default": 0, "extends: last_login": 0, "extends: open": 0,
		"generic: {customers: 10}\nlimits: {user_id: 11}":                                                                     1,
		"generic: {customers: 10}\nlimits: {user_id: 10}":                                                                     0,
		"generic: {customers: 0}\nlimits: {user_id: 11}":                                                                      0,
		"generic: {neighbours: 5}\nlimits: {anonymous_id: 9}":                                                                 0,
		"generic: {customers: 1}\nnamespaces: {a: {class: customer}, b: {class: customer}}\nlimits: {user_id: 1, a: 1, b: 1}": 2,
		"generic: {customers: 2}\nnamespaces: {a: {class: customer}, b: {class: customer}}\nlimits: {user_id: 1, a: 1, b: 1}": 1,
		"generic: {customers: 3}\nnamespaces: {a: {class: customer}, b: {class: customer}}\nlimits: {user_id: 1, a: 1, b: 1}": 0,
	} {
		if got := parse(t, text+"\n").Unreachable(); len(got) != lines {
			t.Errorf("%s: %d limits are out of reach, want %d: %q", text, len(got), lines, got)
		}
	}
}

const everything = `
name: acme
order: latest_wins
limits:
  loyalty_card: 2
  anonymous_id: {max: 5, within: 7d}
  user_id: 1
generic: {customers: 3, neighbours: 30}
caps: {identifiers: 50, hosted: 600}
namespaces:
  loyalty_card: {class: customer, normalise: lower}
  crm_id: {class: contact}
identifiers:
  - {path: properties.loyalty_card, namespace: loyalty_card}
  - path: context.crm.id
    namespace: crm_id
blocked:
  values: [null, 0815, "phone:+1 415 555 0000", ~]
  patterns: ['(?i)^qa-']
  allow: [default, "user_id:gast"]
phone_region: de
default_currency: eur
sources: [crm, web]
context: {keep: [page, session], ip: whole, max_bytes: 1000}
times: {earliest: 1995-06-01, ahead: 2h}
scores: {horizon_days: inf, annual_discount: 0.15, margin: 0.4}
`

func TestEverything(t *testing.T) {
	got := parse(t, everything)
	want := &File{
		Rules: &graph.Rules{
			Name: "acme", Version: got.Rules.Version, Precedence: graph.LatestWins,
			Limits: []graph.Limit{
				{Namespace: "user_id", Max: 1},
				{Namespace: "anonymous_id", Max: 5, Within: 7 * 24 * time.Hour},
				{Namespace: "loyalty_card", Max: 2},
			},
			GenericCustomers: 3, GenericNeighbours: 30, MaxIdentity: 50, MaxMembers: 600, MaxLinks: 6000,
		},
		Identifier: identifier.Config{
			Namespaces: []graph.Namespace{
				{Name: "loyalty_card", Class: graph.ClassCustomer, Normaliser: graph.NormaliseLower},
				{Name: "crm_id", Class: graph.ClassContact, Normaliser: graph.NormaliseTrim},
			},
			Region:          "DE",
			Blocked:         []string{"null", "0815", "phone:+1 415 555 0000", "~"}, // as written
			BlockedPatterns: []string{"(?i)^qa-"},
			Allowed:         []string{"default", "user_id:gast"},
		},
		Paths:    []PathMapping{{"properties.loyalty_card", "loyalty_card"}, {"context.crm.id", "crm_id"}},
		Currency: "EUR",
		Sources:  []string{"crm", "web"},
		Context:  Context{Keep: []string{"page", "session"}, IP: ipWhole, MaxBytes: 1000},
		Times:    Times{Earliest: time.Date(1995, 6, 1, 0, 0, 0, 0, time.UTC), Ahead: 2 * time.Hour},
		Scores:   score.Terms{HorizonDays: math.Inf(1), AnnualDiscount: 0.15, Margin: 0.4},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v %+v\nwant\n%+v %+v", got, got.Rules, want, want.Rules)
	}
}

func TestEmptyFile(t *testing.T) {
	for _, content := range []string{"", "# nothing\n", "---\n", "{}"} {
		f := parse(t, content)
		want := &graph.Rules{Name: "rules", Version: f.Rules.Version, MaxIdentity: 2500, MaxMembers: 100_000, MaxLinks: 1_000_000}
		if !reflect.DeepEqual(f.Rules, want) {
			t.Errorf("%q gives %+v, want %+v", content, f.Rules, want)
		}
	}
}

func TestExtends(t *testing.T) {
	f := parse(t, `
extends: default
limits:
  email: 7
  phone: none
  email_sha256: 9
generic: {customers: 20}
`)
	if f.Rules.Name != "rules" || f.Rules.GenericCustomers != 20 || f.Rules.GenericNeighbours != 100 {
		t.Errorf("got %+v", f.Rules)
	}
	var names []string
	for _, l := range f.Rules.Limits {
		names = append(names, fmt.Sprint(l.Namespace, " ", l.Max))
	}
	want := []string{
		"user_id 1", "email 7", "email_sha256 9", "device_id 20", "idfa 20", "gaid 20", "push_token 20",
		"anonymous_id 1000", "ga_client_id 1000",
	}
	if !slices.Equal(names, want) {
		t.Errorf("limits %v, want %v", names, want)
	}
	if again := parse(t, "extends: default"); again.Rules.Version != load(t, "default").Rules.Version {
		t.Error("a file that adds nothing to default has another version")
	}
	if n := load(t, "default").Rules.Limits; len(n) != 9 || n[1].Max != 5 {
		t.Errorf("extending default changed it: %v", n)
	}
}

func TestVersion(t *testing.T) {
	base := "name: a\nlimits: {user_id: 1, email: {max: 5, within: 7d}}\ngeneric: {customers: 1, neighbours: 2}\n"
	same := []string{
		"generic: {neighbours: 2, customers: 1}\nlimits:\n  email: {within: 168h, max: 5}\n  user_id: 1\nname: a\n",
		"name: another\n" + strings.TrimPrefix(base, "name: a\n"),
		base + "caps: {links: 1_000_000, hosted: 100_000, identifiers: 2500}\norder: keep_first\n",
		base + "sources: [web]\nblocked: {values: [x]}\n",
		base + "context: {keep: [], ip: truncated}\n",
		base + "times: {earliest: 1990-01-01, ahead: 1h}\n",
		base + "scores: {horizon_days: 90, annual_discount: 0.1, margin: 0.5}\n",
		strings.Replace(base, "{user_id: 1", "{phone: none, user_id: &one 0x1", 1),
	}
	other := []string{
		strings.Replace(base, "email: {max: 5", "email: {max: 6", 1),
		strings.Replace(base, "7d", "8d", 1),
		strings.Replace(base, "customers: 1", "customers: 2", 1),
		strings.Replace(base, "neighbours: 2", "neighbours: 3", 1),
		strings.Replace(base, "user_id", "phone", 1),
		base + "order: latest_wins\n",
		base + "caps: {links: 9999}\n",
		base + "caps: {identifiers: 999}\n",
	}
	want := parse(t, base).Rules.Version
	for _, content := range same {
		if got := parse(t, content).Rules.Version; got != want {
			t.Errorf("F2: version differs from the same rules written as\n%s", content)
		}
	}
	for _, content := range other {
		if got := parse(t, content).Rules.Version; got == want {
			t.Errorf("F2: version equals that of other rules\n%s", content)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "acme.yaml")
	if err := os.WriteFile(path, []byte("extends: open\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f := load(t, path); f.Rules.Name != "acme" || f.Rules.MaxLinks != 10_000_000 {
		t.Errorf("got %+v", f.Rules)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, fileBytesMax+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ arg, says string }{
		{"defualt", `"defualt": no such preset or file; presets are default, last_login, open`},
		{filepath.Join(dir, "none.yaml"), "none.yaml"},
		{filepath.Join(dir, "none.yaml"), "give a file, or a preset: default"},
		{"", "give a file, or a preset"},
		{dir, "is a directory"},
		{big, "above 1048576 bytes"},
	} {
		if _, err := Load(c.arg); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Load(%q) gives %v, want an error that says %q", c.arg, err, c.says)
		}
	}
	if _, err := presetText("closed"); err == nil || !strings.Contains(err.Error(), "presets are default") {
		t.Errorf("presetText of no preset gives %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	many := "sources: ["
	for i := range 300 {
		many += fmt.Sprintf("s%d,", i)
	}
	for _, c := range []struct {
		name, content string
		want          []string // parts of the error
	}{
		{"unknown key", "name: x\nlimit: {email: 1}", []string{"rules.yaml:2: limit: unknown key", "limits"}},
		{"unknown key below", "generic:\n  customer: 1", []string{"rules.yaml:2: generic.customer: unknown key; known here: customers, neighbours"}},
		{"unknown key in a limit", "limits:\n  email: {maximum: 1, max: 2}", []string{"rules.yaml:2: limits.email.maximum: unknown key"}},
		{"unknown key in a namespace", "namespaces:\n  card: {class: customer, normalize: trim}", []string{":2: namespaces.card.normalize: unknown key"}},
		{"unknown key in a path", "identifiers:\n- {path: a, namespace: email, x: 1}", []string{":2: identifiers.x"}},
		{"unknown preset", "extends: defaults", []string{`:1: extends: unknown preset "defaults"; presets are default, last_login, open`}},
		{"order", "order: first", []string{`:1: order: unknown order "first"; want keep_first or latest_wins`}},
		{"limit for an unknown namespace", "limits:\n  emial: 1", []string{`:2: limits.emial: unknown namespace "emial"; known: user_id, email`, "under namespaces"}},
		{"limit of zero", "limits: {email: 0}", []string{"limits.email: want a whole number from 1", `got "0"`}},
		{"limit below zero", "limits: {email: -1}", []string{`got "-1"`}},
		{"limit of half", "limits: {email: 1.5}", []string{"limits.email", "1.5"}},
		{"limit of many", "limits: {email: many}", []string{"{max: 5, within: 7d}", `got "many"`}},
		{"limit of nothing", "limits: {email: }", []string{"limits.email", "got nothing"}},
		{"limit above all numbers", "limits: {email: 99999999999999999999}", []string{"limits.email"}},
		{"limit without max", "limits: {email: {within: 7d}}", []string{"no max"}},
		{"window", "limits: {email: {max: 1, within: 7 days}}", []string{`limits.email.within: window "7 days"`, "7d"}},
		{"window of zero", "limits: {email: {max: 1, within: 0d}}", []string{"above zero"}},
		{"limit above the cap", "limits: {email: 11}\ncaps: {identifiers: 10}", []string{"rules.yaml: rules that contradict", `"email"`, "raise caps.identifiers"}},
		{"generic that never applies", "generic: {customers: 5, neighbours: 2}", []string{"contradict", "generic.customers 5"}},
		{"cap", "caps: {identifiers: 1}", []string{"caps.identifiers: want a whole number from 2"}},
		{"cap of what is hosted", "caps: {hosted: 1}", []string{"caps.hosted: want a whole number from 2"}},
		{"cap of one person above what is hosted", "caps: {identifiers: 100, hosted: 99}", []string{"caps.identifiers 100 is above caps.hosted 99"}},
		{"cap of links", "caps: {links: 0}", []string{"caps.links: want a whole number from 1"}},
		{"class", "namespaces:\n  card:\n    class: king", []string{`:3: namespaces.card: class "king"`, "customer, contact"}},
		{"no class", "namespaces:\n  card: {}", []string{":2: namespaces.card: no class"}},
		{"class of a default", "namespaces:\n  email: {class: customer, normalise: email}", []string{`:2: namespaces: namespace "email"`, "keeps its class, which is contact"}},
		{"normaliser", "namespaces:\n  card: {class: customer, normalise: upper}", []string{`:2: namespaces: namespace "card"`, "unknown normaliser"}},
		{"name of a namespace", "namespaces:\n  Card No: {class: customer}", []string{`"Card No"`, "a-z"}},
		{"path for an unknown namespace", "identifiers:\n- path: a.b\n  namespace: card", []string{`:3: identifiers: unknown namespace "card"`}},
		{"path without namespace", "identifiers:\n- path: a.b", []string{":2: identifiers: want a path and a namespace"}},
		{"path", "identifiers:\n- {path: a..b, namespace: email}", []string{`:2: identifiers: path "a..b"`}},
		{"deep path", "identifiers: [{path: " + strings.Repeat("a.", 16) + "b, namespace: email}]", []string{"up to 16 keys"}},
		{"path twice", "identifiers:\n- {path: a, namespace: email}\n- {path: a, namespace: email}", []string{":3: identifiers: path \"a\" is listed twice"}},
		{"paths that are no list", "identifiers: {a: email}", []string{"want a list"}},
		{"pattern", "blocked:\n  patterns:\n  - fine\n  - '(['", []string{`:4: blocked.patterns: blocked pattern "(["`, "RE2"}},
		{"blocked value", "blocked: {values: ['']}", []string{"blocked.values: want a word, got nothing"}},
		{"blocked value in a namespace", "blocked: {values: ['email: ']}", []string{"blocked.values", "empty"}},
		{"allowed", "blocked: {allow: [x, x]}", []string{`blocked.allow: "x" is listed twice`}},
		{"allowed value in a namespace", "blocked: {allow: ['email: ']}", []string{"blocked.allow", "empty"}},
		{"blocked twice", "blocked: {values: [x, x]}", []string{`"x" is listed twice`}},
		{"region", "phone_region: Germany", []string{`:1: phone_region: phone region "Germany"`, "ISO 3166"}},
		{"currency", "default_currency: dollar", []string{`:1: default_currency: currency "dollar"`, "ISO 4217"}},
		{"sources", many + "]", []string{"sources: 300 sources; want 255"}},
		{"unknown key of context", "context:\n  drop: [page]", []string{":2: context.drop: unknown key; known here: keep, ip, max_bytes"}},
		{"unknown policy", "context: {ip: half}", []string{`context.ip: unknown policy "half"; want none, truncated or whole`}},
		{"address in the list", "context: {keep: [page, ip]}", []string{"context.keep: ip has a setting of its own"}},
		{"traits in the list", "context: {keep: [traits]}", []string{"context.keep: traits is stored with the identity already"}},
		{"path in the list", "context: {keep: [consent, context.page.url]}", []string{"context.keep: context.page.url is a path; want a top-level key of the context, such as page"}},
		{"key twice", "context: {keep: [page, page]}", []string{`context.keep: "page" is listed twice`}},
		{"little room", "context: {max_bytes: 255}", []string{"context.max_bytes: want a whole number from 256"}},
		{"much room", "context: {max_bytes: 32769}", []string{"context.max_bytes: 32769; want 32768 or less"}},
		{"unknown key of times", "times: {latest: 2030-01-01}", []string{"times.latest: unknown key; known here: earliest, ahead"}},
		{"earliest that is no date", "times: {earliest: yesterday}", []string{`times.earliest: want a date, as in 2000-01-01; got "yesterday"`}},
		{"earliest before 1970", "times: {earliest: 1969-12-31}", []string{"times.earliest: date 1969-12-31: want one from 1970-01-01"}},
		{"ahead of nothing", "times: {ahead: 0h}", []string{"times.ahead"}},
		{"ahead of years", "times: {ahead: 9999d}", []string{"times.ahead: 9999d: want at most 366d"}},
		{"unknown key of scores", "scores:\n  horizon: 90", []string{":2: scores.horizon: unknown key; known here: horizon_days, annual_discount, margin"}},
		{"margin in per cent", "scores:\n  horizon_days: 90\n  margin: 40", []string{":3: scores.margin: ", "a margin of 40; give one above 0 and up to 1"}},
		{"margin of nothing", "scores: {margin: 0}", []string{"scores.margin: ", "a margin of 0"}},
		{"discount in per cent", "scores: {annual_discount: 15}", []string{"scores.annual_discount: ", "give one from 0 to 1, such as 0.15 for 15 %"}},
		{"horizon of a word", "scores: {horizon_days: 90d}", []string{`scores.horizon_days: want a number`, `got "90d"`}},
		{"horizon of nothing", "scores: {horizon_days: 0}", []string{"scores.horizon_days: ", "a horizon of 0 days"}},
		{"horizon that is none", "scores: {horizon_days: .nan}", []string{"scores.horizon_days: ", "a horizon of NaN days"}},
		{"all the future, undiscounted", "scores:\n  margin: 1\n  horizon_days: inf", []string{":3: scores.horizon_days: ", "give an annual discount, such as 0.15, or a horizon in days"}},
		{"all the future, not discounted", "scores:\n  horizon_days: .inf\n  annual_discount: 0", []string{":2: scores.horizon_days: "}},
		{"key twice", "order: keep_first\norder: latest_wins", []string{":2: order: stated twice"}},
		{"limit twice", "limits:\n  email: 1\n  email: 2", []string{":3: limits.email: stated twice"}},
		{"no keys", "- a\n- b", []string{"rules.yaml:1: rules: want keys with values, got a list"}},
		{"text", "default", []string{`got "default"`}},
		{"not YAML", "name: [", []string{"rules.yaml: yaml: line"}},
		{"two documents", "name: a\n---\nname: b", []string{"second document"}},
		{"merge key", "limits: {<<: {email: 1}}", []string{"limits.<<"}},
		{"alias of itself", "sources: &s [*s]", []string{"sources: want a word, got a list"}},
		{"several", "order: x\nphone_region: xx\nlimits: {nobody: 1}", []string{":1: order", ":2: phone_region", ":3: limits.nobody"}},
	} {
		_, err := Parse("rules.yaml", []byte(c.content))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error\n%v\ndoes not say %q", c.name, err, part)
			}
		}
	}
}

func TestParseWindow(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "365d": 365 * 24 * time.Hour, "36500d": 36500 * 24 * time.Hour,
		"12h": 12 * time.Hour, "1h30m": 90 * time.Minute, "1ms": time.Millisecond,
	} {
		if got, ok := parseWindow(text); !ok || got != want {
			t.Errorf("%s gives %v, %t; want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "1.5d", "36501d", "99999999999d", "7", "0s", "-5m", "1us", "1500us", "876001h", "1w"} {
		if got, ok := parseWindow(text); ok {
			t.Errorf("%s gives %v, want none", text, got)
		}
	}
}

// Every accepted file satisfies F1, and every error names the file.
func FuzzParse(f *testing.F) {
	f.Add([]byte(everything))
	for _, name := range Presets() {
		content, err := presetText(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, content := range []string{
		"", "a: &a [*a]", "limits: {email: &x {max: 1}, phone: *x}", "? [a]\n: b", "limits: {<<: {email: 1}}",
		"\xff", "name: !!binary aGk=", "limits: {email: !!int 'x'}", "caps: !!map [1]", "extends: open\nlimits: {user_id: none}",
	} {
		f.Add([]byte(content))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := Parse("rules.yaml", content)
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if strings.HasPrefix(line, "rules.yaml") {
					return
				}
			}
			t.Fatalf("error names no file: %v", err)
		}
		if err := file.Rules.Check(); err != nil {
			t.Fatalf("F1: accepted rules contradict each other: %v", err)
		}
		if _, err := identifier.New([16]byte{}, file.Identifier); err != nil {
			t.Fatalf("F1: accepted configuration is refused: %v", err)
		}
		if file.Rules.Name == "" || len(file.Currency) != 3 || len(file.Sources) > 255 {
			t.Fatalf("accepted %+v", file)
		}
		again, err := Parse("rules.yaml", content)
		if err != nil || !reflect.DeepEqual(file, again) {
			t.Fatalf("reads differently the second time: %v", err)
		}
	})
}
