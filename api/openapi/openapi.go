// Package openapi makes the OpenAPI 3.1 document of the API from its routes and its documents.
//
//	[]route.Route ───────────────┐
//	structs of package document ─┼─► Document ──► api/openapi.json ──► GET /openapi.json
//	comments of their fields ────┘
//
// It runs in tests and go generate only: servers embed the result. So the library that reflects schemas is no part of the
// program, and a change of the API is seen as a change of a file.
package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// documents is the import path of the documents, and folder where they are, seen from package api.
const (
	documents = "github.com/kindred-id/kindred/api/document"
	folder    = "document"
)

// contract is an OpenAPI document. Members of a map come in alphabetical order, so the text is a function of the routes.
type contract struct {
	OpenAPI    string                          `json:"openapi"`
	Info       info                            `json:"info"`
	Tags       []tag                           `json:"tags"`
	Paths      map[string]map[string]operation `json:"paths"`
	Components components                      `json:"components"`
}

type info struct {
	Title       string  `json:"title"`
	Version     string  `json:"version"`
	Description string  `json:"description"`
	License     license `json:"license"`
}

type license struct {
	Name       string `json:"name"`
	Identifier string `json:"identifier"`
}

type tag struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

type operation struct {
	OperationID string                `json:"operationId"`
	Tags        []string              `json:"tags"`
	Summary     string                `json:"summary"`
	Description string                `json:"description,omitempty"`
	Parameters  []parameter           `json:"parameters,omitempty"`
	RequestBody *requestBody          `json:"requestBody,omitempty"`
	Security    []map[string][]string `json:"security,omitempty"`
	Responses   map[string]*response  `json:"responses"`
}

type parameter struct {
	Name        string         `json:"name"`
	In          string         `json:"in"`
	Description string         `json:"description"`
	Required    bool           `json:"required,omitempty"`
	Example     string         `json:"example,omitempty"`
	Schema      map[string]any `json:"schema"`
}

type requestBody struct {
	Required bool             `json:"required"`
	Content  map[string]media `json:"content"`
}

type response struct {
	Description string            `json:"description"`
	Headers     map[string]header `json:"headers,omitempty"`
	Content     map[string]media  `json:"content,omitempty"`
}

type header struct {
	Description string         `json:"description"`
	Schema      map[string]any `json:"schema"`
}

type media struct {
	Schema any `json:"schema,omitempty"`
}

type components struct {
	Schemas         map[string]*jsonschema.Schema `json:"schemas"`
	SecuritySchemes map[string]securityScheme     `json:"securitySchemes"`
}

var tags = []tag{
	{string(route.Collect), "Events in: for the sources of events."},
	{string(route.Query), "Answers about one person, or about several."},
	{string(route.Admin), "What operators do: assertions, backups, fits, receivers of the change feed."},
	{string(route.Stream), "Everything: exports, reports and the change feed."},
	{string(route.Console), "For the console: people sign in and out with a browser."},
	{string(route.Health), "For load balancers, monitors and tools."},
}

// Document makes the document. It reads the comments of package document below the working directory, which is that of
// package api.
func Document(routes []route.Route) ([]byte, error) {
	r := &reflector{schemas: map[string]*jsonschema.Schema{}}
	if err := r.AddGoComments(strings.TrimSuffix(documents, "/"+folder), folder, jsonschema.WithFullComment()); err != nil {
		return nil, err
	}
	for key, text := range r.CommentMap {
		r.CommentMap[key] = sentence(text)
	}
	r.Anonymous = true
	r.Mapper = r.mapped
	for _, change := range changes { // what an entry of the feed may be is named by its schema alone
		r.schema(change)
	}
	r.addPartial()
	d := contract{
		OpenAPI: "3.1.0",
		Info: info{
			Title: "Kindred", Version: "1", License: license{"Apache 2.0", "Apache-2.0"},
			Description: "Live customer identities: events in, people out. Ids are namespace:value, such as email:ann@example.com, or public ids.",
		},
		Tags: tags, Paths: map[string]map[string]operation{},
	}
	for i := range routes {
		rt := &routes[i]
		if d.Paths[rt.Path] == nil {
			d.Paths[rt.Path] = map[string]operation{}
		}
		d.Paths[rt.Path][strings.ToLower(rt.Method)] = r.operation(rt)
	}
	d.Components.Schemas, d.Components.SecuritySchemes = r.schemas, securitySchemes
	text, err := marshal(d)
	if err != nil {
		return nil, err
	}
	return bytes.ReplaceAll(text, []byte(`"#/$defs/`), []byte(`"#/components/schemas/`)), nil
}

