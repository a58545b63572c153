package rulesfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/kindred-id/kindred/graph"
)

// YAML writes the complete rules, including those inherited through extends, in one canonical form (F4).
//
// A directory stores this text, and every start reads it back (ParseKept). A start compares canonical texts, so two
// files that differ only in notation are the same rules. Empty sections are left out. Settings with a default are
// always written, so a later default does not change rules in use. Former rules keep the shape of the program that
// wrote them.
func (f *File) YAML() []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("name: %s", scalar(f.Rules.Name))
	line("order: %s", orderName(f.Rules.Precedence))
	if !f.Rules.Former {
		line("%s: %s", aliasKey, f.Rules.Alias)
	}
	if len(f.Rules.Limits) > 0 {
		line("limits:")
		for _, l := range f.Rules.Limits {
			line("  %s: %s", scalar(l.Namespace), limitText(l))
		}
	}
	line("generic: {customers: %d, neighbours: %d}", f.Rules.GenericCustomers, f.Rules.GenericNeighbours)
	if !f.Rules.Former {
		line("caps: {identifiers: %d, hosted: %d, links: %d}", f.Rules.MaxIdentity, f.Rules.MaxMembers, f.Rules.MaxLinks)
	} else {
		line("caps: {identifiers: %d, links: %d}", f.Rules.MaxMembers, f.Rules.MaxLinks)
	}
	if len(f.Identifier.Namespaces) > 0 {
		line("namespaces:")
		for _, ns := range f.Identifier.Namespaces {
			line("  %s: %s", scalar(ns.Name), namespaceText(ns))
		}
	}
	if len(f.Paths) > 0 {
		line("identifiers:")
		for _, p := range f.Paths {
			line("  - {path: %s, namespace: %s}", scalar(p.Path), scalar(p.Namespace))
		}
	}
	if len(f.Identifier.Blocked)+len(f.Identifier.BlockedPatterns)+len(f.Identifier.Allowed) > 0 {
		line("blocked:")
		list := func(key string, values []string) {
			if len(values) > 0 {
				line("  %s:", key)
			}
			for _, v := range values {
				line("    - %s", scalar(v))
			}
		}
		list("values", f.Identifier.Blocked)
		list("patterns", f.Identifier.BlockedPatterns)
		list("allow", f.Identifier.Allowed)
	}
	line("%s: %s", regionKey, scalar(f.Identifier.Region))
	line("%s: %s", currencyKey, scalar(f.Currency))
	if keys := f.Assumed.list(); len(keys) > 0 {
		line("%s: [%s]", assumedKey, strings.Join(keys, ", "))
	}
	if len(f.Sources) > 0 {
		line("sources:")
		for _, s := range f.Sources {
			line("  - %s", scalar(s))
		}
	}
	if len(f.SourcesApart) > 0 {
		line("sources_apart:")
		for _, s := range f.SourcesApart {
			line("  - %s", scalar(s))
		}
	}
	if !f.Rules.Former || !reflect.DeepEqual(f.Context, defaultContext()) {
		line("context: %s", f.Context)
	}
	line("times: {earliest: %s, ahead: %s}", f.Times.Earliest.Format(time.DateOnly), windowText(f.Times.Ahead))
	line("scores: {%s: %s, %s: %s, %s: %s}", horizonDays, realText(f.Scores.HorizonDays),
		annualDiscount, realText(f.Scores.AnnualDiscount), margin, realText(f.Scores.Margin))
	return b.Bytes()
}

func orderName(p graph.Precedence) string {
	if p == graph.LatestWins {
		return "latest_wins"
	}
	return "keep_first"
}

// limitText writes a limit as a rules file would: a number, or one with its window.
func limitText(l graph.Limit) string {
	if l.Within == 0 {
		return strconv.Itoa(l.Max)
	}
	return fmt.Sprintf("{max: %d, within: %s}", l.Max, windowText(l.Within))
}

// windowText writes a window in the form that parseWindow reads.
func windowText(w time.Duration) string {
	if day := 24 * time.Hour; w%day == 0 {
		return fmt.Sprintf("%dd", w/day)
	}
	return w.String()
}

func namespaceText(ns graph.Namespace) string {
	return fmt.Sprintf("{class: %s, normalise: %s}", scalar(ns.Class.String()), scalar(string(ns.Normaliser)))
}

// plainScalar matches text that YAML reads unchanged without quotes, also in one-line lists and mappings.
var plainScalar = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)

// scalar writes text, in quotes unless it is plain. A quoted string of JSON is also one of YAML.
func scalar(text string) string {
	if plainScalar.MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(text); err != nil {
		panic(err) // a bug: text can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}
