package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/record"
	"github.com/parquet-go/parquet-go"
)

// Records in every form that a body may have become the same event: its index counts events, and the place names the record
// that an odd one is from.
func TestMappedBodies(t *testing.T) {
	mapping, err := record.ParseMapping("orders.yaml", []byte(`
events:
  - type: {value: track}
    event: {value: Order Completed}
    messageId: {from: id, prefix: "order-"}
    userId: customer
    properties.order_id: id
    properties.total: total
    properties.currency: {value: EUR}
`))
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	type order struct {
		ID       string `parquet:"id"`
		Customer string `parquet:"customer"`
		Total    string `parquet:"total"`
	}
	if err := parquet.Write(&table, []order{{"o1", "c1", "12.50"}, {"o2", "", "1"}, {"o3", "c1", "free"}}); err != nil {
		t.Fatal(err)
	}
	records := []string{`{"id":"o1","customer":"c1","total":"12.50"}`, `{"id":"o2","total":"1"}`, `{"id":"o3","customer":"c1","total":"free"}`}
	for name, c := range map[string]struct {
		body  string
		place string
	}{
		"lines":    {strings.Join(records, "\n"), `"line":2`},
		"array":    {"[" + strings.Join(records, ",\n") + "]", `"line":2,"record":2`},
		"batch":    {`{"batch":[` + strings.Join(records, ",") + `]}`, `"line":1,"record":2`},
		"pretty":   {strings.ReplaceAll(strings.Join(records, "\n"), `{"`, "{\n\""), `"line":3,"record":2`},
		"csv":      {"id;customer;total\no1;c1;12,50\no2;;1\no3;c1;free\n", `"line":3,"record":2`},
		"tabs":     {"id\tcustomer\ttotal\no1\tc1\t12.50\no2\t\t1\no3\tc1\tfree\n", `"line":3,"record":2`},
		"parquet":  {table.String(), `"record":2`},
		"gzip csv": {string(gzipped(t, []byte("id,customer,total\no1,c1,12.50\no2,,1\no3,c1,free\n"))), `"line":3,"record":2`},
	} {
		w := newWorld(t, func(c *Config) { c.Mappings = map[string]*record.Mapping{"orders": mapping} })
		a := w.post("/v1/map/orders?results=all&live=false", c.body)
		var got struct {
			Accepted     int
			Unidentified []struct {
				Index   int
				Code    string
				Message string
			}
			Dropped []struct {
				Index int
				Field string
			}
		}
		if err := json.Unmarshal([]byte(a.body), &got); a.status != 200 || err != nil || got.Accepted != 2 || len(got.Unidentified) != 1 || got.Unidentified[0].Index != 1 ||
			got.Unidentified[0].Code != "no_identifier" || got.Unidentified[0].Message == "" || len(got.Dropped) != 1 || got.Dropped[0].Field != "properties.total" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if !strings.Contains(a.body, `"unidentified":[{"index":1,`+c.place+`,"messageId":`) {
			t.Errorf("%s: want the place %s in %s", name, c.place, a.body)
		}
		if profile := w.get("/v1/profiles/user_id:c1"); !strings.Contains(profile.body, `"revenue":12.50`) {
			t.Errorf("%s: %s", name, profile.body)
		}
	}
}

// A mapping that is not there is named together with those that are; ready-made ones are there without a setting.
func TestMappedProblems(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxEvents = 3 })
	for _, c := range []struct {
		mapping, body string
		status        int
		says          string
	}{
		{"nosuch", `{}`, 404, `unknown_mapping`},
		{"nosuch", `{}`, 404, `there are ga4-bigquery, mixpanel-export, `},
		{"mixpanel-export", ``, 400, `empty_body`},
		{"mixpanel-export", "\xff\xfe{\x00", 400, `text in UTF-16: convert it to UTF-8`},
		{"mixpanel-export", `<html><body>504</body></html>`, 400, `XML or HTML`},
		{"mixpanel-export", "[{\"event\":\"a\",\"properties\":{\"distinct_id\":\"u\"}},\n{\"event\":", 400, `broken off after line 2, record 1`},
		{"mixpanel-export", strings.Repeat(`{"event":"a","properties":{"distinct_id":"u","time":1767607860}}`+"\n", 4), 413, `too_many_events`},
		{"mixpanel-export", `{"event":"a","properties":{"distinct_id":"u","time":1767607860}}`, 200, `"accepted":1`},
		{"mixpanel-export", "{\"event\":\"b\",\"properties\":{\"distinct_id\":\"u\",\"time\":1767607861}}\n{\"event\":}", 200, `"line":2,"messageId":null,"code":"invalid_json"`},
		{"shopify-orders", `{"orders":[{"id":1,"test":true}]}`, 200, `"accepted":0,"duplicates":0,"without_identifier":0,"skipped":1,"rejected":[]`},
		{"shopify-orders", `{"orders":[{"id":1,"test":true},{"id":2,"email":"a@b.de","created_at":"2026-01-01T00:00:00Z"},{"foo":1}]}`, 200, `"accepted":1,"duplicates":0,"without_identifier":0,"skipped":2,`},
		{"shopify-orders", "PAR1", 400, `damaged`},
	} {
		if a := w.post("/v1/map/"+c.mapping, c.body); a.status != c.status || !strings.Contains(a.body, c.says) {
			t.Errorf("%s %.60q: %d %s, want %d and %s", c.mapping, c.body, a.status, a.body, c.status, c.says)
		}
	}
}

// Events without an identifier are named in the answer, the first hundred of them.
func TestUnidentifiedAreNamed(t *testing.T) {
	w := newWorld(t, nil)
	var b strings.Builder
	b.WriteString(`{"batch":[{"type":"page","messageId":"known","userId":"u"}`)
	for i := range 120 {
		fmt.Fprintf(&b, `,{"type":"page","messageId":"m%d"}`, i)
	}
	b.WriteString("]}")
	var got struct {
		WithoutIdentifier int `json:"without_identifier"`
		Unidentified      []struct {
			Index               int
			MessageID           string `json:"messageId"`
			Code, Message, Hint string
		}
	}
	w.post("/v1/batch", b.String()).into(t, &got)
	if got.WithoutIdentifier != 120 || len(got.Unidentified) != 100 {
		t.Fatalf("%d, %d named", got.WithoutIdentifier, len(got.Unidentified))
	}
	if u := got.Unidentified[7]; u.Index != 8 || u.MessageID != "m7" || u.Code != "no_identifier" || u.Message == "" || u.Hint == "" {
		t.Errorf("%+v", u)
	}
}
