package api

import (
	"fmt"
	"net/http"

	"github.com/kindred-id/kindred/graph"
)

// RulesDocument names the rules in force; the body of GET /v1/rules has their text as well.
type RulesDocument struct {
	Name    string `json:"name"`
	Version string `json:"version"`        // hash of what decides who is who, in hexadecimal
	Text    string `json:"text,omitempty"` // YAML: a whole rules file, whatever it was put together from
}

func newRulesDocument(r *graph.Rules) RulesDocument {
	return RulesDocument{Name: r.Name, Version: fmt.Sprintf("%016x", r.Version)}
}

// getRules answers GET /v1/rules.
func (s *Server) getRules(w http.ResponseWriter, r *http.Request) *problem {
	if p := onlyParameters(r); p != nil {
		return p
	}
	if s.Rules == "" {
		return &problem{code: CodeUnknownRoute}
	}
	d := newRulesDocument(s.Engine.Rules())
	d.Text = s.Rules
	return sendDocument(w, d)
}
