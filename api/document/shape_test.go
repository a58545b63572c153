package document

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/graph"
	"github.com/kindred-id/kindred/graph/score"
	"pgregory.net/rapid"
)

// With fields, a profile has these members of the whole one and no others, in the same order with the same values; and a
// row of CSV has their columns.
func TestFields(t *testing.T) {
	scorer, err := score.NewScorer(score.ColdStart(), score.Terms{}.WithDefaults())
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := drawProfile(t)
		names := rapid.SliceOfNDistinct(rapid.SampledFrom(memberNames[:]), 1, -1, rapid.ID).Draw(t, "fields")
		shape, standing := Shape{Detail: rapid.Bool().Draw(t, "detail"), Scores: scorer, Audiences: true, Computed: true}, drawStanding(t)
		var whole, part map[string]json.RawMessage
		if err := json.Unmarshal(shape.AppendStanding(nil, &p, &standing), &whole); err != nil {
			t.Fatal(err)
		}
		if shape.Fields, err = ParseFields(strings.Join(names, ",")); err != nil {
			t.Fatal(err)
		}
		text := shape.AppendStanding(nil, &p, &standing)
		if err := json.Unmarshal(text, &part); err != nil {
			t.Fatal(err)
		}
		maps.DeleteFunc(whole, func(name string, _ json.RawMessage) bool { return name != "id" && !slices.Contains(names, name) })
		if !maps.EqualFunc(whole, part, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
			t.Fatalf("fields %v: %s, want %v", names, text, whole)
		}
		lines := Lines{Format: CSV, Shape: shape}
		rows, err := csv.NewReader(bytes.NewReader(lines.AppendStanding([]byte(lines.Header()), &p, &standing))).ReadAll() // fails where rows differ in length
		if err != nil || len(rows) != 2 || rows[1][0] != p.ID.String() {
			t.Fatal(rows, err)
		}
		for _, name := range []string{"events", "by_currency", "traits", "audiences", "computed"} {
			if slices.Contains(rows[0], name) != slices.Contains(names, name) {
				t.Fatalf("fields %v, columns %v", names, rows[0])
			}
		}
	})
}

// One trait can be asked for, even one whose name has a dot; all traits win over one; an unknown name is refused.
func TestFieldsOfTraits(t *testing.T) {
	p := rapid.Custom(drawProfile).Example(3)
	p.Traits = p.Traits[:0]
	for _, name := range []string{"a.b", "age", "plan"} {
		p.Traits = append(p.Traits, graph.TraitValue{Name: name, Value: []byte("1")})
	}
	for fields, want := range map[string]string{
		"traits.age":            `,"traits":{"age":1}}`,
		"traits.a.b,traits.age": `,"traits":{"a.b":1,"age":1}}`,
		"traits.no":             `,"traits":{}}`,
		"traits,traits.age":     `,"traits":{"a.b":1,"age":1,"plan":1}}`,
		"id":                    `}`,
	} {
		f, err := ParseFields(fields)
		if err != nil {
			t.Fatal(err)
		}
		if text := (&Shape{Fields: f}).Append(nil, &p); string(text) != `{"id":"`+p.ID.String()+`"`+want {
			t.Errorf("%s: %s", fields, text)
		}
	}
	for _, fields := range []string{"name", "traits.", "ID", "events,", "identifiers.value"} {
		if _, err := ParseFields(fields); err == nil || !strings.Contains(err.Error(), "traits.NAME") {
			t.Errorf("%q: %v", fields, err)
		}
	}
}
