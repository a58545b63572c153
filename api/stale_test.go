package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// An edit that was made of an older version of the definitions is refused, and changes nothing.
func TestStaleEdits(t *testing.T) {
	w := newWorld(t, nil)
	apply := func(path, version, body string) answer {
		r := httptest.NewRequest("POST", "/v1/"+path+":apply", strings.NewReader(body))
		if version != "" {
			r.Header.Set("If-Match", version)
		}
		return w.do(r)
	}
	const a, b = `{"audiences":{"a":"has_identifier(\"email\")"}}`, `{"audiences":{"a":"has_identifier(\"phone\")"}}`
	apply("audiences", `"0"`, a).want(t, 200, `"version":1`)
	apply("audiences", `"0"`, b).want(t, 412, `"stale_version"`, "version 1 is the newest, and the change was made of version 0")
	apply("audiences", `"2"`, b).want(t, 412, `"stale_version"`)
	apply("traits", `"0"`, `{"traits":{"n":"orders().count()"}}`).want(t, 412, `"stale_version"`)
	w.get("/v1/audiences").want(t, 200, `"version":1`, `has_identifier(\"email\")`)
	apply("traits", `"1"`, `{"traits":{"n":"orders().count()"}}`).want(t, 200, `"version":2`)
	apply("audiences", `"1"`, b).want(t, 412, `"stale_version"`)
	apply("audiences", `"2"`, b).want(t, 200, `"version":3`)
	apply("audiences", "", a).want(t, 200, `"version":4`)
	for _, version := range []string{"4", `"four"`, `W/"4"`, "*", `"4", "5"`} {
		apply("audiences", version, a).want(t, 400, `"bad_parameter"`, "want one version in quotes")
	}
	w.get("/v1/audiences").want(t, 200, `"version":4`)
}
