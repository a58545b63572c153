package openapi

import (
	"slices"
	"strings"

	"github.com/kindred-id/kindred/actors/keyring"
	"github.com/kindred-id/kindred/api/document"
	"github.com/kindred-id/kindred/api/route"
)

// securityScheme is one way to show a key.
type securityScheme struct {
	Type        string `json:"type"`
	Description string `json:"description"`
	Scheme      string `json:"scheme,omitempty"`
	Name        string `json:"name,omitempty"`
	In          string `json:"in,omitempty"`
}

var securitySchemes = map[string]securityScheme{
	"bearer":   {Type: "http", Scheme: "bearer", Description: "A key of kindred keys create, or an ID token of the identity provider. Its scopes have to have those that the operation lists. A server without keys asks for none."},
	"basic":    {Type: "http", Scheme: "basic", Description: "A key as the user, with an empty password, as tracking libraries send it."},
	"writeKey": {Type: "apiKey", In: "header", Name: "X-Write-Key", Description: "A write key. It may stand in writeKey of the body or of the query as well."},
}

// secure says which scope an operation needs, and where its key may stand.
func secure(op *operation, rt *route.Route) {
	if rt.Public {
		return
	}
	schemes := []string{"bearer", "basic"}
	if rt.Scope == keyring.WriteEvents {
		schemes = append(schemes, "writeKey")
	}
	for _, scheme := range schemes {
		op.Security = append(op.Security, map[string][]string{scheme: rt.Scope.Names()})
	}
	op.Description = strings.TrimSpace(op.Description + " The key needs the scope " + rt.Scope.String() + ".")
}

// problemsOf lists the problems of a route, each once: its own, and those of requests that are not let in.
func problemsOf(rt *route.Route) []document.Code {
	codes := slices.Clone(rt.Problems)
	for _, code := range rt.AccessProblems() {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}
