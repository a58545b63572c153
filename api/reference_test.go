package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// The page shows every operation and every document, each link leads somewhere, and nothing on it is loaded or run.
func TestReference(t *testing.T) {
	w := newWorld(t, nil)
	a := w.get("/docs")
	a.want(t, 200, "<title>Kindred API</title>")
	page := a.body
	var c apiContract
	if err := json.Unmarshal(openAPI, &c); err != nil {
		t.Fatal(err)
	}
	for path, operations := range c.Paths {
		for method, o := range operations {
			if !strings.Contains(page, `<details id="`+o.OperationID+`">`) || !strings.Contains(page, "<code>"+path+"</code>") {
				t.Errorf("%s %s is not on the page", method, path)
			}
		}
	}
	for name := range c.Components.Schemas {
		if !strings.Contains(page, `<details id="schema-`+name+`">`) {
			t.Errorf("%s is not on the page", name)
		}
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		target, inside := strings.CutPrefix(link[1], "#")
		if inside && !strings.Contains(page, `id="`+target+`"`) || !inside && link[1] != "/openapi.json" {
			t.Errorf("a link leads to %s", link[1])
		}
	}
	if bad := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|src=|url\(|@import|\son[a-z]+=|style="|http-equiv`).FindString(page); bad != "" {
		t.Errorf("the page has %s", bad)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	policy := a.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q", policy)
	}
}
