package file

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/ingest/segment"
)

var update = flag.Bool("update", false, "rewrite the expected events of ready-made mappings")

// Each ready-made mapping makes exactly the expected events of a sample, written from the public description of the
// system's export, and finds every record readable.
func TestReadyMadeMappings(t *testing.T) {
	for _, name := range record.ReadyNames() {
		t.Run(name, func(t *testing.T) {
			samples, err := filepath.Glob(filepath.Join("..", "record", "testdata", "ready", name+".*"))
			if err != nil || len(samples) != 1 {
				t.Fatalf("want one sample of %s, got %q, %v", name, samples, err)
			}
			m, err := record.FindReady(name)
			if err != nil {
				t.Fatal(err)
			}
			usage := record.NewUsage(m)
			got := mapped(t, samples[0], NewMapper(m, usage))
			if warnings := usage.Warnings(); len(warnings) > 0 {
				t.Error(warnings)
			}
			golden := filepath.Join("testdata", "ready", name+".events")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// mapped returns the events of a file, one field of an event a line.
func mapped(t *testing.T, path string, m *Mapper) string {
	r, err := FromPath(path, 0, m).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	for {
		chunk, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if chunk == nil {
			return b.String()
		}
		chunk.Events(func(at Place, raw []byte, problem *segment.Rejection) {
			if problem != nil {
				t.Errorf("%+v: %v", at, problem)
				return
			}
			fmt.Fprintf(&b, "line %d, record %d\n", at.Line, at.Record)
			var event any
			if err := json.Unmarshal(raw, &event); err != nil {
				t.Errorf("%s: %v", raw, err)
			}
			lines(&b, "", event)
		})
		chunk.Release()
	}
}

// lines writes a value, one scalar a line with its path.
func lines(b *strings.Builder, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			lines(b, strings.TrimPrefix(path+"."+key, "."), v[key])
		}
	case []any:
		for i, e := range v {
			lines(b, fmt.Sprintf("%s.%d", path, i), e)
		}
	default:
		text, _ := json.Marshal(v)
		fmt.Fprintf(b, "  %s = %s\n", path, text)
	}
}

// Snowplow's enriched events make the same events as lines of cells, as JSON of its SDK, and as a table with a header.
func TestSnowplowLines(t *testing.T) {
	m, err := record.FindReady("snowplow-enriched")
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join("..", "snowplow", "testdata")
	events := func(name string) string { // without their places
		return regexp.MustCompile(`(?m)^line .*\n`).ReplaceAllString(mapped(t, filepath.Join(folder, name), NewMapper(m, nil)), "\n")
	}
	want := events("enriched.ndjson")
	if got := events("enriched.tsv"); got != want || !strings.Contains(got, "Order Completed") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	table := filepath.Join(t.TempDir(), "atomic.tsv")
	if err := os.WriteFile(table, []byte("app_id\tevent\tevent_id\tdomain_userid\nshop\tpage_view\te1\td1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := mapped(t, table, NewMapper(m, nil)); !strings.Contains(got, `"d1"`) {
		t.Errorf("a table with a header: %s", got)
	}
}
