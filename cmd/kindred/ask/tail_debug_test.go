package ask

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const debugStream = `: listening

event: event
data: {"received_at":"2026-01-01T10:00:00.000Z","source":"shop","result":"accepted","message_id":"m1","type":"identify","raw":"{\"userId\":\"u1\"}","raw_bytes":15,"parsed":{"message_id":"m1"},"dropped":[{"code":"bad_type","field":"context","message":"is a number","hint":"send an object"}],"person":{"id":"p1","identifiers":2,"events":3},"merges":[{"into":"p1","from":["p0","p1"],"by":[{"namespace":"user_id","value":"u1"},{"namespace":"anonymous_id","value":"c1"}]}]}

: alive

event: notice
data: {"sampled":7,"rate":200,"missed":1}

event: event
data: {"received_at":"2026-01-01T10:00:01.000Z","source":"shop","result":"rejected","raw":"\u001b[31m","raw_bytes":5,"reason":{"code":"invalid_json","message":"byte 1"}}

`

func TestTailDebug(t *testing.T) {
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, debugStream)
	}))
	t.Cleanup(server.Close)
	run := func(args ...string) (stdout, stderr string, err error) {
		cmd := newTail()
		var out, notes bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetErr(&notes)
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(args)
		err = cmd.Execute()
		return out.String(), notes.String(), err
	}
	out, notes, err := run("--url", server.URL, "--debug", "-o", "table", "--type", "identify", "--identifier", "user_id:u1")
	if err != nil || asked != "/v1/debug/events?identifier=user_id%3Au1&type=identify" {
		t.Errorf("%s: %v", asked, err)
	}
	want := `2026-01-01 10:00:00  accepted            identify  shop  m1
  dropped  bad_type context: is a number; send an object
  person   p1, 2 identifiers, 3 events
  merge    p1 = p0 + p1, by user_id:u1 and anonymous_id:c1
  raw      {"userId":"u1"}
  parsed   {"message_id":"m1"}
2026-01-01 10:00:01  rejected                      shop  
  reason   invalid_json: byte 1
  raw      \x1b[31m
`
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if notes != "kindred: not shown: 7 events above 200 a second, 1 event because this reader was too slow\n" {
		t.Error(notes)
	}
	if out, _, err := run("--url", server.URL, "--debug", "-o", "json"); err != nil || strings.Count(out, "\n") != 2 || !strings.Contains(out, `"into":"p1"`) {
		t.Errorf("%v\n%s", err, out)
	}
	if _, _, err := run("--url", server.URL, "--result", "rejected"); err == nil || !strings.Contains(err.Error(), "need --debug") {
		t.Error(err)
	}
	if _, _, err := run("--data", t.TempDir(), "--debug"); err == nil || !strings.Contains(err.Error(), "watches a running server") {
		t.Error(err)
	}
}
