package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/node"
	"github.com/kindred-id/kindred/storage"
)

// kindred timeline --limit 0 lists every event once, although the events fill several pages and have equal times.
func TestTimelineAll(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "data")
	k, err := node.Open(ctx, node.Config{Dir: dir, Memory: storage.MinMemory, Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New("http://kindred", client.InProcess{Handler: k.Handler()})
	if err != nil {
		t.Fatal(err)
	}
	const events = 450 // several pages of 200
	for n := range events {
		event := map[string]any{"type": "page", "messageId": fmt.Sprint("m", n), "userId": "u", "timestamp": "2026-01-01T00:00:00Z"}
		body := map[string]any{"batch": []any{event}}
		if err := c.Post(ctx, "/v1/batch", nil, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := k.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute([]string{"timeline", "user_id:u", "--data", dir, "--memory", "128M", "-n", "0", "-o", "json"}, nil, &stdout, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	lines := map[string]bool{}
	for line := range strings.Lines(stdout.String()) {
		lines[line] = true
	}
	if len(lines) != events {
		t.Errorf("%d different events, want %d", len(lines), events)
	}
}
