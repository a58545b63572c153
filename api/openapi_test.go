package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/openapi"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite openapi.json")

// The document that the server gives is what the routes and the structs of documents make, and it is valid OpenAPI 3.1.
func TestOpenAPI(t *testing.T) {
	w := newWorld(t, nil)
	made, err := openapi.Document(w.server.Routes())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("openapi.json", made, 0o644); err != nil { //nolint:gosec // it is source
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(openAPI, made) {
		t.Fatal("openapi.json is not what the routes and documents make: make generate")
	}
	loaded, err := openapi3.NewLoader().LoadFromData(made)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for name, schema := range loaded.Components.Schemas {
		if schema.Value.Description == "" {
			t.Errorf("%s has no description", name)
		}
	}
	w.get("/openapi.json").want(t, 200, `"openapi": "3.1.0"`)
}

// The router serves every route of the document and no other.
func TestOpenAPIRoutes(t *testing.T) {
	w := newWorld(t, nil)
	mux, ok := w.server.handler.(*http.ServeMux)
	if !ok {
		t.Fatalf("the router is a %T: teach this test about it", w.server.handler)
	}
	told := map[string]bool{}
	for path, operations := range contractOf(t).Paths {
		address := strings.NewReplacer("{id}", "user_id:1", "{name}", "x", "{space}", "s", "{type}", "track", "{writeKey}", "k", "{key}", "0000000000000000").Replace(path)
		h, pattern := mux.Handler(httptest.NewRequest("GET", address, nil))
		served, _ := h.(methods)
		for method := range operations {
			method = strings.ToUpper(method)
			told[method+" "+path] = true
			if pattern != path || served[method] == nil {
				t.Errorf("the document has %s %s, and the router does not", method, path)
			}
		}
		for method := range served {
			if method != http.MethodOptions && !told[method+" "+path] {
				t.Errorf("the router has %s %s, and the document does not", method, path)
			}
		}
	}
	for _, rt := range w.server.Routes() {
		if !told[rt.Method+" "+rt.Path] {
			t.Errorf("the router has %s %s, and the document does not", rt.Method, rt.Path)
		}
		text := contractOf(t).Paths[rt.Path][strings.ToLower(rt.Method)].Description
		for _, alias := range rt.Aliases {
			if !strings.Contains(text, alias) {
				t.Errorf("the document does not say that %s is the same as %s", alias, rt.Path)
			}
		}
	}
}

// The page for developers lists every route.
func TestHTTPPage(t *testing.T) {
	page, err := os.ReadFile("../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range newWorld(t, nil).server.Routes() {
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| %s \\|.*`%s %s`.*\\|$", rt.Audience, rt.Method, regexp.QuoteMeta(rt.Path)))
		if !row.Match(page) {
			t.Errorf("docs/http.md has no row of %s with %s %s", rt.Audience, rt.Method, rt.Path)
		}
		for _, alias := range rt.Aliases {
			if alias = regexp.MustCompile("/(identify|track|page|screen|group|alias)$").ReplaceAllString(alias, "/{type}"); !bytes.Contains(page, []byte("`"+alias+"`")) {
				t.Errorf("docs/http.md does not name %s", alias)
			}
		}
	}
}

// An answer that the document does not allow is noticed.
func TestOpenAPIRefuses(t *testing.T) {
	c := contractOf(t)
	r := httptest.NewRequest("GET", "/livez", nil)
	r.Pattern = "/livez"
	header := http.Header{"Content-Type": {"application/json"}}
	for want, a := range map[string]answer{
		"":                      {200, header, `{"status":"ok","version":"1"}`},
		"additional properties": {200, header, `{"status":"ok","version":"1","more":1}`},
		"missing property":      {200, header, `{"status":"ok"}`},
		"value must be":         {200, header, `{"status":"fine","version":"1"}`},
		"no status 201":         {201, header, `{"status":"ok","version":"1"}`},
		"no media type":         {200, http.Header{"Content-Type": {"text/html"}}, `{"status":"ok","version":"1"}`},
		"no problem bad_id":     {400, http.Header{"Content-Type": {"application/problem+json"}}, `{"type":"t","title":"t","status":400,"code":"bad_id","hint":"h"}`},
	} {
		if err := c.check(r, a); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// contract checks answers against openapi.json.
type contract struct {
	Paths map[string]map[string]struct {
		Description string
		Responses   map[string]struct {
			Description string
			Content     map[string]struct{ Schema json.RawMessage }
		}
	}
	mu       sync.Mutex // guards the following
	compiler *jsonschema.Compiler
}

const contractURL = "kindred:///openapi.json"

// theContract is read once for all tests.
var theContract = sync.OnceValues(func() (*contract, error) {
	c := &contract{compiler: jsonschema.NewCompiler()}
	if err := json.Unmarshal(openAPI, c); err != nil {
		return nil, err
	}
	d, err := jsonschema.UnmarshalJSON(bytes.NewReader(openAPI))
	if err != nil {
		return nil, err
	}
	c.compiler.AssertFormat()
	return c, c.compiler.AddResource(contractURL, d)
})

func contractOf(t *testing.T) *contract {
	t.Helper()
	c, err := theContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// common are problems that any route may answer with: the document has them under default.
var common = []document.Code{document.CodeUnknownRoute, document.CodeMethodNotAllowed, document.CodeInternal, document.CodeWrongHost}

// check says what the document does not allow about the answer to a request, which the router has seen.
func (c *contract) check(r *http.Request, a answer) error {
	method := strings.ToLower(r.Method)
	if method == "head" {
		method = "get"
	}
	path := c.pathOf(r.Pattern)
	responses := c.Paths[path][method].Responses
	if responses == nil {
		if a.status < 400 && method != "options" {
			return fmt.Errorf("the document has no %s %s, which answers %d", r.Method, r.Pattern, a.status)
		}
		return nil
	}
	status := strconv.Itoa(a.status)
	response, ok := responses[status]
	media, _, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if a.status >= 400 && media == "application/problem+json" {
		var p document.Problem
		if err := json.Unmarshal([]byte(a.body), &p); err != nil {
			return err
		}
		if told := strings.Contains(response.Description, string(p.Code)+":"); !told && !slices.Contains(common, p.Code) {
			return fmt.Errorf("%s %s has no problem %s", r.Method, r.Pattern, p.Code)
		} else if !told {
			status, ok = "default", true
			response = responses[status]
		}
	}
	if !ok {
		return fmt.Errorf("%s %s has no status %s", r.Method, r.Pattern, status)
	}
	if len(response.Content) == 0 && a.body == "" || r.Method == http.MethodHead {
		return nil
	}
	content, ok := response.Content[media]
	if !ok || err != nil {
		return fmt.Errorf("%s %s has no media type %q for %s", r.Method, r.Pattern, media, status)
	}
	if content.Schema == nil {
		return nil
	}
	schema, err := c.compile(path, method, status, media)
	if err != nil {
		return err
	}
	for _, text := range bodies(media, a.body) {
		d, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		if err := schema.Validate(d); err != nil {
			return fmt.Errorf("%s %s, status %s: %w\n%s", r.Method, r.Pattern, status, err, text)
		}
	}
	return nil
}

// pathOf is the path under which the document describes a path: its own, or the one that it is the same as.
func (c *contract) pathOf(pattern string) string {
	if c.Paths[pattern] != nil {
		return pattern
	}
	same := regexp.MustCompile(" The same at .*" + regexp.QuoteMeta(pattern) + "[,.]")
	for path, operations := range c.Paths {
		for _, operation := range operations {
			if same.MatchString(operation.Description) {
				return path
			}
		}
	}
	return pattern
}

func (c *contract) compile(path, method, status, media string) (*jsonschema.Schema, error) {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.compiler.Compile(contractURL + "#/paths/" + escape(path) + "/" + method + "/responses/" + status + "/content/" + escape(media) + "/schema")
}

// bodies are the JSON documents of a body: all of it, or one a line.
func bodies(media, body string) (texts []string) {
	prefix := ""
	switch media {
	case "text/event-stream":
		prefix = "data: "
	case "application/x-ndjson":
	default:
		return []string{body}
	}
	lines := bufio.NewScanner(strings.NewReader(body))
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if text, ok := strings.CutPrefix(lines.Text(), prefix); ok && text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}
