package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kindred-id/kindred/actors/feed"
	"github.com/kindred-id/kindred/node"
)

// serve runs a Kindred with a few people, until the test ends.
func serve(t *testing.T) (address string) {
	t.Helper()
	k, err := node.Open(t.Context(), node.Config{
		Dir: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", Shards: 4, Memory: 128 << 20, Feed: feed.Settings{On: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return k.URL()
}

// installed skips a test whose tool is not there; with CI=true the test fails.
func installed(t *testing.T, file, target string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs tools of others: make " + target)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: make %s", file, target)
	}
	t.Skipf("%s is missing: make %s", file, target)
}

// Each example of the TypeScript client prints what its last comment says.
func TestTypeScriptExamples(t *testing.T) {
	const client = "../../../api/client/typescript"
	installed(t, filepath.Join(client, "dist", "index.js"), "typescript")
	examples, err := filepath.Glob(filepath.Join(client, "examples", "*.mjs"))
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, example := range examples {
		t.Run(filepath.Base(example), func(t *testing.T) {
			text, err := os.ReadFile(example)
			if err != nil {
				t.Fatal(err)
			}
			_, comment, ok := strings.Cut(string(text), "// Output:\n")
			if !ok {
				t.Fatal("no // Output:")
			}
			want := strings.TrimPrefix(strings.ReplaceAll("\n"+strings.TrimSuffix(comment, "\n"), "\n// ", "\n"), "\n") + "\n"
			command := exec.CommandContext(t.Context(), "node", filepath.Join("examples", filepath.Base(example)))
			command.Dir = client
			command.Env = append(os.Environ(), "KINDRED_URL="+serve(t))
			var out, stderr bytes.Buffer
			command.Stdout, command.Stderr = &out, &stderr
			if err := command.Run(); err != nil || out.String() != want {
				t.Errorf("%v\n%s\ngot:\n%s\nwant:\n%s", err, stderr.String(), out.String(), want)
			}
		})
	}
}

// people are what schemathesis asks about: the ids that the OpenAPI document has as examples lead to them.
const people = `{"batch":[
	{"type":"identify","messageId":"m1","userId":"42","anonymousId":"tablet","timestamp":"2026-01-01T10:00:00Z","traits":{"email":"Ann@Example.com","plan":"pro"}},
	{"type":"track","event":"Order Completed","messageId":"m2","userId":"42","timestamp":"2026-01-01T10:01:00Z",
	 "properties":{"order_id":"o1","revenue":10,"tax":1,"currency":"EUR","products":[{"sku":"s","price":5,"quantity":2}]}},
	{"type":"group","messageId":"m3","userId":"42","groupId":"acme","timestamp":"2026-01-01T10:02:00Z"},
	{"type":"identify","messageId":"m4","userId":"43","anonymousId":"tablet","timestamp":"2026-01-01T11:00:00Z"}]}`

// checks are what schemathesis holds answers to: no status, header, media type or member that the document does not have.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"

// No request that schemathesis makes of the document gets an answer that the document does not have. The change feed and the
// debugger are left out, as they are streams without an end, and so is the backup, which writes where the request says.
func TestSchemathesis(t *testing.T) {
	tool, err := filepath.Abs("../../../.clients/schemathesis/bin/schemathesis")
	if err != nil {
		t.Fatal(err)
	}
	installed(t, tool, "schemathesis")
	address := serve(t)
	res, err := http.Post(address+"/v1/batch", "application/json", strings.NewReader(people)) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	examples := "30"
	if n := os.Getenv("EXAMPLES"); n != "" {
		examples = n
	}
	command := exec.CommandContext(t.Context(), tool, "run", address+"/openapi.json", "--phases", "examples,coverage,fuzzing", "-n", examples, "--seed", "1",
		"--request-timeout", "60", "--exclude-path", "/v1/changes", "--exclude-path", "/v1/debug/events", "--exclude-path", "/v1/admin/backup", "--checks", checks, "--no-color")
	command.Dir = t.TempDir() // it keeps a directory of its own
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fmt.Println(string(out[max(0, len(out)-600):]))
}