// marshal writes the document indented, so that a change of the API shows as changed lines, and with <, > and & as
// themselves.
func marshal(d any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(d)
	return b.Bytes(), err
}

// sentence makes one line of a comment, with a capital letter.
func sentence(comment string) string {
	text := strings.Join(strings.Fields(comment), " ")
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

var pathTexts = map[string]string{
	"id":       "namespace:value, such as email:ann@example.com, in any form that the namespace normalises, or a public id; reserved characters escaped",
	"name":     "name of the receiver",
	"space":    "any text: every space is this deployment",
	"key":      "id of the key, as the list shows it; not the key itself",
	"mapping":  "name of a ready-made mapping, or of one that the server was started with",
	"type":     "identify, track, page, screen, group or alias, or its first letter",
	"writeKey": "names the system that sends; any text",
}

// pathExamples are values that lead somewhere in a deployment whose people have such ids: tools that try the API begin with
// them.
var pathExamples = map[string]string{"id": "user_id:42", "name": "warehouse", "space": "any", "type": "track", "writeKey": "shop"}

// operation describes one route. Its parameters are those of the path, which the path itself names, then those that
// the route lists. Problems of one status are one response; default stands for those that any route may answer with.
func (r *reflector) operation(rt *route.Route) operation {
	op := operation{
		OperationID: operationID(rt), Tags: []string{string(rt.Audience)}, Summary: rt.Summary, Description: rt.Notes,
		Responses: map[string]*response{},
	}
	if len(rt.Aliases) > 0 {
		op.Description = strings.TrimSpace(op.Description + " The same at " + strings.Join(rt.Aliases, ", ") + ".")
	}
	for _, m := range inPath.FindAllStringSubmatch(rt.Path, -1) {
		op.Parameters = append(op.Parameters, parameter{Name: m[1], In: "path", Description: pathTexts[m[1]], Required: true, Example: pathExamples[m[1]], Schema: map[string]any{"type": "string"}})
	}
	for i := range rt.Parameters {
		op.Parameters = append(op.Parameters, newParameter(&rt.Parameters[i]))
	}
	if len(rt.Bodies) > 0 {
		r.request, r.AllowAdditionalProperties = true, rt.OpenBody
		op.RequestBody = &requestBody{Required: true, Content: map[string]media{"application/json": {r.anyOf(rt.Bodies)}}}
		r.request, r.AllowAdditionalProperties = false, false
		for _, other := range rt.Media {
			op.RequestBody.Content[other] = media{map[string]any{"type": "string", "format": "binary"}}
		}
	}
	for i := range rt.Answers {
		r.addAnswer(op.Responses, &rt.Answers[i])
	}
	secure(&op, rt)
	var problem any = document.Problem{}
	others := []any{problem}
	if rt.ErrorMember {
		problem = document.SegmentProblem{}
		others = append(others, problem)
	}
	for status, codes := range byStatus(problemsOf(rt)) {
		op.Responses[strconv.Itoa(status)] = r.problem(problem, codes)
	}
	op.Responses["default"] = &response{
		Description: "Any other problem, such as a method that the route does not have, or a defect of Kindred.",
		Content:     map[string]media{"application/problem+json": {r.anyOf(others)}},
	}
	return op
}

// operationID is a name for generated clients: getProfilesWhy.
func operationID(rt *route.Route) string {
	id := strings.ToLower(rt.Method)
	for _, part := range strings.FieldsFunc(strings.TrimPrefix(rt.Path, "/v1"), func(c rune) bool { return c == '/' || c == ':' || c == '.' }) {
		if part[0] == '{' {
			part = "By" + strings.ToUpper(part[1:2]) + part[2:len(part)-1]
		}
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// newParameter describes a query parameter or a header. Route gives every default as text, as a URL would have it; the
// schema wants a number or a boolean where the type is one.
func newParameter(p *route.Parameter) parameter {
	schema := map[string]any{"type": "string"}
	if p.Type != "" {
		schema["type"] = p.Type
	}
	if p.Enum != nil {
		schema["enum"] = p.Enum
	}
	if p.Max != 0 {
		schema["minimum"], schema["maximum"] = p.Min, p.Max
	}
	switch p.Type {
	case "integer":
		if n, err := strconv.Atoi(p.Default); err == nil {
			schema["default"] = n
		}
	case "boolean":
		schema["default"] = p.Default == "true"
	default:
		if p.Default != "" {
			schema["default"] = p.Default
		}
	}
	in := "query"
	if p.Header {
		in = "header"
	}
	return parameter{Name: p.Name, In: in, Description: sentence(p.Text) + ".", Required: p.Required, Example: p.Example, Schema: schema}
}

// addAnswer adds one answer of a route. Answers of one status, such as an export as NDJSON and as CSV, are media types
// of one response. A 304 has no content by its definition.
func (r *reflector) addAnswer(responses map[string]*response, a *route.Answer) {
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	key := strconv.Itoa(status)
	if responses[key] == nil {
		responses[key] = &response{Description: a.Text}
	}
	res := responses[key]
	if res.Description == "" && a.Document != nil {
		res.Description = r.LookupTypeComment(reflect.TypeOf(a.Document))
	}
	for _, h := range a.Headers {
		if res.Headers == nil {
			res.Headers = map[string]header{}
		}
		res.Headers[h.Name] = header{sentence(h.Text) + ".", map[string]any{"type": "string"}}
	}
	if a.Status == http.StatusNotModified {
		return
	}
	if res.Content == nil {
		res.Content = map[string]media{}
	}
	name := a.Media
	if name == "" {
		name = "application/json"
	}
	m := media{}
	if a.Document != nil {
		m.Schema = r.schema(a.Document)
	}
	res.Content[name] = m
}

// byStatus groups codes by the status that they are answered with, in the order of the route's list: OpenAPI has a
// response for a status and none for a code.
func byStatus(codes []document.Code) map[int][]document.Code {
	statuses := map[int][]document.Code{}
	for _, code := range codes {
		status := document.InfoOf(code).Status
		statuses[status] = append(statuses[status], code)
	}
	return statuses
}

// problem is the response of all problems of one status. It lists their codes in words, since a client decides by
// them. A batch without a readable event answers with the members of a batch beside those of a problem.
func (r *reflector) problem(problem any, codes []document.Code) *response {
	var texts []string
	documents := []any{problem}
	retry := false
	for _, code := range codes {
		info := document.InfoOf(code)
		texts = append(texts, fmt.Sprintf("%s: %s.", code, info.Title))
		if code == document.CodeNoReadableEvent {
			documents = append(documents, document.UnreadableBatch{})
		}
		retry = retry || info.Status == http.StatusTooManyRequests || info.Status == http.StatusServiceUnavailable
	}
	res := &response{Description: strings.Join(texts, " "), Content: map[string]media{"application/problem+json": {r.anyOf(documents)}}}
	if retry {
		res.Headers = map[string]header{"Retry-After": {"Seconds to wait before asking again.", map[string]any{"type": "integer"}}}
	}
	return res
}

// reflector makes schemas of documents, and collects them as components.
type reflector struct {
	jsonschema.Reflector
	request bool // the document is a request's: what is required says a tag
	schemas map[string]*jsonschema.Schema
}

// schema is the schema of a document: a reference to a component, or a list of such. The library keeps what a document
// refers to in the document itself; here all of it moves to the components of the whole, so that two documents with
// one part share it.
func (r *reflector) schema(d any) *jsonschema.Schema {
	r.RequiredFromJSONSchemaTags = r.request
	s := r.Reflect(d)
	maps.Copy(r.schemas, s.Definitions)
	s.Definitions, s.Version = nil, ""
	return s
}

// addPartial adds the schema of a PartialProfile: that of a Profile, of which only the id is required.
func (r *reflector) addPartial() {
	r.schema(document.Profile{})
	partial := *r.schemas["Profile"]
	partial.Required = []string{"id"}
	partial.Description = r.LookupTypeComment(reflect.TypeFor[document.PartialProfile]())
	r.schemas["PartialProfile"] = &partial
}

// anyOf is the schema of any of several documents: of one document, its own schema.
func (r *reflector) anyOf(list []any) *jsonschema.Schema {
	if len(list) == 1 {
		return r.schema(list[0])
	}
	s := new(jsonschema.Schema)
	for _, d := range list {
		s.AnyOf = append(s.AnyOf, r.schema(d))
	}
	return s
}

// LookupTypeComment is the comment of a type.
func (r *reflector) LookupTypeComment(t reflect.Type) string {
	return r.CommentMap[t.PkgPath()+"."+t.Name()]
}

// changes are what the data of an entry of the change feed may be.
var changes = []any{
	document.IdentityChange{}, document.Linked{}, document.Merged{}, document.Split{}, document.GenericValue{}, document.AudienceChange{}, document.Erased{},
}

// mapped is the schema of types whose JSON is not that of their Go kind: amounts and times are encoded by hand, and
// several may be null where Go has no null. It returns nil for every other type, which the library then reflects.
func (r *reflector) mapped(t reflect.Type) *jsonschema.Schema {
	orNull := func(kind string) *jsonschema.Schema {
		return &jsonschema.Schema{Extras: map[string]any{"type": []string{kind, "null"}}}
	}
	switch t {
	case reflect.TypeFor[document.Amount]():
		return &jsonschema.Schema{Type: "number"}
	case reflect.TypeFor[document.AmountOrNull]():
		return orNull("number")
	case reflect.TypeFor[document.CountOrNull]():
		return orNull("integer")
	case reflect.TypeFor[document.TextOrNull]():
		return orNull("string")
	case reflect.TypeFor[document.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	case reflect.TypeFor[document.TimeOrNull]():
		s := orNull("string")
		s.Format = "date-time"
		return s
	case reflect.TypeFor[document.Code]():
		s := &jsonschema.Schema{Type: "string"}
		for _, p := range document.Problems() {
			s.Enum = append(s.Enum, p.Code)
		}
		return s
	case reflect.TypeFor[document.AnyProfile]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Ref: "#/$defs/Profile"}, {Ref: "#/$defs/PartialProfile"}}}
	case reflect.TypeFor[document.AnyTraits]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{r.schema(document.TraitPage{}), r.schema(document.VerboseTraits{})}}
	case reflect.TypeFor[document.AnyGroup]():
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{r.schema(document.GroupProfile{}), r.schema(document.VerboseGroupProfile{})}}
	case reflect.TypeFor[document.AnyChange]():
		s := new(jsonschema.Schema)
		for _, change := range changes {
			s.AnyOf = append(s.AnyOf, &jsonschema.Schema{Ref: "#/$defs/" + reflect.TypeOf(change).Name()})
		}
		return s
	}
	if t.Kind() == reflect.Map && t.Elem().Kind() == reflect.Pointer { // map[string]*T: a value may be null
		value := r.schema(reflect.Zero(t.Elem().Elem()).Interface())
		return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{value, {Type: "null"}}}}
	}
	return nil
}
