package generate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// truthLines is a truth of some size, as lines without their ends.
func truthLines(t *testing.T) []string {
	t.Helper()
	cfg := small()
	cfg.People, cfg.Events = 300, 4000
	g := newGenerator(t, cfg)
	truth := g.KeepTruth()
	drain(g)
	var out bytes.Buffer
	if err := truth.WriteTruth(&out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func compareLines(t *testing.T, export, truth []string) Report {
	t.Helper()
	report, err := Compare(strings.NewReader(strings.Join(export, "\n")), strings.NewReader(strings.Join(truth, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// edit changes a line as a JSON object.
func edit(t *testing.T, line string, change func(map[string]any)) string {
	t.Helper()
	value, err := decode(json.RawMessage(line))
	if err != nil {
		t.Fatal(err)
	}
	change(value.(map[string]any))
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Equal meanings are equal: another order, another notation, further fields.
func TestCompareEqual(t *testing.T) {
	truth := truthLines(t)
	var export []string
	for i, line := range truth {
		export = append(export, edit(t, line, func(m map[string]any) {
			m["id"] = fmt.Sprintf("k%026d", i)
			m["version"] = 7
			slices.Reverse(m["identifiers"].([]any))
			m["revenue"] = json.Number(m["revenue"].(json.Number).String() + "000")
			m["first_seen"] = strings.TrimSuffix(m["first_seen"].(string), "Z") + "+00:00"
			counts := m["counts"].(map[string]any)
			for _, name := range eventTypes {
				if counts[name] == nil {
					counts[name] = 0
				}
			}
		}))
	}
	export = append(export, "", `{"id":"kx","identifiers":[{"namespace":"email","value":"nobody@mail.example"}],"events":0}`)
	slices.Reverse(export)
	report := compareLines(t, export, truth)
	if !report.OK() || report.Equal != len(truth) || report.Truth != len(truth) || report.Export != len(truth) || len(report.First) > 0 {
		t.Errorf("equal files differ:\n%s", report)
	}
}

func TestCompareFinds(t *testing.T) {
	truth := truthLines(t)
	// A line with an order that was paid, a trait and more than one identifier: all can be changed.
	rich := slices.IndexFunc(truth, func(line string) bool {
		p, err := parsePerson([]byte(line))
		return err == nil && len(p.Identifiers) > 2 && p.Orders != "0" && p.Traits["email"] != nil && p.Counts["track"] > 1
	})
	if rich < 0 {
		t.Fatal("no identity with orders and traits")
	}
	other := (rich + 1) % len(truth)
	in := func(change func(map[string]any)) func([]string) []string {
		return func(export []string) []string {
			export[rich] = edit(t, export[rich], change)
			return export
		}
	}
	set := func(field string, value any) func([]string) []string {
		return in(func(m map[string]any) { m[field] = value })
	}
	identifiers := func(m map[string]any) []any { return m["identifiers"].([]any) }
	for _, test := range []struct {
		name  string
		want  DifferenceKind
		plant func(export []string) []string
		field string
	}{
		{"missing", diffMissing, func(e []string) []string { return slices.Delete(e, rich, rich+1) }, ""},
		{"unexpected", diffUnexpected, func(e []string) []string {
			return append(e, `{"identifiers":[{"namespace":"email","value":"nobody@mail.example"}],"events":1}`)
		}, ""},
		{"merged", diffMerged, func(e []string) []string {
			e[rich] = edit(t, e[rich], func(m map[string]any) {
				edit(t, e[other], func(o map[string]any) { m["identifiers"] = append(identifiers(m), identifiers(o)...) })
			})
			return slices.Delete(e, other, other+1)
		}, ""},
		{"split", diffSplit, func(e []string) []string {
			half := edit(t, e[rich], func(m map[string]any) { m["identifiers"] = identifiers(m)[:1] })
			e[rich] = edit(t, e[rich], func(m map[string]any) { m["identifiers"] = identifiers(m)[1:] })
			return append(e, half)
		}, ""},
		{"the same line twice", diffSplit, func(e []string) []string { return append(e, e[rich]) }, ""},
		{"missing identifier", diffMissingIdentifier, in(func(m map[string]any) { m["identifiers"] = identifiers(m)[1:] }), "identifiers"},
		{"extra identifier", diffExtraIdentifier, in(func(m map[string]any) {
			m["identifiers"] = append(identifiers(m), map[string]any{"namespace": "email", "value": "extra@mail.example"})
		}), "identifiers"},
		{"identifier twice", diffExtraIdentifier, in(func(m map[string]any) { m["identifiers"] = append(identifiers(m), identifiers(m)[0]) }), "identifiers"},
		{"identifier's first", diffIdentifierSeen, in(func(m map[string]any) { identifiers(m)[1].(map[string]any)["first_seen"] = "2024-12-31T00:00:00.000Z" }), "first_seen of"},
		{"identifier's last", diffIdentifierSeen, in(func(m map[string]any) { delete(identifiers(m)[1].(map[string]any), "last_seen") }), "last_seen of"},
		{"first", diffSeen, set("first_seen", "2024-12-31T00:00:00.000Z"), "first_seen"},
		{"last", diffSeen, set("last_seen", "rubbish"), "last_seen"},
		{"events", diffCounts, set("events", 12345), "events"},
		{"counts", diffCounts, in(func(m map[string]any) { delete(m["counts"].(map[string]any), "track") }), "counts.track"},
		{"orders", diffOrders, set("orders", 12345), "orders"},
		{"discounted orders", diffOrders, set("discounted_orders", 12345), "discounted_orders"},
		{"revenue", diffMoney, set("revenue", json.Number("0.01")), "revenue"},
		{"no revenue", diffMoney, in(func(m map[string]any) { delete(m, "revenue") }), "revenue"},
		{"discount", diffMoney, set("discount", json.Number("12345.67")), "discount"},
		{"trait", diffTraits, in(func(m map[string]any) { m["traits"].(map[string]any)["email"] = "other@mail.example" }), "traits.email"},
		{"trait too much", diffTraits, in(func(m map[string]any) { m["traits"].(map[string]any)["shoeSize"] = 43 }), "traits.shoeSize"},
		{"trait missing", diffTraits, in(func(m map[string]any) { delete(m["traits"].(map[string]any), "email") }), "traits.email"},
	} {
		t.Run(test.name, func(t *testing.T) {
			report := compareLines(t, test.plant(slices.Clone(truth)), truth)
			if report.OK() || report.Counts[test.want] == 0 {
				t.Fatalf("no %q in\n%s", test.want, report)
			}
			found := slices.ContainsFunc(report.First, func(d Difference) bool {
				return d.Kind == test.want && strings.HasPrefix(d.Field, test.field) && strings.Contains(report.String(), d.String())
			})
			if !found {
				t.Errorf("no %q of %q in\n%s", test.want, test.field, report)
			}
			// A change to one identity leaves the others equal; merged and missing identities do not count as equal.
			if lost := len(truth) - report.Equal; lost > 2 {
				t.Errorf("%d identities differ:\n%s", lost, report)
			}
		})
	}
}

func TestCompareBounds(t *testing.T) {
	truth := truthLines(t)
	report := compareLines(t, nil, truth)
	if report.Counts[diffMissing] != len(truth) || len(report.First) != reportFirst {
		t.Errorf("of an empty export: %d missing, %d shown", report.Counts[diffMissing], len(report.First))
	}
	if more := fmt.Sprintf("and %d more", len(truth)-reportFirst); !strings.Contains(report.String(), more) {
		t.Errorf("no %q in\n%s", more, report)
	}
}

func TestCompareUnreadable(t *testing.T) {
	good := truthLines(t)[0]
	for _, test := range []struct{ export, truth, want string }{
		{good + "\n{", good, "export, line 2: "},
		{good, good + "\n\n[1]", "truth, line 3: "},
		{`{"id":"k"}`, good, "export, line 1: no identifiers"},
		{good, good + "\n" + good, "truth, line 2: identifier"},
	} {
		_, err := Compare(strings.NewReader(test.export), strings.NewReader(test.truth))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}
