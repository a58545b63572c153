package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/ingest/segment"
)

// TestTimelineOfOneStamp: many events of one time, message id and content, each from another source that numbers its
// messages apart, come on pages of any size, each once.
func TestTimelineOfOneStamp(t *testing.T) {
	const events = segment.MaxSources
	w := newWorld(t, func(c *Config) {
		for i := range events {
			c.Decode.SourcesApart = append(c.Decode.SourcesApart, fmt.Sprintf("s%d", i))
		}
	})
	for i := range events {
		w.post("/v1/batch?wait=durable", fmt.Sprintf(
			`{"writeKey":"s%d","batch":[{"type":"track","event":"x","messageId":"m","userId":"u","timestamp":"2026-01-01T00:00:00Z"}]}`, i)).
			want(t, 200, `"accepted":1`)
	}
	for _, limit := range []int{1, 7, 85, 254, 1000} {
		seen := map[string]bool{}
		query := url.Values{"limit": {fmt.Sprint(limit)}}
		for pages := 0; ; pages++ {
			if pages > events {
				t.Fatalf("limit %d: more pages than events", limit)
			}
			var page struct {
				Events []struct{ Source string }
				Next   *string
			}
			w.get("/v1/profiles/user_id:u/events?"+query.Encode()).into(t, &page)
			for _, e := range page.Events {
				if seen[e.Source] || !strings.HasPrefix(e.Source, "s") {
					t.Fatalf("limit %d: the event of source %s came twice", limit, e.Source)
				}
				seen[e.Source] = true
			}
			if page.Next == nil {
				break
			}
			query.Set("cursor", *page.Next)
		}
		if len(seen) != events {
			t.Errorf("limit %d: %d events, want %d", limit, len(seen), events)
		}
	}
}
