package redact

import (
	"regexp"
	"strings"

	"github.com/kindred-id/kindred/graph"
)

// Masked stands for what was left out.
const Masked = "[redacted]"

// sensitive finds what looks like an identifier or a key. Every alternative of it needs one of the bytes of signs, so that
// most texts are passed on after a scan.
var sensitive = regexp.MustCompile(strings.Join([]string{
	`[^\s"'<>()\[\]{},;:=|/]+@[^\s"'<>()\[\]{},;:=|/]+`,   // an address
	`\+[0-9][0-9 ().-]{6,}[0-9]`,                          // a telephone number
	`\b(?:` + namespaces() + `):[^\s"',;\])}]+`,           // an identifier as people write it
	`(?i)\b(?:bearer|basic)\s+[a-z0-9+/=._~-]{8,}`,        // a header with a key
	`\b[a-z]{1,3}k_[A-Za-z0-9_-]{16,}`,                    // a key by its prefix
	`(?i)%40[a-z0-9.-]+\.[a-z]{2,}|[^\s/?&"']+%40[^\s"]+`, // an address in a path
}, "|"))

// signs are bytes without which no text is sensitive.
const signs = "@+:_%"

// Text masks whatever in a text looks like an identifier or a key.
func Text(text string) string {
	if !strings.ContainsAny(text, signs) && !hasScheme(text) {
		return text
	}
	return sensitive.ReplaceAllString(text, Masked)
}

// hasScheme reports whether a text may hold the value of an Authorization header.
func hasScheme(text string) bool {
	lower := strings.ToLower(text)
	return strings.Contains(lower, "bearer") || strings.Contains(lower, "basic")
}

// namespaces lists the namespaces that every deployment has, as alternatives.
func namespaces() string {
	var names []string
	for _, ns := range graph.DefaultNamespaces() {
		names = append(names, regexp.QuoteMeta(ns.Name))
	}
	return strings.Join(names, "|")
}
