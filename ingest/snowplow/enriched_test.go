package snowplow

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// lines returns the lines of a file of testdata.
func lines(t *testing.T, name string) [][]byte {
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'})
}

// Enriched events become what Snowplow's own SDK made of the same lines: enriched.ndjson is the output of
// snowplow-analytics-sdk 0.2.3 (PyPI) for enriched.tsv, without geo_location.
func TestEnrichedAsTheSDK(t *testing.T) {
	want := lines(t, "enriched.ndjson")
	for i, line := range lines(t, "enriched.tsv") {
		raw, err := AppendEnriched([]byte("before"), line)
		if err != nil {
			t.Fatal(err)
		}
		var got, of any
		if err := json.Unmarshal(bytes.TrimPrefix(raw, []byte("before")), &got); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if err := json.Unmarshal(want[i], &of); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, of) {
			t.Errorf("line %d:\n%s\nwant\n%s", i+1, raw, want[i])
		}
	}
}

// event makes a line of some cells.
func event(cells map[string]string) []byte {
	all := make([]string, len(enrichedColumns))
	for i, name := range enrichedColumns {
		all[i] = cells[name]
	}
	return []byte(strings.Join(all, "\t"))
}

func TestEnriched(t *testing.T) {
	const contexts = `{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-1","data":[`
	for _, c := range []struct {
		cells map[string]string
		want  string // or the end of the error
	}{
		{nil, `{}`},
		{map[string]string{"app_id": "\xff\"", "tr_total": "1.50", "txn_id": "007", "br_cookies": "yes", "true_tstamp": "soon"}, `{"app_id":"\ufffd\"","txn_id":"007","tr_total":1.50,"br_cookies":"yes","true_tstamp":"soon"}`},
		{map[string]string{"tr_total": "NaN", "tr_tax": "-1e3", "tr_shipping": "true"}, `{"tr_total":"NaN","tr_tax":-1e3,"tr_shipping":"true"}`},
		{map[string]string{"contexts": contexts + `{"schema":"iglu:com.acme/blogPost/jsonschema/2-0-0","data":{"a":1}}]}`, "derived_contexts": contexts + `{"schema":"iglu:com.acme/blogPost/jsonschema/2-1-3","data":{"a":2}}]}`}, `{"contexts_com_acme_blog_post_2":[{"a":1},{"a":2}]}`},
		{map[string]string{"contexts": `{"data":[]}`}, `{}`},
		{map[string]string{"contexts": `{"data":[{"schema":"blog","data":{}}]}`}, "contexts: want a schema such as iglu:com.acme/blog_post/jsonschema/1-0-0"},
		{map[string]string{"contexts": `{"data":[{"schema":"iglu:com.acme/a/jsonschema/1-0-0"}]}`}, "contexts: want self-describing JSON, with schema and data"},
		{map[string]string{"contexts": `[`}, "contexts: want self-describing JSON, with schema and data"},
		{map[string]string{"unstruct_event": `{"data":{}}`}, "unstruct_event: want self-describing JSON, with schema and data"},
		{map[string]string{"unstruct_event": `{"data":{"schema":"iglu:com.acme/a/jsonschema/0-0-0","data":{}}}`}, "unstruct_event: want a schema such as iglu:com.acme/blog_post/jsonschema/1-0-0"},
	} {
		raw, err := AppendEnriched(nil, event(c.cells))
		got := string(raw)
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%v:\n%s\nwant\n%s", c.cells, got, c.want)
		}
	}
	if _, err := AppendEnriched(nil, []byte("a\tb")); err == nil || !strings.Contains(err.Error(), "131 cells") || !strings.Contains(err.Error(), "got 2") {
		t.Error(err)
	}
}

// A line of any bytes becomes JSON or fails.
func FuzzEnriched(f *testing.F) {
	f.Add([]byte(`{"data":{"schema":"iglu:com.acme/a/jsonschema/1-0-0","data":{}}}`), []byte(`{"data":[]}`), []byte("1.0"))
	f.Fuzz(func(t *testing.T, ue, contexts, number []byte) {
		raw, err := AppendEnriched(nil, event(map[string]string{"unstruct_event": string(ue), "contexts": string(contexts), "tr_total": string(number), "event": string(number)}))
		if err == nil && !json.Valid(raw) {
			t.Errorf("%q is not JSON", raw)
		}
	})
}
