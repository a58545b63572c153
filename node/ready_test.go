package node_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/file"
	"github.com/kindred-id/kindred/ingest/record"
	"github.com/kindred-id/kindred/node"
)

// Each ready-made mapping makes the expected profile of its sample: identifiers as they are normalised, times in UTC, net
// revenue in minor units.
func TestReadyMadeMappingsMakeProfiles(t *testing.T) {
	for name, c := range map[string]struct{ of, want string }{
		"ga4-bigquery":       {"user_id:C-7", "ga_client_id:1234567890.1767600000 user_id:C-7 map[page:1 track:3] map[], 2026-01-05T10:10:00.123Z to 2026-01-06T10:13:20.000Z, 1 orders, 12.50 EUR, discounts 0.00"},
		"snowplow-enriched":  {"user_id:C-9", "anonymous_id:bc2e92ec6c204a14 user_id:C-9 map[page:1 track:4] map[], 2026-01-05T10:10:00.500Z to 2026-01-09T10:12:00.000Z, 2 orders, 40.00 EUR, discounts 3.00"},
		"shopify-orders":     {"email:bob.norman@example.com", "email:bob.norman@example.com phone:+16136120707 user_id:207119551 map[identify:1 track:2] map[email:Bob.Norman@example.com firstName:Bob lastName:Norman phone:+16136120707], 2026-01-10T16:00:00.000Z to 2026-01-19T15:00:00.000Z, 1 orders, 199.00 USD, discounts 10.00"},
		"shopify-orders-csv": {"email:bob.norman@example.com", "email:bob.norman@example.com map[identify:1 track:2] map[email:bob.norman@example.com name:Bob Norman], 2026-01-10T16:00:00.000Z to 2026-01-10T16:00:05.000Z, 1 orders, 199.00 USD, discounts 10.00"},
		"woocommerce-orders": {"user_id:26", "email:john.doe@example.com phone:+14155552671 user_id:26 map[identify:1 track:3] map[email:john.doe@example.com firstName:John lastName:Doe phone:(415) 555-2671], 2026-03-22T16:28:02.000Z to 2026-03-25T09:00:00.000Z, 1 orders, 28.70 EUR, discounts 5.00"},
		"posthog-events":     {"user_id:user_42", "anonymous_id:0190aaaa-dev email:max@example.com user_id:user_42 map[alias:1 identify:2 page:1 track:2] map[email:max@example.com name:Max plan:pro], 2026-02-01T10:00:00.123Z to 2026-02-02T09:00:00.000Z, 0 orders, 0 , discounts 0"},
		"mixpanel-export":    {"user_id:u-18", "anonymous_id:old-1 user_id:u-18 map[alias:2 identify:1] map[], 2026-01-05T10:05:00.000Z to 2026-01-05T10:05:02.000Z, 0 orders, 0 , discounts 0"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := importedProfile(t, name, c.of); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// importedProfile ingests the sample of a mapping twice, and describes the profile of an identifier.
func importedProfile(t *testing.T, name, of string) string {
	ctx := context.Background()
	k, err := node.Open(ctx, node.Config{Dir: t.TempDir(), Shards: 4, Memory: 128 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := k.Stop(ctx); err != nil {
			t.Error(err)
		}
	}()
	m, err := record.FindReady(name)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := filepath.Glob(filepath.Join("..", "ingest", "record", "testdata", "ready", name+".*"))
	if err != nil || len(samples) != 1 {
		t.Fatalf("samples %q, %v", samples, err)
	}
	for first := true; ; first = false {
		sum, err := file.NewPipeline(k.Into(false)).Run(ctx, []file.Source{file.FromPath(samples[0], 0, file.NewMapper(m, nil))})
		if err != nil || sum.Rejected > 0 || sum.WithoutIdentifier > 0 || len(sum.DroppedFields) > 0 || (sum.Accepted > 0) != first {
			t.Fatalf("%+v, %v", sum, err)
		}
		if !first {
			break
		}
	}
	w := httptest.NewRecorder()
	k.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/v1/profiles/"+url.PathEscape(of), nil))
	var p struct {
		Identifiers []struct{ Namespace, Value string }
		Counts      map[string]int
		First       string `json:"first_seen"`
		Last        string `json:"last_seen"`
		Traits      map[string]any
		Orders      int
		Revenue     json.Number
		Discount    json.Number
		Currency    string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	var ids []string // their order depends on the secret of the directory
	for _, i := range p.Identifiers {
		ids = append(ids, i.Namespace+":"+i.Value)
	}
	slices.Sort(ids)
	return fmt.Sprintf("%s %v %v, %s to %s, %d orders, %s %s, discounts %s", strings.Join(ids, " "), p.Counts, p.Traits, p.First, p.Last, p.Orders, p.Revenue, p.Currency, p.Discount)
}
