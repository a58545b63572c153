package segment

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kindred-id/kindred/graph"
)

var rewrite = flag.Bool("rewrite", false, "write what was decoded into testdata/clients")

// Each file of testdata/clients is the body of one request, as the client library that it names
// sends it, and what becomes of it.
func TestClients(t *testing.T) {
	paths, err := filepath.Glob("testdata/clients/*.txt")
	if err != nil || len(paths) < 7 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			head, want, ok := bytes.Cut(text, []byte("\n----\n"))
			_, body, commented := bytes.Cut(head, []byte("\n"))
			if !ok || !commented {
				t.Fatal("want a comment, a body, ---- and what becomes of it")
			}
			got := decodeBody(t, body)
			if *rewrite {
				if err := os.WriteFile(path, []byte(string(head)+"\n----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want) {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func decodeBody(t *testing.T, body []byte) string {
	t.Helper()
	var b Batch
	if err := b.Parse(body, 0); err != nil {
		t.Fatal(err)
	}
	d := NewDecoder(testRegistry(t), Options{})
	if err := d.SetContext(b.Context); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "events=%d writeKey=%s sentAt=%s\n", len(b.Events), b.WriteKey, b.SentAt)
	for _, raw := range b.Events {
		var ev graph.Event
		if err := d.Event(raw, now, web, &ev); err != nil {
			fmt.Fprintf(&out, "%v\n", err)
			continue
		}
		checkEvent(t, &ev)
		fmt.Fprintf(&out, "%s %s %s", time.UnixMilli(ev.Stamp.Time).UTC().Format("2006-01-02T15:04:05.000Z"), ev.ID, ev.Type)
		if ev.Name != nil {
			fmt.Fprintf(&out, " %q", ev.Name)
		}
		fmt.Fprintf(&out, "\n  %s\n", describe(&ev))
		for _, trait := range ev.Traits {
			if trait.Value == nil {
				trait.Value = []byte("(deleted)")
			}
			fmt.Fprintf(&out, "  trait %s=%s\n", trait.Name, trait.Value)
		}
		if text := describeOrder(ev.Order); text != "" {
			fmt.Fprintf(&out, "  order %s\n", text)
		}
	}
	return out.String()
}
