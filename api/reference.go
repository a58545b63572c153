package api

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed" // the template of the page, and its style
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/kindred-id/kindred/api/route"
)

// The page of the API for people. It is made of openapi.json, as text and tables that fold: it has no script and asks for no
// other file, so it works without a network, and its policy lets nothing in but its own style.
var (
	//go:embed reference.html
	referenceTemplate string
	//go:embed reference.css
	referenceStyle string
)

// reference is the page, made once.
var reference = sync.OnceValue(makeReference)

// getReference answers GET /docs.
func getReference(w http.ResponseWriter, _ *http.Request) *route.Problem {
	sum := sha256.Sum256([]byte(referenceStyle))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(reference())))
	_, _ = w.Write(reference()) // the client has gone: nobody to tell
	return nil
}

// The part of OpenAPI that the page shows.
type (
	apiContract struct {
		Info struct{ Title, Version, Description string }
		Tags []struct{ Name, Description string }
		// Paths are operations by path and method.
		Paths      map[string]map[string]apiOperation
		Components struct{ Schemas map[string]apiSchema }
	}
	apiOperation struct {
		OperationID, Summary, Description string
		Tags                              []string
		Parameters                        []apiParameter
		RequestBody                       *apiAnswer
		Responses                         map[string]apiAnswer
		Security                          []map[string][]string
	}
	apiParameter struct {
		Name, In, Description string
		Required              bool
		Schema                apiSchema
	}
	apiAnswer struct {
		Description string
		Content     map[string]struct{ Schema apiSchema }
	}
	apiSchema struct {
		Ref         string `json:"$ref"`
		Type        any
		Format      string
		Description string
		Enum        []any
		Default     any
		Items       *apiSchema
		AnyOf       []apiSchema
		OneOf       []apiSchema
		Properties  json.RawMessage
		Required    []string
	}
)

// UnmarshalJSON implements json.Unmarshaler. A schema may be true: any value.
func (s *apiSchema) UnmarshalJSON(text []byte) error {
	if string(text) == "true" {
		return nil
	}
	type plain apiSchema
	return json.Unmarshal(text, (*plain)(s))
}

// shownOperation is an operation with its place.
type shownOperation struct {
	Method, Path, Scope string
	apiOperation
}

// shownTag is a tag with its operations.
type shownTag struct {
	Name, Description string
	Operations        []shownOperation
}

// makeReference writes the page. It panics for a document or a template that can't be read: both are part of the program.
func makeReference() []byte {
	var c apiContract
	if err := json.Unmarshal(openAPI, &c); err != nil {
		panic(err)
	}
	var tags []shownTag
	for _, t := range c.Tags {
		tags = append(tags, shownTag{t.Name, t.Description, operationsOf(&c, t.Name)})
	}
	page := template.Must(template.New("reference").Funcs(template.FuncMap{
		"type": typeText, "properties": propertiesOf,
	}).Parse(referenceTemplate))
	var b bytes.Buffer
	if err := page.Execute(&b, map[string]any{
		"Info": c.Info, "Tags": tags, "Schemas": c.Components.Schemas,
		"Style": template.CSS(referenceStyle), //nolint:gosec // it is part of the program
	}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// operationsOf lists the operations of a tag by path and method.
func operationsOf(c *apiContract, tag string) (list []shownOperation) {
	for path, methods := range c.Paths {
		for method, o := range methods {
			if slices.Contains(o.Tags, tag) {
				list = append(list, shownOperation{strings.ToUpper(method), path, scopeOf(o.Security), o})
			}
		}
	}
	slices.SortFunc(list, func(a, b shownOperation) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return list
}

// scopeOf returns the scope that the key of an operation needs, if any.
func scopeOf(security []map[string][]string) string {
	for _, alternative := range security {
		for _, scopes := range alternative {
			return strings.Join(scopes, ", ")
		}
	}
	return ""
}

// shownProperty is a member of a document.
type shownProperty struct {
	Name     string
	Required bool
	Schema   apiSchema
}

// propertiesOf lists the members of a document in the order of the document.
func propertiesOf(s apiSchema) (list []shownProperty, err error) {
	if s.Properties == nil {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(s.Properties))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		p := shownProperty{Name: fmt.Sprint(name)}
		if err := d.Decode(&p.Schema); err != nil {
			return nil, err
		}
		p.Required = slices.Contains(s.Required, p.Name)
		list = append(list, p)
	}
	return list, nil
}

const schemaPrefix = "#/components/schemas/"

// typeText is the type of a value, with links to the documents that it names.
func typeText(s apiSchema) template.HTML {
	esc := template.HTMLEscapeString
	alternatives := func(list []apiSchema) template.HTML {
		var parts []string
		for i := range list {
			parts = append(parts, string(typeText(list[i])))
		}
		return template.HTML(strings.Join(parts, " or ")) //nolint:gosec // each part is escaped
	}
	switch {
	case s.Ref != "":
		name := esc(strings.TrimPrefix(s.Ref, schemaPrefix))
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`) //nolint:gosec // the name is escaped
	case len(s.AnyOf) > 0:
		return alternatives(s.AnyOf)
	case len(s.OneOf) > 0:
		return alternatives(s.OneOf)
	case s.Items != nil:
		return "list of " + typeText(*s.Items)
	case len(s.Enum) > 0:
		var words []string
		for _, word := range s.Enum {
			words = append(words, esc(fmt.Sprint(word)))
		}
		return template.HTML(strings.Join(words, " | ")) //nolint:gosec // each word is escaped
	}
	text := strings.Trim(fmt.Sprint(s.Type), "[]")
	if s.Type == nil {
		text = "any"
	}
	if s.Format != "" {
		text += ", " + s.Format
	}
	return template.HTML(esc(text)) //nolint:gosec // it is escaped
}
