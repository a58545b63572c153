package access

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// Hosts are the names under which a server answers.
//
// DNS rebinding: a page of evil.example makes its name point to this server, and asks it from a visitor's browser. The
// requests carry Host: evil.example, and a page can't change that. So a server answers for addresses, which no name stands
// between, for names that only a local network can give (one label, or below localhost), and for those in its list.
type Hosts struct {
	any   bool
	names map[string]bool
	below []string // suffixes, each with its dot
}

// anyHost in a list allows every name.
const anyHost = "*"

// NewHosts reads a list of names such as kindred.example, or *.example for all names below one; "*" is any name.
func NewHosts(list []string) (*Hosts, error) {
	h := &Hosts{names: map[string]bool{}}
	var errs []error
	for _, text := range list {
		name := strings.ToLower(strings.TrimSuffix(text, "."))
		suffix, wild := strings.CutPrefix(name, "*.")
		switch {
		case name == anyHost:
			h.any = true
		case !isName(suffix):
			errs = append(errs, fmt.Errorf("host %q: want a name such as kindred.example without a port, *.NAME for all below one, or %s for any", text, anyHost))
		case wild:
			h.below = append(h.below, "."+suffix)
		default:
			h.names[name] = true
		}
	}
	return h, errors.Join(errs...)
}

func isName(name string) bool {
	return name != "" && !strings.HasPrefix(name, ".") && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	})
}

// allow reports whether the server answers for a Host header. No browser leaves it out; a health check of HTTP/1.0 may.
func (h *Hosts) allow(host string) bool {
	if h.any || host == "" {
		return true
	}
	name := host
	if without, _, err := net.SplitHostPort(host); err == nil {
		name = without
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	if !isName(name) {
		return false
	}
	if !strings.Contains(name, ".") || strings.HasSuffix(name, ".localhost") || h.names[name] {
		return true
	}
	for _, suffix := range h.below {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}
