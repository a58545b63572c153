package browser

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/api/client"
	"github.com/kindred-id/kindred/api/document"
)

// people has Jansen, with a phone and a laptop, and somebody whose every text is markup.
const people = `{"type":"page","messageId":"j1","anonymousId":"phone-1","timestamp":"2026-03-01T09:00:00Z","name":"Tents"}
{"type":"identify","messageId":"j2","anonymousId":"phone-1","userId":"jj","timestamp":"2026-03-01T09:10:00Z","traits":{"email":"jan.jansen@example.com","firstName":"Jan","lastName":"Jansen"}}
{"type":"page","messageId":"j3","anonymousId":"laptop-1","timestamp":"2026-03-02T09:00:00Z","name":"Home"}
{"type":"identify","messageId":"j4","anonymousId":"laptop-1","userId":"jj","timestamp":"2026-03-02T09:10:00Z","traits":{"city":"Utrecht"}}
{"type":"track","messageId":"j5","anonymousId":"laptop-1","userId":"jj","timestamp":"2026-03-02T09:20:00Z","event":"Order Completed","properties":{"order_id":"o-1","total":199.5,"discount":20,"currency":"EUR","coupon":"TENT","products":[{"sku":"T-3","name":"Tent","price":199.5,"quantity":1}]}}
{"type":"identify","messageId":"x1","anonymousId":"<script>alert(3)</script>","userId":"markup","timestamp":"2026-03-01T09:00:00Z","traits":{"name":"<img src=x onerror=alert(1)>","<b>trait":"</td><script>alert(2)</script>"}}
{"type":"track","messageId":"x2","anonymousId":"<script>alert(3)</script>","userId":"markup","timestamp":"2026-03-01T09:05:00Z","event":"<svg onload=alert(4)>","properties":{"a":"</pre><script>alert(5)</script>"}}
{"type":"track","messageId":"x3","userId":"markup","timestamp":"2026-03-01T09:06:00Z","event":"Order Completed","properties":{"order_id":"<iframe src=javascript:alert(6)>","total":1,"currency":"EUR","products":[{"sku":"<img src=x onerror=alert(7)>","quantity":1}]}}
`

// A person with a browser finds somebody, sees why she is one, undoes a merge and takes that back: in both languages, by mouse
// and by keyboard, within what axe allows; on a narrow page, in the dark, without a server, and with a key that may do little.
func TestConsole(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Node and Chromium: make console-test")
	}
	modules, err := filepath.Abs("../../../console/test")
	if err != nil {
		t.Fatal(err)
	}
	chromium := os.Getenv("KINDRED_CHROMIUM")
	if chromium == "" {
		chromium, err = exec.LookPath("chromium")
	}
	_, installed := os.Stat(filepath.Join(modules, "node_modules"))
	if err != nil || installed != nil {
		t.Skipf("make console-test installs the modules; Chromium is found by its name, or in KINDRED_CHROMIUM: %v %v", err, installed)
	}
	program := filepath.Join(t.TempDir(), "kindred")
	if out, err := exec.Command("go", "build", "-o", program, "../../../cmd/kindred").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	pictures := os.Getenv("KINDRED_PICTURES")
	if pictures == "" {
		pictures = t.TempDir()
	}
	open, keyed := serve(t, program), serve(t, program)
	c, err := client.New(keyed, nil)
	if err != nil {
		t.Fatal(err)
	}
	admin, err := c.Admin.CreateKey(t.Context(), document.AccessKeyRequest{Name: "ann", Kind: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	c.SetKey(admin.Key)
	viewer, err := c.Admin.CreateKey(t.Context(), document.AccessKeyRequest{Name: "vic", Role: "viewer"})
	if err != nil {
		t.Fatal(err)
	}
	drive := exec.Command("node", "pages.mjs", chromium, open, keyed, admin.Key, viewer.Key, pictures)
	drive.Dir = modules
	out, err := drive.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}

// serve starts a server with people on a new directory, and returns its address. It ends with the test.
func serve(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	events := filepath.Join(dir, "events.ndjson")
	if err := os.WriteFile(events, []byte(people), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	if out, err := exec.Command(program, "ingest", "--data", data, events).CombinedOutput(); err != nil {
		t.Fatalf("ingest: %v\n%s", err, out)
	}
	server := exec.Command(program, "serve", "--data", data, "--listen", "127.0.0.1:0")
	log, err := server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(os.Interrupt)
		_ = server.Wait()
	})
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "http://"); ok {
			go func() {
				for lines.Scan() { // the server must not wait for its log to be read
				}
			}()
			return "http://" + strings.TrimRight(strings.Fields(address)[0], `"`)
		}
	}
	t.Fatal("the server did not say where it listens")
	return ""
}
